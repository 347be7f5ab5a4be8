-- min and max of the types that have an order; a label added while views are live.
@schema
CREATE TYPE size AS ENUM ('small', 'medium', 'large');
CREATE TABLE mm(id int PRIMARY KEY, k int, e size, i interval, t time, z timetz, o oid, a inet, mo money, ar int[], tx text COLLATE "und-x-icu");
INSERT INTO mm SELECT g, g % 3, (ARRAY['small','medium','large'])[1 + g % 3]::size, make_interval(hours => g * 7, days => g % 4), time '00:00' + make_interval(mins => g * 37 % 1440), '10:00+00'::timetz + make_interval(mins => g * 91), g * 1000, ('10.0.' || g || '.' || g * 3 % 256)::inet, g * 1.5, ARRAY[g % 5, g], CASE g % 3 WHEN 0 THEN 'z' ELSE 'Ä' || g END FROM generate_series(1, 30) g;
@queries
SELECT k, min(e), max(e) FROM mm GROUP BY k;
SELECT extract(epoch FROM min(i)), extract(epoch FROM max(i)), min(t), max(t), min(z), max(z) FROM mm;
SELECT k, min(o), max(o), min(a), max(a), min(mo), max(mo) FROM mm GROUP BY k;
SELECT min(ar), max(ar), min(tx), max(tx) FROM mm;
SELECT e, count(*), sum(i) FROM mm GROUP BY e;
SELECT id, e FROM mm ORDER BY e DESC, id LIMIT 4;
SELECT DISTINCT e FROM mm WHERE e > 'small';
@changes
DELETE FROM mm WHERE id > 25;
UPDATE mm SET e = 'small' WHERE k = 2;
UPDATE mm SET e = NULL, i = NULL, t = NULL, z = NULL, a = NULL, mo = NULL, ar = NULL WHERE k = 1;
ALTER TYPE size ADD VALUE 'tiny' BEFORE 'small';
UPDATE mm SET e = 'tiny' WHERE k = 2 AND id < 9;
UPDATE mm SET i = -i, ar = ar || 7, tx = upper(tx);
DELETE FROM mm;
