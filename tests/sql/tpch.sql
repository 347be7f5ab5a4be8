-- The 22 queries of TPC-H as live views, over a small deterministic database of its schema, with
-- refresh-like commits: new orders with their lines, deletes, corrections. tpch_load(scale) makes
-- the data (scale 1 is 6,000,000 lines), tpch_refresh(n) some n lines in new orders, tpch_retire(n)
-- deletes the oldest orders that have some n lines. Where a query's order isn't total, keys are added.
@schema
CREATE TABLE region(r_regionkey int PRIMARY KEY, r_name char(25), r_comment varchar(152));
CREATE TABLE nation(n_nationkey int PRIMARY KEY, n_name char(25), n_regionkey int, n_comment varchar(152));
CREATE TABLE supplier(s_suppkey int PRIMARY KEY, s_name char(25), s_address varchar(40), s_nationkey int, s_phone char(15), s_acctbal numeric(15,2), s_comment varchar(101));
CREATE TABLE customer(c_custkey int PRIMARY KEY, c_name varchar(25), c_address varchar(40), c_nationkey int, c_phone char(15), c_acctbal numeric(15,2), c_mktsegment char(10), c_comment varchar(117));
CREATE TABLE part(p_partkey int PRIMARY KEY, p_name varchar(55), p_mfgr char(25), p_brand char(10), p_type varchar(25), p_size int, p_container char(10), p_retailprice numeric(15,2), p_comment varchar(23));
CREATE TABLE partsupp(ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost numeric(15,2), ps_comment varchar(199), PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE orders(o_orderkey int PRIMARY KEY, o_custkey int, o_orderstatus char(1), o_totalprice numeric(15,2), o_orderdate date, o_orderpriority char(15), o_clerk char(15), o_shippriority int, o_comment varchar(79));
CREATE TABLE lineitem(l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity numeric(15,2), l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2), l_returnflag char(1), l_linestatus char(1), l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct char(25), l_shipmode char(10), l_comment varchar(44), PRIMARY KEY (l_orderkey, l_linenumber));
CREATE FUNCTION tpch_pick(seed bigint, n bigint, choices bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT (((hashint8extended(n, seed) % choices) + choices) % choices)::int $$;
CREATE FUNCTION tpch_word(seed bigint, n bigint, words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT words[1 + tpch_pick(seed, n, cardinality(words))] $$;
CREATE TABLE tpch_size(parts int, suppliers int, customers int, next_order int);
CREATE FUNCTION tpch_lines(first int, last int, suppliers int, parts int) RETURNS void LANGUAGE sql AS $$ INSERT INTO lineitem SELECT o_orderkey, p, 1 + (p + tpch_pick(31, o_orderkey * 8 + l, 4) * (suppliers / 4 + 1)) % suppliers, l, q, q * (90000 + p % 20001 + 100 * (p % 1000)) / 100.0, tpch_pick(33, o_orderkey * 8 + l, 11) / 100.0, tpch_pick(34, o_orderkey * 8 + l, 9) / 100.0, CASE WHEN ship + 14 <= date '1995-06-17' THEN tpch_word(35, o_orderkey * 8 + l, '{R,A}') ELSE 'N' END, CASE WHEN ship > date '1995-06-17' THEN 'O' ELSE 'F' END, ship, o_orderdate + 30 + tpch_pick(36, o_orderkey * 8 + l, 61), ship + 1 + tpch_pick(37, o_orderkey * 8 + l, 30), tpch_word(38, o_orderkey * 8 + l, '{DELIVER IN PERSON,COLLECT COD,NONE,TAKE BACK RETURN}'), tpch_word(39, o_orderkey * 8 + l, '{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}'), 'line ' || l FROM orders, generate_series(1, 1 + tpch_pick(30, o_orderkey, 7)) l, LATERAL (SELECT 1 + tpch_pick(32, o_orderkey * 8 + l, parts) AS p, 1 + tpch_pick(40, o_orderkey * 8 + l, 50) AS q, o_orderdate + 1 + tpch_pick(41, o_orderkey * 8 + l, 121) AS ship) x WHERE o_orderkey BETWEEN first AND last $$;
CREATE FUNCTION tpch_orders(first int, last int, customers int) RETURNS void LANGUAGE sql AS $$ INSERT INTO orders SELECT o, 1 + tpch_pick(20, o, customers) / 3 * 3 % customers, tpch_word(21, o, '{O,F,P}'), 1000 + tpch_pick(22, o, 40000000) / 100.0, date '1992-01-01' + tpch_pick(23, o, 2405), tpch_word(24, o, '{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}'), 'Clerk#' || tpch_pick(25, o, 1000), 0, tpch_word(26, o, '{careful,special blue requests,quick,furious,even special requests about it,pending,ironic}') FROM generate_series(first, last) o $$;
CREATE FUNCTION tpch_load(scale float8) RETURNS void LANGUAGE plpgsql AS $$ DECLARE np int := greatest(200000 * scale, 8); ns int := greatest(10000 * scale, 5); nc int := greatest(150000 * scale, 9); no int := 1500000 * scale; BEGIN INSERT INTO tpch_size VALUES (np, ns, nc, no + 1); INSERT INTO region SELECT i - 1, n, '' FROM unnest('{AFRICA,AMERICA,ASIA,EUROPE,MIDDLE EAST}'::text[]) WITH ORDINALITY x(n, i); INSERT INTO nation SELECT i - 1, n, ('{0,1,1,1,4,0,3,3,2,2,4,4,2,4,0,0,0,1,2,3,4,2,3,3,1}'::int[])[i], '' FROM unnest('{ALGERIA,ARGENTINA,BRAZIL,CANADA,EGYPT,ETHIOPIA,FRANCE,GERMANY,INDIA,INDONESIA,IRAN,IRAQ,JAPAN,JORDAN,KENYA,MOROCCO,MOZAMBIQUE,PERU,CHINA,ROMANIA,SAUDI ARABIA,VIETNAM,RUSSIA,UNITED KINGDOM,UNITED STATES}'::text[]) WITH ORDINALITY x(n, i); INSERT INTO supplier SELECT s, 'Supplier#' || lpad(s::text, 9, '0'), 'addr ' || s, tpch_pick(1, s, 25), 10 + tpch_pick(1, s, 25) || '-' || 100 + tpch_pick(2, s, 900) || '-000', tpch_pick(3, s, 1100000) / 100.0 - 1000, CASE tpch_pick(4, s, 9) WHEN 0 THEN 'Customer slow Complaints' ELSE 'fine' END FROM generate_series(1, ns) s; INSERT INTO customer SELECT c, 'Customer#' || lpad(c::text, 9, '0'), 'addr ' || c, tpch_pick(5, c, 25), 10 + tpch_pick(5, c, 25) || '-' || 100 + tpch_pick(6, c, 900) || '-111', tpch_pick(7, c, 1100000) / 100.0 - 1000, tpch_word(8, c, '{AUTOMOBILE,BUILDING,FURNITURE,MACHINERY,HOUSEHOLD}'), '' FROM generate_series(1, nc) c; INSERT INTO part SELECT p, tpch_word(9, p, '{forest,green,blush,lace,ivory,navy}') || ' ' || tpch_word(10, p, '{almond,green,azure,beige,plum,rose,salmon}'), 'Manufacturer#' || 1 + tpch_pick(11, p, 5), 'Brand#' || 1 + tpch_pick(11, p, 5) || 1 + tpch_pick(12, p, 5), tpch_word(13, p, '{STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO}') || ' ' || tpch_word(14, p, '{ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED}') || ' ' || tpch_word(15, p, '{TIN,NICKEL,BRASS,STEEL,COPPER}'), 1 + tpch_pick(16, p, 50), tpch_word(17, p, '{SM,LG,MED,JUMBO,WRAP}') || ' ' || tpch_word(18, p, '{CASE,BOX,BAG,JAR,PKG,PACK,CAN,DRUM}'), (90000 + p % 20001 + 100 * (p % 1000)) / 100.0, '' FROM generate_series(1, np) p; INSERT INTO partsupp SELECT p, 1 + (p + i * (ns / 4 + 1)) % ns, 1 + tpch_pick(19, p * 4 + i, 9999), 1 + tpch_pick(27, p * 4 + i, 99900) / 100.0, '' FROM generate_series(1, np) p, generate_series(0, 3) i ON CONFLICT DO NOTHING; PERFORM tpch_orders(1, no, nc); PERFORM tpch_lines(1, no, ns, np); END $$;
CREATE FUNCTION tpch_refresh(lines int) RETURNS void LANGUAGE plpgsql AS $$ DECLARE s tpch_size; n int := 0; last int; BEGIN SELECT * INTO s FROM tpch_size; last := s.next_order - 1; WHILE n < lines LOOP last := last + 1; n := n + 1 + tpch_pick(30, last, 7); END LOOP; PERFORM tpch_orders(s.next_order, last, s.customers); PERFORM tpch_lines(s.next_order, last, s.suppliers, s.parts); DELETE FROM lineitem l USING (SELECT l_linenumber FROM lineitem WHERE l_orderkey = last ORDER BY l_linenumber DESC LIMIT n - lines) x WHERE l.l_orderkey = last AND l.l_linenumber = x.l_linenumber; UPDATE tpch_size SET next_order = last + 1; END $$;
CREATE FUNCTION tpch_retire(lines int) RETURNS void LANGUAGE sql AS $$ WITH old AS (SELECT o_orderkey FROM (SELECT o_orderkey, sum(n) OVER (ORDER BY o_orderkey) AS upto, n FROM orders o JOIN (SELECT l_orderkey, count(*) AS n FROM lineitem GROUP BY 1) l ON l_orderkey = o_orderkey) x WHERE upto - n < lines), gone AS (DELETE FROM lineitem WHERE l_orderkey IN (SELECT o_orderkey FROM old)) DELETE FROM orders WHERE o_orderkey IN (SELECT o_orderkey FROM old) $$;
SELECT tpch_load(0.0004);
@queries
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price, sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order
 FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90' day GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus;
SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment FROM part, supplier, partsupp, nation, region
 WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS' AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE'
  AND ps_supplycost = (SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE')
 ORDER BY s_acctbal DESC, n_name, s_name, p_partkey LIMIT 100;
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority FROM customer, orders, lineitem
 WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate < date '1995-03-15' AND l_shipdate > date '1995-03-15'
 GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate, l_orderkey LIMIT 10;
SELECT o_orderpriority, count(*) AS order_count FROM orders WHERE o_orderdate >= date '1993-07-01' AND o_orderdate < date '1993-07-01' + interval '3' month
  AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate) GROUP BY o_orderpriority ORDER BY o_orderpriority;
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue FROM customer, orders, lineitem, supplier, nation, region
 WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = s_nationkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA' AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1994-01-01' + interval '1' year
 GROUP BY n_name ORDER BY revenue DESC;
SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate >= date '1994-01-01' AND l_shipdate < date '1994-01-01' + interval '1' year AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24;
SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue FROM (SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year, l_extendedprice * (1 - l_discount) AS volume
  FROM supplier, lineitem, orders, customer, nation n1, nation n2 WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey AND s_nationkey = n1.n_nationkey AND c_nationkey = n2.n_nationkey
   AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE')) AND l_shipdate BETWEEN date '1995-01-01' AND date '1996-12-31') AS shipping
 GROUP BY supp_nation, cust_nation, l_year ORDER BY supp_nation, cust_nation, l_year;
SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS mkt_share FROM (SELECT extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) AS volume, n2.n_name AS nation
  FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA' AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN date '1995-01-01' AND date '1996-12-31' AND p_type = 'ECONOMY ANODIZED STEEL') AS all_nations
 GROUP BY o_year ORDER BY o_year;
SELECT nation, o_year, sum(amount) AS sum_profit FROM (SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year, l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount
  FROM part, supplier, lineitem, partsupp, orders, nation WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%green%') AS profit
 GROUP BY nation, o_year ORDER BY nation, o_year DESC;
SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal, n_name, c_address, c_phone, c_comment FROM customer, orders, lineitem, nation
 WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= date '1993-10-01' AND o_orderdate < date '1993-10-01' + interval '3' month AND l_returnflag = 'R' AND c_nationkey = n_nationkey
 GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC, c_custkey LIMIT 20;
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value FROM partsupp, supplier, nation WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
 GROUP BY ps_partkey HAVING sum(ps_supplycost * ps_availqty) > (SELECT sum(ps_supplycost * ps_availqty) * 0.0001 FROM partsupp, supplier, nation WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY') ORDER BY value DESC;
SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS high_line_count, sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS low_line_count
 FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND l_receiptdate >= date '1994-01-01' AND l_receiptdate < date '1994-01-01' + interval '1' year GROUP BY l_shipmode ORDER BY l_shipmode;
SELECT c_count, count(*) AS custdist FROM (SELECT c_custkey, count(o_orderkey) FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%' GROUP BY c_custkey) AS c_orders(c_custkey, c_count) GROUP BY c_count ORDER BY custdist DESC, c_count DESC;
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END) / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue FROM lineitem, part WHERE l_partkey = p_partkey AND l_shipdate >= date '1995-09-01' AND l_shipdate < date '1995-09-01' + interval '1' month;
WITH revenue(supplier_no, total_revenue) AS (SELECT l_suppkey, sum(l_extendedprice * (1 - l_discount)) FROM lineitem WHERE l_shipdate >= date '1996-01-01' AND l_shipdate < date '1996-01-01' + interval '3' month GROUP BY l_suppkey)
 SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, revenue WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue) ORDER BY s_suppkey;
SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt FROM partsupp, part WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%' AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)
  AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%') GROUP BY p_brand, p_type, p_size ORDER BY supplier_cnt DESC, p_brand, p_type, p_size;
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part WHERE p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'MED BOX' AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey);
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) FROM customer, orders, lineitem
 WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 250) AND c_custkey = o_custkey AND o_orderkey = l_orderkey GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice ORDER BY o_totalprice DESC, o_orderdate, o_orderkey LIMIT 100;
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem, part
 WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG') AND l_quantity >= 1 AND l_quantity <= 1 + 10 AND p_size BETWEEN 1 AND 5 AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')
  OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') AND l_quantity >= 10 AND l_quantity <= 10 + 10 AND p_size BETWEEN 1 AND 10 AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON')
  OR (p_partkey = l_partkey AND p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') AND l_quantity >= 20 AND l_quantity <= 20 + 10 AND p_size BETWEEN 1 AND 15 AND l_shipmode IN ('AIR', 'AIR REG') AND l_shipinstruct = 'DELIVER IN PERSON');
SELECT s_name, s_address FROM supplier, nation WHERE s_suppkey IN (SELECT ps_suppkey FROM partsupp WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%')
   AND ps_availqty > (SELECT 0.5 * sum(l_quantity) FROM lineitem WHERE l_partkey = ps_partkey AND l_suppkey = ps_suppkey AND l_shipdate >= date '1994-01-01' AND l_shipdate < date '1994-01-01' + interval '1' year)) AND s_nationkey = n_nationkey AND n_name = 'CANADA' ORDER BY s_name;
SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders, nation WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F' AND l1.l_receiptdate > l1.l_commitdate
  AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)
  AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> l1.l_suppkey AND l3.l_receiptdate > l3.l_commitdate) AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA' GROUP BY s_name ORDER BY numwait DESC, s_name LIMIT 100;
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal FROM (SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal FROM customer WHERE substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')
  AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0.00 AND substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')) AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)) AS custsale GROUP BY cntrycode ORDER BY cntrycode;
@changes
SELECT tpch_refresh(1);
SELECT tpch_refresh(100);
SELECT tpch_retire(50);
UPDATE part SET p_size = 15, p_type = 'PROMO PLATED BRASS' WHERE p_partkey % 3 = 0;
UPDATE supplier SET s_nationkey = 6 WHERE s_suppkey % 2 = 0;
UPDATE supplier SET s_nationkey = 20 WHERE s_suppkey = 1;
UPDATE customer SET c_nationkey = 7, c_phone = '17' || substr(c_phone, 3) WHERE c_custkey % 4 = 0;
UPDATE part SET p_brand = 'Brand#23', p_container = 'MED BOX', p_size = 9 WHERE p_partkey % 4 = 1;
UPDATE part SET p_type = 'ECONOMY ANODIZED STEEL' WHERE p_partkey % 5 = 0;
UPDATE lineitem SET l_shipmode = 'AIR', l_shipinstruct = 'DELIVER IN PERSON', l_quantity = 12 WHERE l_linenumber = 1;
UPDATE customer SET c_nationkey = 2 WHERE c_custkey % 3 = 1;
UPDATE lineitem SET l_quantity = l_quantity + 30 WHERE l_orderkey % 10 = 0;
BEGIN; SELECT tpch_refresh(200); SELECT tpch_retire(200); COMMIT;
UPDATE orders SET o_orderdate = date '1993-08-01' + o_orderkey % 30 WHERE o_orderkey % 7 = 0;
UPDATE supplier SET s_nationkey = 3, s_comment = 'Customer Complaints' WHERE s_suppkey IN (2, 3);
UPDATE supplier SET s_nationkey = 7 WHERE s_suppkey IN (1, 4);
UPDATE supplier SET s_nationkey = 8 WHERE s_suppkey = 5;
UPDATE customer SET c_nationkey = 8 WHERE c_custkey % 5 = 2;
UPDATE orders SET o_orderdate = date '1994-03-01' + o_orderkey % 90 WHERE o_orderkey % 9 = 1;
UPDATE lineitem SET l_shipdate = l_shipdate + 300 WHERE l_partkey % 5 = 2;
DELETE FROM partsupp WHERE ps_partkey % 6 = 0;
DELETE FROM orders WHERE o_custkey % 4 = 0;
UPDATE nation SET n_name = 'FRANCE' WHERE n_nationkey = 6;
DELETE FROM region WHERE r_regionkey = 3;
SELECT tpch_refresh(300);
DELETE FROM lineitem;
SELECT tpch_refresh(20);
