-- Collations of ICU: order, case, equality that is not that of bytes. Incremental where the server's
-- ICU has the rules of the daemon's; another server's are not followed.
@schema
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION numeric_order (provider = icu, locale = 'en-u-kn-true');
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION noaccent (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TABLE co(id int PRIMARY KEY, g text COLLATE german, n varchar(20) COLLATE numeric_order, i text COLLATE nocase, a text COLLATE noaccent, p char(6) COLLATE nocase, t text[] COLLATE nocase, u text COLLATE "und-x-icu");
INSERT INTO co VALUES
 (1, 'Ärger', 'a10', 'Hello', 'resume', 'abc', '{a,B}', 'straße'), (2, 'Zebra', 'a9', 'hello', 'résumé', 'ABC', '{A,b}', 'STRASSE'),
 (3, 'Apfel', 'a100', 'HELLO', 'Résume', 'abd ', '{a}', 'i'), (4, 'öl', 'b1', 'world', 'x', 'AbC', NULL, 'ﬁ'), (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (6, 'Oz', '', '', '', '', '{}', ''), (7, 'ä', 'a009', 'World', 'X', 'x', '{NULL}', 'İstanbul');
@queries
SELECT * FROM co;
any: SELECT id, g FROM co ORDER BY g, id LIMIT 6;
any: SELECT id, n FROM co ORDER BY n DESC, id LIMIT 6;
any: SELECT id, u FROM co ORDER BY u, id LIMIT 6;
any: SELECT count(*) FROM co GROUP BY i;
any: SELECT count(*), min(id) FROM co GROUP BY a;
any: SELECT count(*), max(id) FROM co GROUP BY p;
any: SELECT count(*), max(id) FROM co GROUP BY t;
any: SELECT count(DISTINCT i), count(DISTINCT a), count(DISTINCT p) FROM co;
any: SELECT id, i = 'hello', i <> 'WORLD', i < 'HELLP', a = 'RESUME', p = 'abc', p > 'ABB', i IN ('WORLD', '') FROM co;
any: SELECT x.id, y.id FROM co x JOIN co y ON x.i = y.i;
any: SELECT x.id, y.id FROM co x JOIN co y ON x.a = y.a AND x.id < y.id;
any: SELECT id, i FROM co ORDER BY i, id LIMIT 5;
any: SELECT id, upper(g), lower(g), upper(u), lower(u) FROM co;
any: SELECT id, g < 'B', n > 'a10', u = 'STRASSE' FROM co;
any: SELECT min(g), max(g), min(n), max(n) FROM co;
any: SELECT id, i IS DISTINCT FROM 'HELLO', nullif(i, 'hello') FROM co;
any: SELECT id, CASE i WHEN 'HELLO' THEN 1 ELSE 0 END FROM co;
any: SELECT id, g ILIKE 'Ä%', u LIKE '%s%' FROM co;
any: SELECT g FROM co UNION SELECT 'Apfel' COLLATE german;
any: SELECT id, coalesce(i, 'none'), greatest(n, 'a20') FROM co;
@changes
UPDATE co SET i = 'HeLLo', a = 'Resumé' WHERE id = 1;
DELETE FROM co WHERE id = 2;
INSERT INTO co(id, g, n, i, a, p) SELECT 10 + g, 'ü' || g, 'a' || g * 7, CASE WHEN g % 2 = 0 THEN 'WORLD' ELSE 'hELLO' END, 'é' || g % 2, 'Z' || g % 3 FROM generate_series(1, 6) g;
UPDATE co SET i = upper(i), p = lower(p), t = '{b,A}' WHERE id < 6;
DELETE FROM co WHERE id IN (3, 11, 12);
UPDATE co SET i = NULL WHERE id = 4;
DELETE FROM co;
