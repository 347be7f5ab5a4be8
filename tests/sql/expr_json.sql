-- Postgres's chapter on JSON: access, containment, existence, paths, construction, modification,
-- comparison and grouping of jsonb, set-returning and aggregate functions.
@schema
CREATE TABLE ej(id int PRIMARY KEY, j jsonb, k jsonb, x json, t text, n int, p text[]);
INSERT INTO ej VALUES (1, '{"a": 1, "b": {"c": [1, 2, {"d": null}]}, "s": "x"}', '{"a": 1}', '{"z" : 1, "a": [1,  2]}', 'a', 0, '{b,c,0}'), (2, '[1, "two", null, true, {"k": 2.50}]', '[1]', '[]', 'k', 1, '{4,k}'), (3, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '"scalar"', 'null', '"s"', 's', -1, '{}'), (5, '{}', '[]', '{}', '', 5, '{a}'), (6, '{"a": 1.0, "b": {"c": []}, "s": "é \" \\"}', '{"a": 1, "b": {}}', 'null', 'b', 2, '{b,c}'), (7, '{"a": "1", "items": [{"q": 1, "p": 2.5}, {"q": 3, "p": 1}]}', '{"a": "1"}', '{"a": {"b": 1.10}}', 'items', 0, '{items,1,p}');
@queries
SELECT * FROM ej;
SELECT id, j -> 'a', j ->> 'a', j -> t, j ->> t, j -> 0, j ->> n, j -> -1 FROM ej;
SELECT id, j #> '{b,c}', j #>> '{b,c,0}', j #> p, j #>> p FROM ej;
SELECT id, j['a'], j['b']['c'], j['items'][0]['q'] FROM ej;
SELECT id, x -> 'a', x ->> 'a', x #> '{a,b}', x #>> '{a}', x -> 0 FROM ej;
SELECT id, j @> k, k <@ j, j @> '{"b": {}}', j @> '[1]', j @> '"scalar"' FROM ej;
SELECT id, j ? 'a', j ?| '{a,two}', j ?& '{a,b}', j ? t FROM ej;
SELECT id, j = k, j < k, j > '{}', j <> 'null', j = '{"a": 1}' FROM ej;
SELECT id, j || k, j || '{"new": true}', j - 'a', j - 0, j - '{a,s}'::text[], j #- '{b,c}' FROM ej WHERE id NOT IN (4, 5);
SELECT id, (j ->> 'a')::numeric, (j -> 'a')::int FROM ej WHERE id IN (1, 6);
SELECT id, j ->> 's' || 'x', length(j ->> 's'), upper(j #>> '{b,c,0}') FROM ej;
SELECT id, jsonb_typeof(j), jsonb_typeof(j -> 'a'), json_typeof(x) FROM ej;
SELECT id, jsonb_array_length(j) FROM ej WHERE jsonb_typeof(j) = 'array';
SELECT id, jsonb_extract_path(j, 'b', 'c'), jsonb_extract_path_text(j, 'a'), json_extract_path_text(x, 'a', 'b') FROM ej;
SELECT id, j @? '$.b.c[*]', j @@ '$.a == 1', jsonb_path_exists(j, '$.items[*] ? (@.q > 2)'), jsonb_path_match(j, 'exists($.a)') FROM ej WHERE id <> 3;
SELECT id, jsonb_path_query_first(j, '$.items[*].p'), jsonb_path_query_array(j, '$.b.c[*]'), jsonb_path_query_array(j, '$.** ? (@ == 1)') FROM ej;
SELECT id, jsonb_set(j, '{a}', '5'), jsonb_set(j, '{new}', '[1]', true), jsonb_insert(j, '{b,new}', '1') FROM ej WHERE id IN (1, 6);
SELECT id, jsonb_strip_nulls(j), jsonb_pretty(j), json_strip_nulls(x) FROM ej;
SELECT id, jsonb_build_object('id', id, 't', t, 'n', n), jsonb_build_array(id, t, NULL, n), json_build_object('a', id), json_build_array(t) FROM ej;
SELECT id, to_jsonb(t), to_jsonb(n), to_json(p), to_jsonb(j), to_jsonb(ROW(id, t)) FROM ej;
SELECT id, row_to_json(ROW(id, t)), jsonb_object(ARRAY['a', t], ARRAY['1', n::text]), json_object(p) FROM ej WHERE id IN (5, 2) AND t <> 'a' AND cardinality(p) = 2;
SELECT id, j::text, k::text, x::text, t::jsonb IS NULL, x::jsonb, j::json FROM ej WHERE t IS NULL OR t = 'zzz';
SELECT id, x::jsonb, x::text, j::json FROM ej;
SELECT j -> 'a', count(*) FROM ej WHERE id <> 6 GROUP BY j -> 'a';
SELECT j, count(*) FROM ej WHERE id <> 6 GROUP BY j;
SELECT j ->> 'a' AS a, sum(n) FROM ej GROUP BY a HAVING count(*) > 0 ORDER BY a;
SELECT jsonb_typeof(j), count(*), sum(n) FROM ej GROUP BY 1;
SELECT id, j FROM ej ORDER BY j, id;
SELECT DISTINCT k FROM ej WHERE id <> 2;
SELECT a.id, b.id FROM ej a JOIN ej b ON a.k = b.k;
SELECT a.id, b.id FROM ej a JOIN ej b ON a.j @> b.k;
SELECT a.id, b.id FROM ej a LEFT JOIN ej b ON a.j -> 'a' = b.k -> 'a' AND a.id <> b.id;
SELECT id, e FROM ej, jsonb_array_elements(j) e WHERE jsonb_typeof(j) = 'array';
SELECT id, key, value FROM ej, jsonb_each(CASE WHEN jsonb_typeof(j) = 'object' THEN j ELSE '{}' END);
SELECT id, key, value FROM ej LEFT JOIN LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(k) = 'object' THEN k END) ON true;
SELECT key, count(*) FROM ej, jsonb_object_keys(CASE WHEN jsonb_typeof(j) = 'object' THEN j ELSE '{}' END) key GROUP BY key;
SELECT id, i ->> 'q' AS q, (i ->> 'p')::numeric AS p FROM ej, jsonb_array_elements(j -> 'items') i;
SELECT id, sum((i ->> 'q')::int * (i ->> 'p')::numeric) FROM ej, jsonb_array_elements(j -> 'items') i GROUP BY id;
rerun: SELECT id, q, r.p FROM ej, jsonb_to_recordset(j -> 'items') AS r(q int, p numeric);
rerun: SELECT id, a, s FROM ej, jsonb_to_record(CASE WHEN jsonb_typeof(j) = 'object' THEN j END) AS r(a text, s text);
rerun: SELECT id, jsonb_path_query(j, '$.items[*].q') FROM ej;
SELECT id, v FROM ej, jsonb_array_elements_text(k) v WHERE jsonb_typeof(k) = 'array';
rerun: SELECT jsonb_agg(n ORDER BY id), json_agg(t ORDER BY id), jsonb_object_agg(id, n), json_object_agg(id, t ORDER BY id) FROM ej;
rerun: SELECT t, jsonb_agg(j -> 'a' ORDER BY id) FROM ej GROUP BY t;
rerun: SELECT jsonb_agg(x) FROM (SELECT id, t FROM ej ORDER BY id) x WHERE id < 3;
SELECT id, (SELECT count(*) FROM jsonb_object_keys(j)) FROM ej WHERE jsonb_typeof(j) = 'object';
rerun: SELECT id, (SELECT jsonb_agg(e ORDER BY o DESC) FROM jsonb_array_elements(j) WITH ORDINALITY a(e, o)) FROM ej WHERE jsonb_typeof(j) = 'array';
SELECT id FROM ej WHERE (j ->> 'a')::int = 1;
SELECT id, (j ->> 's')::int FROM ej;
@changes
UPDATE ej SET j = k, k = j;
UPDATE ej SET j = '{"a": 2, "s": "12", "items": [{"q": 5}]}' WHERE id = 4;
UPDATE ej SET j = jsonb_set(j, '{a}', '1') WHERE id = 7;
UPDATE ej SET j = '{"s": "7"}' WHERE id IN (1, 6, 7);
UPDATE ej SET k = '{"a": 1.00}' WHERE id = 2;
INSERT INTO ej SELECT 10 + g, jsonb_build_object('a', g % 3, 'items', jsonb_build_array(jsonb_build_object('q', g, 'p', g / 2.0))), jsonb_build_object('a', g % 2), '{}', CASE g % 2 WHEN 0 THEN 'a' ELSE 'items' END, g, '{items,0,q}' FROM generate_series(1, 6) g;
UPDATE ej SET n = NULL WHERE id > 13;
UPDATE ej SET j = j || '{"a": "one"}' WHERE id = 11;
DELETE FROM ej WHERE id < 12;
DELETE FROM ej;
