-- DISTINCT ON: one row of each group of equals, the first by the statement's order.
-- Orders are total within a group wherever what is shown depends on it.
@schema
CREATE TABLE v(id int PRIMARY KEY, who text, at timestamp, score numeric, kind char(4), f float8);
CREATE TABLE w(id int PRIMARY KEY, who text, rank int);
INSERT INTO v VALUES (1, 'a', '2020-01-01 10:00', 1.0, 'x', 0), (2, 'a', '2020-01-02 10:00', 1.00, 'x ', '-0'),
 (3, 'b', NULL, 2, 'y', 'NaN'), (4, 'b', '2020-01-01 10:00', NULL, NULL, 'NaN'), (5, NULL, '2021-01-01', 3, 'y', NULL),
 (6, NULL, '2020-05-01', 1.000, 'z', 1), (7, 'c', NULL, NULL, NULL, NULL), (8, 'a', NULL, -1, 'x', 5);
INSERT INTO w VALUES (1, 'a', 1), (2, 'b', NULL), (3, 'd', 3), (4, 'a', 2), (5, NULL, 1);
@queries
SELECT DISTINCT ON (who) * FROM v ORDER BY who, id;
SELECT DISTINCT ON (who) * FROM v ORDER BY who, id DESC;
SELECT DISTINCT ON (who) who, at, id FROM v ORDER BY who, at DESC NULLS LAST, id;
SELECT DISTINCT ON (who) who, at, id FROM v ORDER BY who DESC NULLS LAST, at NULLS FIRST, id;
SELECT DISTINCT ON (who, kind) who, kind, id FROM v ORDER BY who, kind, id;
SELECT DISTINCT ON (kind, who) who, kind, id FROM v ORDER BY who, kind, id DESC;
SELECT DISTINCT ON (score) id, score FROM v ORDER BY score, id;
SELECT DISTINCT ON (score) id FROM v ORDER BY score DESC, id DESC;
SELECT DISTINCT ON (f) f = 0, id FROM v ORDER BY f, id;
SELECT DISTINCT ON (kind) id FROM v ORDER BY kind NULLS FIRST, score, id;
SELECT DISTINCT ON (id % 3) id % 3, id FROM v ORDER BY id % 3, id DESC;
SELECT DISTINCT ON (1) id FROM v ORDER BY id;
SELECT DISTINCT ON (who IS NULL, score > 1) id, who, score FROM v ORDER BY who IS NULL, score > 1, id;
SELECT DISTINCT ON (who) who FROM v;
SELECT DISTINCT ON (who, id) who, id FROM v;
SELECT DISTINCT ON (id) id, score FROM v WHERE score > 0;
SELECT DISTINCT ON (who) who, id FROM v ORDER BY who, id LIMIT 2;
SELECT DISTINCT ON (who) who, id FROM v ORDER BY who, id LIMIT 2 OFFSET 1;
SELECT DISTINCT ON (who) who, id FROM v ORDER BY who NULLS FIRST, id DESC OFFSET 2;
SELECT DISTINCT ON (who) who, score FROM v ORDER BY who, score NULLS LAST, id FETCH FIRST 2 ROWS WITH TIES;
SELECT * FROM (SELECT DISTINCT ON (who) who, id, score FROM v ORDER BY who, id) x WHERE score > 1;
SELECT * FROM (SELECT DISTINCT ON (who) who, id, score FROM v ORDER BY who, id) x WHERE who = 'a';
SELECT * FROM (SELECT DISTINCT ON (who, kind) who, kind, id FROM v ORDER BY who, kind, id) x WHERE who = 'a' AND id > 1 AND kind = 'x';
SELECT x.who, w.rank FROM (SELECT DISTINCT ON (who) who, id FROM v ORDER BY who, id DESC) x JOIN w ON w.who = x.who;
SELECT x.who, x.id, w.rank FROM w LEFT JOIN (SELECT DISTINCT ON (who) who, id FROM v ORDER BY who, id DESC) x ON w.who = x.who;
SELECT count(*), sum(score) FROM (SELECT DISTINCT ON (who) score FROM v ORDER BY who, id) x;
SELECT kind, count(*) FROM (SELECT DISTINCT ON (who) kind FROM v ORDER BY who, id) x GROUP BY kind;
SELECT DISTINCT ON (who) who, count(*) FROM v GROUP BY who, kind ORDER BY who, count(*) DESC, kind;
SELECT DISTINCT ON (who) who, max(score), kind FROM v GROUP BY who, kind ORDER BY who, max(score) DESC NULLS LAST, kind;
SELECT DISTINCT ON (n) n, who FROM (SELECT who, count(*) AS n FROM v GROUP BY who) x ORDER BY n, who;
SELECT DISTINCT ON (v.who) v.who, v.id, w.rank FROM v JOIN w ON v.who = w.who ORDER BY v.who, w.rank DESC NULLS LAST, v.id;
SELECT DISTINCT ON (who) who, rank FROM (SELECT who, rank FROM w UNION ALL SELECT who, id FROM v) x ORDER BY who, rank;
(SELECT DISTINCT ON (who) who FROM v) EXCEPT SELECT who FROM w;
(SELECT DISTINCT ON (who) who, id FROM v ORDER BY who, id) UNION ALL (SELECT DISTINCT ON (who) who, id FROM w ORDER BY who, id DESC);
WITH last AS (SELECT DISTINCT ON (who) * FROM v ORDER BY who, at DESC NULLS LAST, id) SELECT a.id, b.id FROM last a, last b WHERE a.id < b.id;
SELECT DISTINCT ON (a.who) a.who, b.id FROM v a, v b WHERE a.id <> b.id AND a.kind = b.kind ORDER BY a.who, b.id, a.id;
SELECT DISTINCT ON (at) at, id FROM v ORDER BY at, id;
SELECT DISTINCT ON (date_trunc('year', at)) id FROM v ORDER BY date_trunc('year', at), id;
SELECT DISTINCT ON (upper(who)) upper(who), id FROM v ORDER BY upper(who), id;
@changes
UPDATE v SET score = 5 WHERE id = 1;
DELETE FROM v WHERE id = 2;
INSERT INTO v VALUES (9, 'A', '2020-01-01 10:00', 5.0, 'q', 0), (10, 'a', '2022-01-01', 5.00, NULL, 0), (0, 'b', '2000-01-01', 9, 'y', 2);
UPDATE v SET who = 'b' WHERE who = 'a';
UPDATE v SET who = NULL WHERE id IN (3, 7);
DELETE FROM v WHERE who IS NULL;
UPDATE v SET id = id + 100 WHERE id < 5;
INSERT INTO w VALUES (6, 'b', 7), (7, 'A', NULL);
UPDATE w SET rank = NULL WHERE who = 'a';
DELETE FROM v;
INSERT INTO v SELECT g, chr(97 + g % 5), timestamp '2020-01-01' + g % 7 * interval '1 day', g % 4, chr(120 + g % 3), g % 2 FROM generate_series(1, 60) g;
UPDATE v SET score = -score WHERE id % 3 = 0;
DELETE FROM v WHERE id % 5 = 2;
BEGIN; DELETE FROM v WHERE who = 'a'; INSERT INTO v VALUES (5, 'a', NULL, NULL, NULL, NULL); COMMIT;
TRUNCATE v;
TRUNCATE w;
