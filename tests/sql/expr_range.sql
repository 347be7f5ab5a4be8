-- Postgres's chapter on ranges and multiranges: bounds, emptiness, infinity, operators, set
-- operations, canonical forms of the discrete ones, aggregates.
@schema
CREATE TABLE er(id int PRIMARY KEY, r int4range, s int4range, n numrange, d daterange, t tsrange, z tstzrange, b int8range, m int4multirange, k int);
INSERT INTO er VALUES (1, '[1,5)', '[3,8]', '[1.0,2.5]', '[2024-01-01,2024-02-01)', '[2024-01-01,2024-01-02)', '[2024-01-01 00:00+00,2024-01-02 00:00+00)', '(0,10)', '{[1,3),[5,9)}', 3), (2, 'empty', '[1,1]', '(0,1)', 'empty', '(,2024-01-01]', '(,)', 'empty', '{}', 1), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '(,5)', '[5,)', '(,)', '[2024-01-15,)', 'empty', '[2024-06-01 00:00+00,)', '[9,9]', '{(,4),[10,)}', 5), (5, '[2,4]', '[2,5)', '[1.00,2.50]', '(2023-12-31,2024-01-31]', '[2024-01-01,2024-01-02]', 'empty', '[1,10)', '{[3,6)}', 4);
@queries
SELECT * FROM er;
SELECT id, r = s, r < s, r <> s, r @> s, r <@ s, r && s, r << s, r >> s, r -|- s, r &< s, r &> s FROM er;
SELECT id, r @> k, k <@ s, n @> 2.5, d @> date '2024-01-31', t @> timestamp '2024-01-02' FROM er;
SELECT id, lower(r), upper(r), isempty(r), lower_inc(r), upper_inc(n), lower_inf(r), upper_inf(s) FROM er;
SELECT id, lower(d), upper(t), lower(z), upper(n), lower_inc(t), upper_inc(t) FROM er;
SELECT id, r * s, n * numrange(1, 2) FROM er;
SELECT id, r + s FROM er WHERE r && s OR r -|- s;
SELECT id, r - s FROM er WHERE NOT (r @> s AND lower(r) < lower(s) AND upper(r) > upper(s));
SELECT id, range_merge(r, s) FROM er;
SELECT id, int4range(k, k + 3), int4range(k, 10, '[]'), numrange(k, NULL), daterange('2024-01-01', '2024-01-01'::date + k) FROM er;
SELECT id, m @> k, m && r, m = '{[3,6)}', m * multirange(r), m + '{[1,2)}', m - '{[2,3)}' FROM er;
SELECT id, lower(m), upper(m), isempty(m), range_merge(m), multirange(s) FROM er;
rerun: SELECT id, u FROM er, unnest(m) u;
SELECT r, count(*) FROM er GROUP BY r;
SELECT n, count(*) FROM er WHERE id <> 1 GROUP BY n;
SELECT b, count(*) FROM er GROUP BY b;
SELECT id, r FROM er ORDER BY r DESC NULLS LAST, id;
SELECT a.id, b.id FROM er a JOIN er b ON a.r = b.s;
SELECT a.id, b.id FROM er a JOIN er b ON a.r && b.s AND a.id < b.id;
SELECT a.id, b.id FROM er a LEFT JOIN er b ON a.d @> lower(b.d);
rerun: SELECT range_agg(r), range_intersect_agg(s) FROM er;
rerun: SELECT k % 2, range_agg(s) FROM er GROUP BY k % 2;
SELECT id, r::text, n::text, m::text, '[1,3]'::int4range FROM er;
SELECT id, coalesce(r, 'empty'), CASE WHEN isempty(r) THEN s ELSE r END FROM er;
SELECT DISTINCT s FROM er;
SELECT r FROM er UNION SELECT s FROM er;
SELECT id FROM er WHERE r @> ANY (SELECT k FROM er);
SELECT max(id) FILTER (WHERE r @> 2) FROM er;
SELECT id, generate_series(lower(r), upper(r)) FROM er WHERE NOT lower_inf(r) AND NOT upper_inf(r);
SELECT id, int4range(k, 3) FROM er;
@changes
UPDATE er SET r = s, s = r;
UPDATE er SET k = k + 1;
UPDATE er SET k = 2;
UPDATE er SET n = '[1,2.5]', m = '{[1,2),[2,4)}' WHERE id IN (1, 5);
INSERT INTO er SELECT 10 + g, int4range(g, g + 3), int4range(g % 3, 5, '[]'), numrange(g, g + 1.5), daterange('2024-01-01', '2024-01-01'::date + g), tsrange('2024-01-01', timestamp '2024-01-01' + g * interval '1 day'), NULL, int8range(g, NULL), multirange(int4range(g, g + 2)), g % 3 FROM generate_series(1, 6) g;
UPDATE er SET r = 'empty' WHERE id % 2 = 0;
DELETE FROM er WHERE s @> 4;
DELETE FROM er;
