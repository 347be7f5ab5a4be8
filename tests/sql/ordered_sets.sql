-- WITHIN GROUP: percentiles, mode, hypothetical ranks.
@schema
CREATE TABLE o(id int PRIMARY KEY, g int, i int, f float8, n numeric, t text, d date, fr float8);
INSERT INTO o VALUES (1, 1, 10, 1.5, 1.5, 'b', '2024-01-01', 0.5), (2, 1, 20, 2.5, 2.5, 'a', '2024-01-03', 0.5), (3, 1, 20, 3.5, NULL, 'c', NULL, 0.5),
 (4, 1, NULL, NULL, 0.5, NULL, '2023-01-01', 0.5), (5, 2, 7, 8, 8, 'x y', '2024-01-01', 1), (6, 2, 7, 4, 4.0, '', '2024-01-01', 1),
 (7, NULL, 1, 0, 0, 'null', NULL, NULL), (8, 2, 9, 16, 1, 'b', '2000-01-01', 1);
CREATE TABLE e(x float8, y int, PRIMARY KEY (y));
@queries
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FROM o;
SELECT g, percentile_cont(0.5) WITHIN GROUP (ORDER BY f), percentile_cont(0) WITHIN GROUP (ORDER BY f), percentile_cont(1) WITHIN GROUP (ORDER BY f), percentile_cont(0.25) WITHIN GROUP (ORDER BY f DESC) FROM o GROUP BY g;
SELECT g, percentile_cont(0.5) WITHIN GROUP (ORDER BY i), percentile_cont(0.9) WITHIN GROUP (ORDER BY n) FROM o GROUP BY g;
SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY i), percentile_disc(0) WITHIN GROUP (ORDER BY i), percentile_disc(1) WITHIN GROUP (ORDER BY i), percentile_disc(0.3) WITHIN GROUP (ORDER BY i DESC) FROM o GROUP BY g;
SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY t), percentile_disc(0.5) WITHIN GROUP (ORDER BY d), percentile_disc(0.75) WITHIN GROUP (ORDER BY n) FROM o GROUP BY g;
SELECT g, fr, percentile_cont(fr) WITHIN GROUP (ORDER BY f), percentile_disc(fr / 2) WITHIN GROUP (ORDER BY i) FROM o GROUP BY g, fr;
SELECT g, percentile_cont(g / 2.0) WITHIN GROUP (ORDER BY f) FROM o WHERE g < 3 GROUP BY g;
SELECT percentile_cont(NULL) WITHIN GROUP (ORDER BY f), percentile_disc(NULL::float8) WITHIN GROUP (ORDER BY t) FROM o;
SELECT g, percentile_disc(g - 0.5) WITHIN GROUP (ORDER BY i) FROM o GROUP BY g;
SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY x) FROM e;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x), percentile_disc(0.5) WITHIN GROUP (ORDER BY y), mode() WITHIN GROUP (ORDER BY y) FROM e WHERE y < 0;
SELECT g, mode() WITHIN GROUP (ORDER BY i), mode() WITHIN GROUP (ORDER BY i DESC), mode() WITHIN GROUP (ORDER BY t), mode() WITHIN GROUP (ORDER BY d DESC), mode() WITHIN GROUP (ORDER BY f) FROM o GROUP BY g;
SELECT mode() WITHIN GROUP (ORDER BY i % 3), mode() WITHIN GROUP (ORDER BY lower(t)), mode() WITHIN GROUP (ORDER BY g) FROM o;
SELECT g, percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FILTER (WHERE i > 5), mode() WITHIN GROUP (ORDER BY i) FILTER (WHERE t <> 'b') FROM o GROUP BY g;
SELECT rank(10) WITHIN GROUP (ORDER BY i), dense_rank(10) WITHIN GROUP (ORDER BY i), percent_rank(10) WITHIN GROUP (ORDER BY i), cume_dist(10) WITHIN GROUP (ORDER BY i) FROM o;
SELECT g, rank(8) WITHIN GROUP (ORDER BY i), dense_rank(8) WITHIN GROUP (ORDER BY i), percent_rank(8) WITHIN GROUP (ORDER BY i), cume_dist(8) WITHIN GROUP (ORDER BY i) FROM o GROUP BY g;
SELECT g, rank(8) WITHIN GROUP (ORDER BY i DESC), dense_rank(8) WITHIN GROUP (ORDER BY i DESC NULLS LAST), percent_rank(8) WITHIN GROUP (ORDER BY i NULLS FIRST), cume_dist(8) WITHIN GROUP (ORDER BY i DESC) FROM o GROUP BY g;
SELECT rank(NULL) WITHIN GROUP (ORDER BY i), dense_rank(NULL) WITHIN GROUP (ORDER BY i), percent_rank(NULL) WITHIN GROUP (ORDER BY i NULLS FIRST), cume_dist(NULL) WITHIN GROUP (ORDER BY i) FROM o;
SELECT g, rank(7, 'b') WITHIN GROUP (ORDER BY i, t), dense_rank(7, 'b') WITHIN GROUP (ORDER BY i, t DESC), percent_rank('b', 2.5) WITHIN GROUP (ORDER BY t, n), cume_dist(20, 'c', 3) WITHIN GROUP (ORDER BY i, t, f) FROM o GROUP BY g;
SELECT g, rank(g * 7) WITHIN GROUP (ORDER BY i), cume_dist(g::float8) WITHIN GROUP (ORDER BY f) FROM o GROUP BY g;
SELECT rank(1) WITHIN GROUP (ORDER BY y), dense_rank(1) WITHIN GROUP (ORDER BY y), percent_rank(1) WITHIN GROUP (ORDER BY y), cume_dist(1) WITHIN GROUP (ORDER BY y) FROM e;
SELECT g, rank(8) WITHIN GROUP (ORDER BY i) FILTER (WHERE i <> 7) FROM o GROUP BY g;
SELECT g, percentile_cont(0.5) WITHIN GROUP (ORDER BY f), mode() WITHIN GROUP (ORDER BY i), rank(8) WITHIN GROUP (ORDER BY i) FROM o GROUP BY ROLLUP (g);
SELECT g, fr, percentile_disc(coalesce(fr, 0.5)) WITHIN GROUP (ORDER BY i) FROM o GROUP BY GROUPING SETS ((g, fr), (g), (fr), ());
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s) FROM (SELECT g, sum(i) AS s FROM o GROUP BY g) x;
SELECT g, percentile_disc(0.5) WITHIN GROUP (ORDER BY i) * 2 + count(*) FROM o GROUP BY g HAVING percentile_disc(0.5) WITHIN GROUP (ORDER BY i) > 5;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY t COLLATE "C" DESC) FROM o;
SELECT percentile_cont(ARRAY[0, 0.25, 0.5, 0.75, 1]::float8[]) WITHIN GROUP (ORDER BY f) FROM o;
SELECT g, percentile_cont('{0.5,NULL,1}'::float8[]) WITHIN GROUP (ORDER BY f), percentile_disc('{{0.5,0},{1,NULL}}'::float8[]) WITHIN GROUP (ORDER BY t), percentile_disc('[2:3]={0.1,0.9}'::float8[]) WITHIN GROUP (ORDER BY i) FROM o GROUP BY g;
SELECT percentile_cont('{}'::float8[]) WITHIN GROUP (ORDER BY f), percentile_disc('{}'::float8[]) WITHIN GROUP (ORDER BY t) FROM o;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x), percentile_disc(0.5) WITHIN GROUP (ORDER BY y), mode() WITHIN GROUP (ORDER BY y), percentile_cont('{2}'::float8[]) WITHIN GROUP (ORDER BY x) FROM e WHERE y < 0;
SELECT percentile_cont('{0.5,1.5}'::float8[]) WITHIN GROUP (ORDER BY x) FROM e;
@changes
INSERT INTO e VALUES (1, 1), (2, 2), (NULL, 3), (2, 4);
UPDATE o SET i = i + 1;
UPDATE o SET f = NULL WHERE g = 1;
INSERT INTO o SELECT 100 + k, k % 4, k * 7 % 13, k * 3 % 17, k / 8.0, chr(97 + k % 5), date '2024-01-01' + k % 6, 0.25 FROM generate_series(1, 60) k;
UPDATE o SET fr = 0.75 WHERE id > 130;
DELETE FROM o WHERE id % 3 = 0;
UPDATE o SET i = 8, t = 'b';
UPDATE o SET i = id % 7, f = 'Infinity' WHERE id % 5 = 0;
UPDATE o SET f = id;
DELETE FROM o WHERE g = 2;
UPDATE o SET g = NULL;
DELETE FROM e;
UPDATE o SET i = NULL, f = NULL, t = NULL, n = NULL, d = NULL;
DELETE FROM o;
INSERT INTO o VALUES (1, 1, 10, 1.5, 1.5, 'b', '2024-01-01', 0.5);
