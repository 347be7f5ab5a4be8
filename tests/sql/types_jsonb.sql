-- jsonb: equality and order, looking into it, constants, casts; json passes through.
@schema
CREATE TABLE jb(id int PRIMARY KEY, b jsonb, j json);
INSERT INTO jb VALUES
 (1, '{"a": 1.0, "b": [1, 2, {"c": "x"}], "s": "té\"x\\ \u0001 tab\t"}', '{"a" : 1,  "a": 2}'),
 (2, '{"b": [1.00, 2, {"c": "x"}], "a": 1, "s": "té\"x\\ \u0001 tab\t"}', '[ ]'),
 (3, '[1, "a", null, true]', '1'), (4, '"a"', '"x"'), (5, '1', 'null'), (6, '1.0', '1'), (7, 'null', NULL), (8, NULL, '{}'),
 (9, '[]', '[1]'), (10, '{}', '{}'), (11, 'true', 'true'), (12, '[1]', '[]'), (13, '{"a": {"b": {"c": [10, 20]}}, "k": "v"}', NULL),
 (14, '"b"', NULL), (15, 'false', NULL), (16, '[[1, 2], {"a": [1]}]', NULL), (17, '{"é": 1e3, "n": -0.50, "z": null}', NULL), (18, '123456789012345678901234567890.5', NULL);
@queries
SELECT * FROM jb;
SELECT count(*) FROM jb GROUP BY b;
SELECT count(DISTINCT b) FROM jb;
SELECT id, b FROM jb ORDER BY b, id LIMIT 17;
SELECT id, b FROM jb ORDER BY b DESC NULLS LAST, id LIMIT 12;
SELECT a.id, c.id FROM jb a JOIN jb c ON a.b = c.b;
SELECT a.id, c.id FROM jb a JOIN jb c ON a.b -> 'a' = c.b -> 'a' AND a.id < c.id;
SELECT id, b = '1', b <> '{"a": 1}', b < '[]', b > '"a"', b = '{"b":[1,2,{"c":"x"}],"a":1.000,"s":"té\"x\\ \u0001 tab\t"}' FROM jb;
SELECT id, b -> 'a', b ->> 'a', b -> 'b' -> 2 ->> 'c', b ->> 's', b -> 0, b ->> -1, b ->> 1, b -> 'missing' FROM jb;
SELECT id, b #> '{a,b,c,1}', b #>> '{a,b,c,-1}', b #> '{b,2}', b #>> '{1,a,0}', b #> '{}', b ->> 'é', b ->> 'z' FROM jb;
SELECT id, b @> '{"a": 1}', b @> '[1]', b @> '1', b <@ '{"a": 1, "b": [1, 2, 3, {"c": "x", "d": 1}], "s": "té\"x\\ \u0001 tab\t"}', b @> '{"b": [{"c": "x"}]}', b @> '[[2]]', b @> '{}' FROM jb;
SELECT id, b ? 'a', b ?| '{k,b}', b ?& '{a,b}', b ?| '{}', b ?& '{}' FROM jb;
SELECT id, jsonb_typeof(b) FROM jb;
SELECT jsonb_typeof(b), count(*) FROM jb GROUP BY jsonb_typeof(b);
SELECT id, jsonb_array_length(b) FROM jb WHERE jsonb_typeof(b) = 'array';
SELECT id, jsonb_array_length(b) FROM jb;
SELECT id, (b -> 'a')::int, (b ->> 'a')::numeric + 1 FROM jb WHERE jsonb_typeof(b -> 'a') = 'number';
SELECT id, b::int FROM jb WHERE jsonb_typeof(b) = 'number' AND id < 18;
SELECT id, b::numeric, b::float8 FROM jb WHERE jsonb_typeof(b) = 'number';
SELECT id, b::bool FROM jb WHERE jsonb_typeof(b) = 'boolean';
SELECT id, (b -> 'a')::int FROM jb;
SELECT id, b::text, coalesce(b, '{"none": true}') FROM jb;
SELECT b -> 'a' AS a, sum(id) FROM jb GROUP BY b -> 'a';
SELECT DISTINCT b -> 'b' FROM jb;
SELECT b FROM jb WHERE id < 5 UNION SELECT b FROM jb WHERE id > 3 EXCEPT SELECT '1';
SELECT id FROM jb WHERE b -> 'a' = '1' AND b ->> 's' LIKE 't%';
SELECT id FROM jb WHERE b IN ('1', '"a"', '[]');
@changes
UPDATE jb SET b = b;
UPDATE jb SET b = '{"a": "text"}' WHERE id = 2;
UPDATE jb SET b = '{"a": 5}' WHERE id = 2;
UPDATE jb SET b = '1.00' WHERE id IN (4, 7);
INSERT INTO jb SELECT 100 + g, jsonb_build_object('a', g % 3, 'b', jsonb_build_array(g % 2, g)), NULL FROM generate_series(1, 10) g;
UPDATE jb SET b = b || '{"x": 1}' WHERE id > 105;
UPDATE jb SET b = '{"a": {"deep": 1}}' WHERE id = 101;
DELETE FROM jb WHERE id IN (3, 13, 101);
DELETE FROM jb WHERE jsonb_typeof(b) <> 'array';
DELETE FROM jb;
