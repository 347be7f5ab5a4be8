-- Postgres's chapter on arrays: construction, access, slices, operators, functions, comparison,
-- ANY and ALL, unnest, of one and more dimensions, with NULL elements and other lower bounds.
@schema
CREATE TABLE ea(id int PRIMARY KEY, a int[], b int[], t text[], n numeric[], m int[][], d date[], k int);
INSERT INTO ea VALUES (1, '{1,2,3}', '{2,3}', '{x,y}', '{1.0,2.50}', '{{1,2},{3,4}}', '{2024-01-01,2024-02-01}', 2), (2, '{}', '{}', '{}', '{}', '{}', '{}', 1), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '{1,NULL,3}', '{NULL}', '{NULL,"a b","c\"d"}', '{NULL,3}', '{{1,NULL}}', '{NULL}', 3), (5, '[2:4]={7,8,9}', '{8}', '{x}', '{1.00,2.5}', '{{5,6},{7,8},{9,10}}', '{infinity}', 2), (6, '{3,1,2,3}', '{3,1}', '{y,x,y}', '{2}', '{{1,2},{3,4}}', '{2024-01-01}', 0);
@queries
SELECT * FROM ea;
SELECT id, a[1], a[k], a[k + 1], t[1], n[2], m[1][2], m[2][1], m[1] FROM ea;
SELECT id, a[1:2], a[:2], a[2:], a[:], m[1:1][1:2], t[k:k] FROM ea;
SELECT id, a = b, a < b, a > b, a <> b, n = '{1,2.5}', t = '{x}' FROM ea;
SELECT id, a @> b, a <@ b, a && b, t @> '{x}', a @> ARRAY[k] FROM ea;
SELECT id, a || b, a || k, k || a, t || 'z'::text, a || NULL::int FROM ea;
SELECT id, array_append(a, k), array_prepend(k, a), array_cat(a, b), array_remove(a, 3), array_replace(a, 3, 30) FROM ea;
SELECT id, array_length(a, 1), array_length(m, 2), array_ndims(m), array_dims(m), cardinality(m), array_lower(a, 1), array_upper(a, 1) FROM ea;
SELECT id, array_position(a, 3), array_positions(t, 'y'), array_to_string(a, ','), array_to_string(a, ',', '*') FROM ea WHERE id <> 7;
SELECT id, trim_array(a, 1) FROM ea WHERE cardinality(a) > 1;
SELECT id, array_fill(k, ARRAY[2]), string_to_array('a,b', ',') FROM ea WHERE k > 0;
SELECT id, k = ANY (a), k <> ALL (a), k < ANY (b), 'x' = ANY (t), NOT k = ANY (a) FROM ea;
SELECT id, k IN (1, 2), k = ANY ('{1,2}'), k = ANY (ARRAY[id, 2]), k = ALL ('{}'::int[]) FROM ea;
SELECT id, ARRAY[id, k], ARRAY[[id, 1], [k, 2]], ARRAY[t, t], ARRAY[NULL, k] FROM ea WHERE id <> 2;
SELECT id, a::text, t::text, n::text, m::text, d::text, '{1,2}'::int[], a::numeric[], a::text[] FROM ea;
SELECT id, n::int[], d::timestamp[] FROM ea;
SELECT id, coalesce(a, '{}'), nullif(a, b), greatest(a, b), CASE WHEN cardinality(a) > 2 THEN a END FROM ea;
SELECT id, a IS NULL, a IS DISTINCT FROM b FROM ea;
SELECT a, count(*) FROM ea GROUP BY a;
SELECT m, count(*) FROM ea GROUP BY m;
SELECT DISTINCT t FROM ea;
SELECT min(a), max(a), max(t), min(d) FROM ea;
SELECT id, a FROM ea ORDER BY a DESC NULLS LAST, id;
SELECT a.id, b.id FROM ea a JOIN ea b ON a.a = b.b;
SELECT a.id, b.id FROM ea a JOIN ea b ON b.k = ANY (a.a);
SELECT a.id, b.id FROM ea a LEFT JOIN ea b ON a.a && b.b AND a.id <> b.id;
SELECT a FROM ea UNION SELECT b FROM ea;
SELECT a FROM ea INTERSECT SELECT m FROM ea;
SELECT id, x FROM ea, unnest(a) x;
SELECT id, x, o FROM ea, unnest(a) WITH ORDINALITY u(x, o);
SELECT id, x, y FROM ea LEFT JOIN LATERAL unnest(a, t) u(x, y) ON true;
SELECT id, unnest(a) FROM ea;
SELECT id, unnest(a), unnest(b) FROM ea;
SELECT x, count(*) FROM ea, unnest(a) x GROUP BY x;
SELECT id, (SELECT sum(x) FROM unnest(a) x), (SELECT max(x) FROM unnest(t) x) FROM ea;
SELECT id, ARRAY(SELECT x FROM unnest(a) x WHERE x > 1 ORDER BY x DESC) FROM ea;
SELECT id, ARRAY(SELECT b.id FROM ea b WHERE b.k >= ea.k ORDER BY b.id) FROM ea;
SELECT array_agg(k ORDER BY id), array_agg(k ORDER BY k DESC NULLS LAST, id) FILTER (WHERE k > 0) FROM ea;
SELECT k, array_agg(a ORDER BY id) FROM ea WHERE cardinality(a) = 3 AND array_ndims(a) = 1 GROUP BY k;
SELECT k, array_agg(DISTINCT t[1] ORDER BY t[1]) FROM ea GROUP BY k;
SELECT id, generate_subscripts(a, 1) FROM ea;
SELECT id, i, a[i] FROM ea, generate_subscripts(a, 1) i;
SELECT id, array_to_json(a), to_json(m), array_to_json(t), row_to_json(ROW(a, k)) FROM ea;
SELECT id FROM ea WHERE a[1] = 1 AND a[2] IS NULL;
SELECT id FROM ea WHERE EXISTS (SELECT 1 FROM unnest(a) x JOIN unnest(b) y ON x = y);
SELECT id FROM ea WHERE 3 = ANY (SELECT unnest(b.a) FROM ea b WHERE b.k = ea.k);
SELECT id, a[1]::text || t[1] FROM ea WHERE t[1] LIKE 'x%';
SELECT id, width_bucket(k, '{1,2,3}'::int[]) FROM ea;
SELECT id, 1 / a[1] FROM ea;
@changes
UPDATE ea SET a = b, b = a;
UPDATE ea SET a = a || 5, k = 1 WHERE id = 2;
UPDATE ea SET t[1] = 'new', a[3] = 33 WHERE id IN (1, 4);
UPDATE ea SET a = '{0,1}' WHERE id = 3;
UPDATE ea SET n = '{1.0,2.5}' WHERE id = 1;
UPDATE ea SET a = '{2,1}' WHERE id = 3;
INSERT INTO ea SELECT 10 + g, ARRAY[g % 3 + 1, g], ARRAY[g % 2], ARRAY['x', 't' || g % 2], ARRAY[g / 2.0], ARRAY[[g, 1], [2, g]], ARRAY[date '2024-01-01' + g], g % 3 FROM generate_series(1, 6) g;
UPDATE ea SET m = NULL, d = '{}' WHERE id % 2 = 0;
UPDATE ea SET b = NULL WHERE id > 3;
DELETE FROM ea WHERE a @> '{2}';
DELETE FROM ea;
