-- Types, functions and operators of extensions: nothing of them is known here.
@schema
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION ltree;
CREATE EXTENSION fuzzystrmatch;
CREATE EXTENSION intarray;
CREATE TABLE xt (id int PRIMARY KEY, c citext, h hstore, t text, l ltree, a int[]);
INSERT INTO xt VALUES (1, 'Abc', 'a=>1, b=>NULL', 'a word or two', 'top.science.physics', '{3,1,2}'),
 (2, 'aBC', '', 'words', 'top', '{}'), (3, NULL, NULL, NULL, NULL, NULL), (4, 'xyz', '"k k"=>"v,v"', 'wurd', 'top.art', '{5}');
@queries
SELECT id, c = 'ABC' AS eq, c <> 'x' AS ne, c < 'b' AS lt, c || 'x' AS cat, c LIKE 'a%' AS lk, c::text AS t, lower(c) AS l FROM xt;
SELECT x.id, y.id AS yid FROM xt x JOIN xt y ON x.c = y.c AND x.id < y.id;
SELECT id, c IS DISTINCT FROM 'abc' AS d, nullif(c, 'ABC') AS n, greatest(c, 'b') AS g, c IN ('ABC', 'XYZ') AS i FROM xt;
SELECT id, regexp_replace(c, 'B', '-') AS r, replace(c, 'B', '+') AS rp, strpos(c, 'B') AS p FROM xt;
SELECT id, h -> 'a' AS a, h ? 'b' AS b, h || 'c=>1' AS cat, akeys(h) AS k, h @> 'a=>1' AS has, hstore_to_jsonb(h) AS j, delete(h, 'a') AS del FROM xt;
SELECT id FROM xt WHERE h ?| ARRAY['a', 'k k'] AND h <> 'x=>y'::hstore;
SELECT h, id FROM xt ORDER BY t, id;
SELECT ARRAY[h, 'z=>9'] AS hs, h FROM xt;
SELECT id, similarity(t, 'word') AS s, show_trgm(t) AS tr, word_similarity('word', t) AS w FROM xt;
SELECT id, l <@ 'top.science' AS under, nlevel(l) AS n, subpath(l, 0, 1) AS root, l ~ '*.art' AS art, l || 'x' AS cat FROM xt;
SELECT id, levenshtein(t, 'word') AS lev, soundex(t) AS sx, metaphone(t, 5) AS m FROM xt;
SELECT id, sort(a) AS s, a + 7 AS plus, a @@ '1&(2|9)'::query_int AS q, idx(a, 2) AS i FROM xt;
SELECT count(*), similarity(t, 'word') > 0.4 AS close FROM xt GROUP BY 2;
rerun: SELECT c, count(*) FROM xt GROUP BY c;
rerun: SELECT id, t % 'word' AS near FROM xt;
@changes
INSERT INTO xt VALUES (5, 'ABC', 'a=>2', 'word', 'top.science.art', '{1,2,2}');
UPDATE xt SET c = 'XYZ', l = 'a.b.c' WHERE id = 2;
UPDATE xt SET h = h || 'b=>3', t = t || ' word' WHERE id <> 3;
DELETE FROM xt WHERE id = 1;
UPDATE xt SET id = id + 10;
DELETE FROM xt;
