-- SEARCH and CYCLE clauses of WITH RECURSIVE.
@schema
CREATE TABLE node(id int PRIMARY KEY, parent int, name text, rank numeric);
CREATE TABLE edge(id int PRIMARY KEY, a int, b int, tag text);
INSERT INTO node VALUES (1, NULL, 'root', 1), (2, 1, 'b "x"', 2.5), (3, 1, 'a, c', 2.50), (4, 2, 'd', NULL), (5, 2, '', 7), (6, 3, NULL, 0), (7, 6, 'g (h)', 1), (8, NULL, 'other\', 3);
INSERT INTO edge VALUES (1, 1, 2, 'x'), (2, 2, 3, 'y'), (3, 3, 1, 'z'), (4, 3, 4, NULL), (5, 4, 4, 'self'), (6, 2, 3, 'again'), (7, NULL, 1, 'n'), (8, 5, NULL, 'm');
@queries
WITH RECURSIVE t(id, name) AS (SELECT id, name FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.name FROM node n JOIN t ON n.parent = t.id) SEARCH DEPTH FIRST BY id SET o SELECT id, name, o FROM t;
WITH RECURSIVE t(id, name) AS (SELECT id, name FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.name FROM node n JOIN t ON n.parent = t.id) SEARCH DEPTH FIRST BY id SET o SELECT id, name FROM t ORDER BY o;
WITH RECURSIVE t(id, name) AS (SELECT id, name FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.name FROM node n JOIN t ON n.parent = t.id) SEARCH DEPTH FIRST BY name, id SET o SELECT id FROM t ORDER BY o;
WITH RECURSIVE t(id, name) AS (SELECT id, name FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.name FROM node n JOIN t ON n.parent = t.id) SEARCH BREADTH FIRST BY id SET o SELECT id, name, o FROM t ORDER BY o;
WITH RECURSIVE t(id, rank) AS (SELECT id, rank FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.rank FROM node n JOIN t ON n.parent = t.id) SEARCH BREADTH FIRST BY rank, id SET o SELECT id FROM t ORDER BY o DESC;
WITH RECURSIVE t(id, rank) AS (SELECT id, rank FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.rank FROM node n JOIN t ON n.parent = t.id) SEARCH DEPTH FIRST BY rank, id SET o SELECT id, row_number() OVER (ORDER BY o) FROM t;
WITH RECURSIVE t(id, name) AS (SELECT id, name FROM node WHERE parent IS NULL UNION ALL SELECT n.id, n.name FROM node n JOIN t ON n.parent = t.id) SEARCH DEPTH FIRST BY id SET o SELECT id, name FROM t ORDER BY o LIMIT 3 OFFSET 1;
WITH RECURSIVE g(a, b) AS (SELECT a, b FROM edge UNION ALL SELECT g.a, e.b FROM g JOIN edge e ON e.a = g.b) CYCLE a, b SET c USING p SELECT * FROM g;
WITH RECURSIVE g(a, b) AS (SELECT a, b FROM edge WHERE id < 5 UNION ALL SELECT e.a, e.b FROM g JOIN edge e ON e.a = g.b) CYCLE a, b SET c TO 'Y' DEFAULT 'N' USING p SELECT a, b, c, p FROM g;
WITH RECURSIVE g(at) AS (SELECT 1 UNION ALL SELECT e.b FROM g JOIN edge e ON e.a = g.at) CYCLE at SET c USING p SELECT at, p FROM g WHERE NOT c;
WITH RECURSIVE g(at) AS (SELECT 1 UNION SELECT e.b FROM g JOIN edge e ON e.a = g.at) CYCLE at SET c USING p SELECT at, c, p FROM g;
WITH RECURSIVE g(at, n) AS (SELECT 1, 0 UNION ALL SELECT e.b, n + 1 FROM g, edge e WHERE e.a = g.at) CYCLE at SET c TO 1 DEFAULT 0 USING p SELECT at, n, c FROM g;
WITH RECURSIVE g(at, tag) AS (SELECT 1, 'start' UNION ALL SELECT e.b, e.tag FROM g JOIN edge e ON e.a = g.at) SEARCH DEPTH FIRST BY at, tag SET o CYCLE at SET c USING p SELECT at, tag, o, c, p FROM g ORDER BY o, c;
WITH RECURSIVE g(at, tag) AS (SELECT 1, 'start' UNION ALL SELECT e.b, e.tag FROM g JOIN edge e ON e.a = g.at) SEARCH BREADTH FIRST BY at SET o CYCLE at SET c USING p SELECT at, o, c, p FROM g;
WITH RECURSIVE g(at) AS (SELECT 1 UNION ALL SELECT e.b FROM g JOIN edge e ON e.a = g.at) CYCLE at SET c USING p SELECT p, count(*) FROM g GROUP BY p;
WITH RECURSIVE g(at) AS (SELECT 1 UNION ALL SELECT e.b FROM g JOIN edge e ON e.a = g.at) CYCLE at SET c USING p SELECT max(cardinality(p)) FROM g;
WITH RECURSIVE g(at) AS (SELECT 1 UNION ALL SELECT e.b FROM g JOIN edge e ON e.a = g.at) CYCLE at SET c USING p SELECT x.at, y.at FROM g x JOIN g y ON x.p = y.p AND x.at IS NOT NULL;
WITH RECURSIVE g(at, d) AS (SELECT 1, 0 UNION ALL SELECT e.b, d + 1 FROM g JOIN edge e ON e.a = g.at WHERE d < 3) SEARCH BREADTH FIRST BY at SET o SELECT at, d FROM g ORDER BY o, at;
WITH RECURSIVE g(at, d) AS (SELECT 1, 0 UNION ALL SELECT l.b, d + 1 FROM g, LATERAL (SELECT b FROM edge e WHERE e.a = g.at ORDER BY id LIMIT 1) l) CYCLE at SET c USING p SELECT at, d, c, p FROM g;
@changes
INSERT INTO node VALUES (9, 7, 'deep', 2), (10, 8, 'b', 2);
UPDATE node SET name = 'z' WHERE id = 2;
UPDATE node SET parent = 5 WHERE id = 3;
UPDATE node SET rank = 2.500 WHERE id = 4;
DELETE FROM edge WHERE id = 3;
INSERT INTO edge VALUES (9, 4, 1, 'back'), (10, 1, 3, 'skip');
UPDATE edge SET b = 5 WHERE id = 8;
UPDATE edge SET tag = NULL WHERE id = 1;
DELETE FROM edge WHERE id IN (2, 5);
DELETE FROM node WHERE id = 1;
DELETE FROM edge;
INSERT INTO edge VALUES (1, 1, 1, 'loop');
