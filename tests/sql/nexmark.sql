-- The eight classic Nexmark queries over persons, auctions and bids, as statements about the tables
-- as they stand (Postgres has no streams: a window of time is a range of date_time against the last
-- bid's). nexmark_more(n) lets n events happen: of 50 one person, three auctions, the rest bids.
@schema
CREATE TABLE person(id bigint PRIMARY KEY, name text, email text, credit_card text, city text, state char(2), date_time timestamp, extra text);
CREATE TABLE auction(id bigint PRIMARY KEY, item_name text, description text, initial_bid bigint, reserve bigint, date_time timestamp, expires timestamp, seller bigint, category bigint, extra text);
CREATE TABLE bid(id bigint PRIMARY KEY, auction bigint, bidder bigint, price bigint, channel text, url text, date_time timestamp, extra text);
CREATE TABLE nexmark_at(n bigint);
INSERT INTO nexmark_at VALUES (0);
CREATE FUNCTION nexmark_pick(seed bigint, n bigint, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT ((hashint8extended(n, seed) % choices) + choices) % choices $$;
CREATE FUNCTION nexmark_more(events int) RETURNS void LANGUAGE sql AS $$ INSERT INTO person SELECT e / 50, ('{Ann,Bob,Cyd,Dan,Eve}'::text[])[1 + nexmark_pick(1, e, 5)], 'p' || e || '@x', lpad(nexmark_pick(2, e, 10000)::text, 4, '0'), ('{Phoenix,Portland,Boise,Bend,Kent}'::text[])[1 + nexmark_pick(3, e, 5)], ('{AZ,CA,ID,OR,WA}'::text[])[1 + nexmark_pick(4, e, 5)], timestamp '2024-01-01' + e * interval '1 s', '' FROM nexmark_at, generate_series(n, n + events - 1) e WHERE e % 50 = 0; INSERT INTO auction SELECT e / 50 * 3 + e % 50 - 1, 'item ' || nexmark_pick(5, e, 9), 'd', nexmark_pick(6, e, 100), nexmark_pick(7, e, 300), timestamp '2024-01-01' + e * interval '1 s', timestamp '2024-01-01' + (e + 20 + nexmark_pick(8, e, 60)) * interval '1 s', nexmark_pick(9, e, e / 50 + 1), 10 + nexmark_pick(10, e, 5), '' FROM nexmark_at, generate_series(n, n + events - 1) e WHERE e % 50 BETWEEN 1 AND 3; INSERT INTO bid SELECT e, greatest(e / 50 * 3 + 2 - nexmark_pick(11, e, 6), 0), nexmark_pick(12, e, e / 50 + 1), 1 + nexmark_pick(13, e, 500), ('{Google,Baidu,Apple}'::text[])[1 + nexmark_pick(14, e, 3)], 'https://n/' || nexmark_pick(15, e, 7), timestamp '2024-01-01' + e * interval '1 s', '' FROM nexmark_at, generate_series(n, n + events - 1) e WHERE e % 50 > 3; UPDATE nexmark_at SET n = n + events $$;
SELECT nexmark_more(300);
@queries
-- 1: currency conversion
SELECT auction, bidder, 0.908 * price AS price, date_time FROM bid;
-- 2: selection
SELECT auction, price FROM bid WHERE auction % 7 = 3;
-- 3: local item suggestion
SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA');
-- 4: average price for a category
SELECT q.category, avg(q.final) AS average FROM (SELECT max(b.price) AS final, a.category FROM auction a, bid b WHERE a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.category) q GROUP BY q.category;
-- 5: hot items, over hopping windows of ten seconds every two
rerun: WITH counts AS (SELECT auction, w, count(*) AS num FROM bid, LATERAL generate_series(date_bin('2 s', date_time, timestamp '2024-01-01') - interval '8 s', date_bin('2 s', date_time, timestamp '2024-01-01'), interval '2 s') w GROUP BY auction, w) SELECT c.w, c.auction, c.num FROM counts c JOIN (SELECT w, max(num) AS most FROM counts GROUP BY w) m ON m.w = c.w AND c.num >= m.most;
SELECT auction, count(*) AS num FROM bid WHERE date_time > (SELECT max(date_time) FROM bid) - interval '60 s' GROUP BY auction HAVING count(*) >= ALL (SELECT count(*) FROM bid WHERE date_time > (SELECT max(date_time) FROM bid) - interval '60 s' GROUP BY auction);
-- 6: average selling price by seller, over the last ten auctions that have ended
SELECT seller, avg(final) OVER (PARTITION BY seller ORDER BY expires, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS average FROM (SELECT a.id, a.seller, a.expires, max(b.price) AS final FROM auction a JOIN bid b ON b.auction = a.id AND b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.seller, a.expires) q;
SELECT seller, avg(final) FROM (SELECT a.seller, max(b.price) AS final, row_number() OVER (PARTITION BY a.seller ORDER BY a.expires DESC, a.id) AS n FROM auction a JOIN bid b ON b.auction = a.id AND b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id, a.seller, a.expires) q WHERE n <= 10 GROUP BY seller;
-- 7: the highest bid of each ten seconds
SELECT b.auction, b.price, b.bidder, b.date_time FROM bid b JOIN (SELECT max(price) AS most, date_bin('10 s', date_time, timestamp '2024-01-01') AS w FROM bid GROUP BY 2) m ON b.price = m.most AND date_bin('10 s', b.date_time, timestamp '2024-01-01') = m.w;
-- 8: persons who opened an auction in the minute in which they came
SELECT p.id, p.name, p.w FROM (SELECT id, name, date_trunc('minute', date_time) AS w FROM person) p JOIN (SELECT DISTINCT seller, date_trunc('minute', date_time) AS w FROM auction) a ON p.id = a.seller AND p.w = a.w;
@changes
SELECT nexmark_more(1);
SELECT nexmark_more(49);
SELECT nexmark_more(50);
SELECT nexmark_more(200);
UPDATE bid SET price = price + 1 WHERE id % 10 = 0;
UPDATE person SET state = 'OR' WHERE id % 2 = 0;
UPDATE auction SET category = 10 WHERE id % 3 = 0;
UPDATE auction SET expires = expires + interval '30 s' WHERE id % 4 = 0;
DELETE FROM bid WHERE price > 450;
SELECT nexmark_more(7);
DELETE FROM auction WHERE id < 5;
UPDATE auction SET date_time = p.date_time + interval '1 s' FROM person p WHERE p.id = seller AND auction.id % 2 = 0;
TRUNCATE bid;
SELECT nexmark_more(120);
