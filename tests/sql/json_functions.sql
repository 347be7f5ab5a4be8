-- SQL/JSON of Postgres 17.
@since 17
@schema
CREATE TABLE jt (id int PRIMARY KEY, t text, j jsonb);
INSERT INTO jt VALUES (1, '{"a": 1, "b": "x"}', '{"a": 1, "l": [1, 2]}'), (2, 'no', '[]'), (3, NULL, NULL), (4, '[1,1]', '{"a": "q"}');
@queries
SELECT id, t IS JSON AS i, t IS JSON OBJECT AS o, t IS NOT JSON ARRAY AS na, t IS JSON WITH UNIQUE KEYS AS u, j IS JSON SCALAR AS s FROM jt;
SELECT id, JSON_OBJECT('k' VALUE id, 't': t) AS o, JSON_OBJECT('k' : j ABSENT ON NULL RETURNING jsonb) AS ob, JSON_ARRAY(id, t) AS a, JSON_ARRAY(id, t NULL ON NULL RETURNING jsonb) AS an FROM jt;
SELECT id, JSON_SCALAR(id) AS s, JSON_SERIALIZE(j) AS ser, JSON('{"x": 1}') AS jj FROM jt;
SELECT id, JSON_EXISTS(j, '$.a') AS e, JSON_VALUE(j, '$.a') AS v, JSON_VALUE(j, '$.a' RETURNING int DEFAULT -1 ON EMPTY DEFAULT -2 ON ERROR) AS vi, JSON_QUERY(j, '$.l') AS q, JSON_QUERY(j, '$.l[*]' WITH WRAPPER) AS w, JSON_QUERY(j, 'strict $.a' OMIT QUOTES) AS oq FROM jt;
SELECT id, JSON_VALUE(j, '$.l[$i]' PASSING id AS i) AS p FROM jt;
@changes
INSERT INTO jt VALUES (5, '"s"', '{"l": [7]}');
UPDATE jt SET t = '1', j = '{"a": 5, "l": []}' WHERE id = 2;
DELETE FROM jt WHERE id < 3;
