-- Arrays and rows: equality and order of their parts, NULLs in them, constants, functions.
@schema
CREATE TYPE pair AS (a int, b text, n numeric);
CREATE TYPE hue AS ENUM ('red', 'green', 'blue');
CREATE TABLE ar(id int PRIMARY KEY, i int[], n numeric[], t text[], f float8[], h hue[], d date[], v interval[], j jsonb[], p pair, pp pair[], c char(3)[]);
INSERT INTO ar VALUES
 (1, '{1,2,3}', '{1.0,2.50}', '{a,"b c",NULL}', '{0,-0}', '{red,blue}', '{2024-01-01}', '{1 day}', ARRAY['{"a": 1.0}'::jsonb], (1, 'x', 1.0), ARRAY[(1,'x',1.0)::pair], '{a,b}'),
 (2, '{1,2,3}', '{1.00,2.5}', '{a,"b c",NULL}', '{-0,0}', '{red,green}', '{2024-01-02}', '{24:00:00}', ARRAY['{"a": 1.00}'::jsonb], (1, 'x', 1.00), ARRAY[(1,'x',1.00)::pair], '{"a  ",b}'),
 (3, '{}', '{NULL}', '{}', '{NaN,Infinity}', '{}', '{}', '{}', '{}', (NULL, NULL, NULL), '{}', '{}'),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (5, '[0:1]={1,2}', '{{1,2},{3,4}}', '{"NULL",null,"","\"q\\"}', '{1e300}', '{blue}', '{infinity,NULL}', '{1 mon,-1 day}', ARRAY[NULL::jsonb], (2, NULL, 3), ARRAY[NULL::pair,(2,'y,(z)',NULL)::pair], '{abc}'),
 (6, '{1,2}', '{{1,2,3,4}}', '{é,a}', '{NaN}', '{blue,red}', '{2023-12-31,2024-01-01}', '{30 days,-24:00:00}', ARRAY['1'::jsonb], (2, '', 3), ARRAY[(2,'',NULL)::pair], '{}');
@queries
SELECT * FROM ar;
SELECT count(*) FROM ar GROUP BY i;
SELECT count(*) FROM ar GROUP BY n;
SELECT t, count(*) FROM ar GROUP BY t;
SELECT count(*) FROM ar GROUP BY f;
SELECT h, count(*) FROM ar GROUP BY h;
SELECT count(*) FROM ar GROUP BY v;
SELECT count(*) FROM ar GROUP BY j;
SELECT count(*) FROM ar GROUP BY c;
SELECT count(*) FROM ar GROUP BY p;
SELECT count(*) FROM ar GROUP BY pp;
SELECT count(DISTINCT d), count(DISTINCT i), count(DISTINCT n), count(DISTINCT p) FROM ar;
SELECT id, i FROM ar ORDER BY i, id LIMIT 5;
SELECT id, n FROM ar ORDER BY n DESC, id LIMIT 5;
SELECT id, t FROM ar ORDER BY t, id LIMIT 5;
SELECT id, h FROM ar ORDER BY h DESC NULLS LAST, id LIMIT 4;
SELECT id, v FROM ar ORDER BY v, id LIMIT 4;
SELECT id, p FROM ar ORDER BY p, id LIMIT 5;
SELECT id, pp FROM ar ORDER BY pp DESC, id LIMIT 5;
SELECT id, f FROM ar ORDER BY f, id LIMIT 5;
SELECT a.id, b.id FROM ar a JOIN ar b ON a.n = b.n;
SELECT a.id, b.id FROM ar a JOIN ar b ON a.i < b.i;
SELECT id, i = '{1,2,3}', i > '{1,2}', t = ARRAY['a','b c',NULL], n <> '{1,2.5}', f < '{NaN}' FROM ar;
SELECT id, i = '[0:1]={1,2}'::int[], d = '{2024-01-01}', h = '{red,blue}', v = '{1 day}', n = '{{1.0,2},{3,4}}' FROM ar;
SELECT id, array_length(i, 1), array_lower(i, 1), array_upper(i, 1), array_ndims(n), cardinality(n), array_length(n, 2) FROM ar;
SELECT id, i @> '{2}', i <@ '{1,2,3,4}', i && '{3,9}', t @> '{a}', n && '{2.500}', t @> '{NULL}' FROM ar;
SELECT id FROM ar WHERE i @> ARRAY[1, 2];
SELECT id FROM ar WHERE t && '{é}';
SELECT DISTINCT h FROM ar;
SELECT i FROM ar UNION SELECT '{1,2,3}' EXCEPT SELECT '{}';
SELECT id, coalesce(i, '{7}'), CASE WHEN i > '{1}' THEN i END FROM ar;
SELECT id, i::text, n::text, t::text, p::text FROM ar;
SELECT id, p = p, p IS NOT DISTINCT FROM p FROM ar;
SELECT id, i[1], i[0], i[id], n[1][2], n[2], t[2], h[2], d[1], j[1], c[1], pp[1], t[NULL] FROM ar;
SELECT id, ARRAY[id, 7, NULL], ARRAY[t[1], 'x y'], ARRAY[n[1], 1.50], ARRAY[]::int[], ARRAY[h[1]], ARRAY[p] FROM ar;
SELECT id FROM ar WHERE id = ANY (i);
SELECT id, 2 = ANY (i), 2 <> ALL (i), id < ANY (i), id >= ALL (i), NULL = ANY (i), 'a' = ANY (t), 1 = ALL (n) FROM ar;
SELECT id FROM ar WHERE id = ANY ('{1,3,NULL}'::int[]);
SELECT id FROM ar WHERE id <> ALL ('{1,3}') AND id = ANY (ARRAY[2, 4, 5]);
SELECT id, i[1:2], ARRAY[[id, 1], [2, id]] FROM ar;
SELECT i[1] AS k, count(*), max(i) FROM ar GROUP BY i[1];
@changes
UPDATE ar SET i = i;
UPDATE ar SET n = '{2.5,1}', p = (1, 'x', 1.000) WHERE id = 1;
UPDATE ar SET n = (SELECT n FROM ar WHERE id = 2), t = '{a,"b c",NULL}' WHERE id = 3;
INSERT INTO ar(id, i, n, t, p) SELECT 10 + g, ARRAY[g % 3, g], ARRAY[g / 2.0, NULL], ARRAY['k' || g % 2], ROW(g % 2, 'z', g % 3)::pair FROM generate_series(1, 8) g;
UPDATE ar SET i = i || 9 WHERE id > 12;
UPDATE ar SET p = NULL, pp = NULL WHERE id < 3;
DELETE FROM ar WHERE id IN (1, 5, 11);
UPDATE ar SET id = id + 100;
DELETE FROM ar;
