-- Writes the fixtures that the tests of engine/value compare with: what Postgres itself answers.
--
--     cd tests/unit/value && psql -X -q -v ON_ERROR_STOP=1 -f capture.sql
--
-- Run it in a scratch database; captured from PostgreSQL 15. Columns are separated by tabs; an error
-- is written as "!", its SQLSTATE and its message.
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
set timezone = 'UTC';
set extra_float_digits = 1;
set datestyle = 'ISO';
set intervalstyle = 'postgres';
select setseed(0.42) \g /dev/null

create function pg_temp.try(statement text) returns text language plpgsql as $$
declare
    answer text;
begin
    execute statement into answer;
    return answer;
exception when others then
    return '!' || sqlstate || ' ' || sqlerrm;
end $$;

-- ---------------------------------------------------------------- numeric

create function pg_temp.digits(n int) returns text language sql volatile as $$
    select coalesce(string_agg(case when random() < 0.15 then '0' when random() < 0.1 then '9'
        else floor(random() * 10)::int::text end, ''), '') from generate_series(1, n) $$;

create function pg_temp.any_numeric() returns text language plpgsql volatile as $$
declare
    fixed text[] := array['0', '0.0', '0.000', '1', '-1', '1.0', '10', '9999', '10000', '99999999',
        '0.5', '-0.5', '0.0001', '0.00009999', '1.5', '2.5', '-2.5', '1e20', '1e-20', '3', '7', '1000',
        '99999999999999999999999999999999999999', '85070591730234615865843651857942052864',
        '170141183460469231731687303715884105727', '-170141183460469231731687303715884105728',
        '9223372036854775807', '-9223372036854775808', '9223372036854775807.5', '32767.49', '32767.5',
        '2147483647.5', '-2147483648.5', 'NaN', 'Infinity', '-Infinity', '1e130', '1e-130', '0.1', '1.1'];
    kind float := random();
    whole int;
    decimals int;
begin
    if kind < 0.2 then
        return fixed[1 + floor(random() * array_length(fixed, 1))::int];
    end if;
    whole := floor(random() * case when kind < 0.7 then 6 when kind < 0.9 then 20 else 45 end)::int;
    decimals := floor(random() * case when kind < 0.7 then 5 when kind < 0.9 then 15 else 30 end)::int;
    return case when random() < 0.4 then '-' else '' end || pg_temp.digits(whole) || '0'
        || case when decimals > 0 then '.' || pg_temp.digits(decimals) else '' end;
end $$;

\o numeric_ops.tsv
with ops(op, statement) as (values
        ('+', 'select (%L::numeric + %L::numeric)::text'), ('-', 'select (%L::numeric - %L::numeric)::text'),
        ('*', 'select (%L::numeric * %L::numeric)::text'), ('/', 'select (%L::numeric / %L::numeric)::text'),
        ('/', 'select (%L::numeric / %L::numeric)::text'),
        ('%', 'select (%L::numeric %% %L::numeric)::text'), ('div', 'select div(%L::numeric, %L::numeric)::text'),
        ('cmp', 'select numeric_cmp(%L::numeric, %L::numeric)::text')),
    args as materialized (select op, statement, pg_temp.any_numeric() as x, pg_temp.any_numeric() as y
        from ops, generate_series(1, 210))
select op, x, y, pg_temp.try(format(statement, x, y)) from args order by op, x, y;

with extremes(op, statement, x, y) as (values
        ('*', 'select md5((repeat(''7'', 70000)::numeric * %L::numeric)::text || %L)', 'r70000', '3'),
        ('*', 'select (%L::numeric * %L::numeric)::text', '1e70000', '1e70000'),
        ('+', 'select (%L::numeric + %L::numeric)::text', '9e131071', '9e131071'),
        ('-', 'select (%L::numeric - %L::numeric)::text', '-9e131071', '9e131071'),
        ('/', 'select (%L::numeric / %L::numeric)::text', '9e131071', '1e-5'),
        ('div', 'select (div(%L::numeric, %L::numeric))::text', '9e131071', '1e-5'),
        ('/', 'select (%L::numeric / %L::numeric)::text', '1e-1500', '3'),
        ('/', 'select (%L::numeric / %L::numeric)::text', '1', '3e-700'),
        ('/', 'select scale(%L::numeric / %L::numeric)::text || ''s''', '1', '3e300'))
select op, x, y, pg_temp.try(format(statement, x, y)) from extremes where op <> '*' or x not like 'r%';

with ops(op, statement) as (values
        ('round', 'select round(%L::numeric, %L::int)::text'), ('trunc', 'select trunc(%L::numeric, %L::int)::text'),
        ('typmod', 'select %L::numeric(12, %s)::text')),
    args as materialized (select op, statement, pg_temp.any_numeric() as x, floor(random() * 14 - 4)::int as y
        from ops, generate_series(1, 150))
select op, x, y, pg_temp.try(format(statement, x, y)) from args order by op, x, y;

with ops(op, statement) as (values
        ('ceil', 'select ceil(%L::numeric)::text'), ('floor', 'select floor(%L::numeric)::text'),
        ('neg', 'select (-%L::numeric)::text'), ('abs', 'select abs(%L::numeric)::text'),
        ('int8', 'select %L::numeric::int8::text'), ('int4', 'select %L::numeric::int4::text'),
        ('int2', 'select %L::numeric::int2::text'), ('float8', 'select %L::numeric::float8::text'),
        ('float4', 'select %L::numeric::float4::text'), ('text', 'select %L::numeric::text')),
    args as materialized (select op, statement, pg_temp.any_numeric() as x from ops, generate_series(1, 60))
select op, x, '', pg_temp.try(format(statement, x)) from args order by op, x;

with args(op, x, y) as (values
        ('text', ' 12.50 ', ''), ('text', '+.5', ''), ('text', '5.', ''), ('text', '.', ''), ('text', '', ''),
        ('text', '1.5e3', ''), ('text', '1.5E-3', ''), ('text', '1e', ''), ('text', '1e+', ''), ('text', '1x', ''),
        ('text', '1 2', ''), ('text', '--1', ''), ('text', '+inf', ''), ('text', ' -Infinity ', ''), ('text', 'nan', ''),
        ('text', 'infinit', ''), ('text', '0e99999', ''), ('text', '0e-16383', ''), ('text', '0e-16384', ''),
        ('text', '1e131072', ''), ('text', '1e-16384', ''), ('text', '000000000000000000000000000000000000000000000012', ''),
        ('text', '-0.00', ''), ('text', '-0', ''), ('text', '12345678901234567890e-10', ''), ('float8', '1e400', ''),
        ('float8', '-1e400', ''), ('float8', '1e-400', ''), ('float4', '1e40', ''), ('float4', '1e-50', ''))
select op, x, y, pg_temp.try(format(case op when 'text' then 'select %L::numeric::text' when 'float8'
    then 'select %L::numeric::float8::text' else 'select %L::numeric::float4::text' end, x)) from args;
\o

\o numeric_sums.tsv
-- sum and avg over the values of each group; "+" values are in it, "-" ones were taken out again.
with v as materialized (
        select g, n, random() < 0.7 as stays,
            case when g % 10 = 0 then pg_temp.any_numeric()
                 when g % 10 < 4 then (random() * 1000)::numeric(12, 2)::text
                 else replace(replace(replace(pg_temp.any_numeric(), 'NaN', '1.25'), '-Infinity', '2'), 'Infinity', '3')
            end as x
        from generate_series(1, 60) g, generate_series(1, 7) n)
select string_agg(case when stays then '+' else '-' end || x, ' ' order by n),
    coalesce((sum(x::numeric) filter (where stays))::text, ''), coalesce((avg(x::numeric) filter (where stays))::text, ''),
    count(*) filter (where stays)
from v group by g order by g;
\o

-- ---------------------------------------------------------------- floats

\o floats.tsv
with random_bits as materialized (
        select ('x' || lpad(to_hex((random() * 2047)::int::bigint << 20 | (random() * 1048575)::bigint), 8, '0')
            || lpad(to_hex((random() * 4294967295)::bigint), 8, '0'))::bit(64)::bigint as bits
        from generate_series(1, 250)),
    doubles as (
        select d from (values (float8 '0'), ('-0'), ('NaN'), ('Infinity'), ('-Infinity'), (1e23), (8.41e21), (5e-324),
            (1e15), (1e14), (999999999999999), (999999999999999.9), (123456.789), (0.0001), (0.00001), (2.2250738585072014e-308),
            (1.7976931348623157e308), (9007199254740993), (9007199254740992), (0.1), (0.3), (0.1::float8 + 0.2::float8),
            (1::float8 / 3), (4.35), (1e22), (1e21), (2e-308), (4.4501477170144023e-308), (100), (1234567890123456)) v(d)
        union all select power(2::float8, e) from generate_series(-1074, 1000, 41) e
        union all select (random() * 10000)::numeric(12, 3)::float8 from generate_series(1, 60)
        union all select random() * power(10::float8, floor(random() * 40 - 20)) from generate_series(1, 60)),
    floats as (
        select f from (values (float4 '0'), ('-0'), ('NaN'), ('Infinity'), ('-Infinity'), (1e6), (1e5), (999999), (0.0001),
            (0.00001), (1.17549435e-38), (1e-45), (3.4028235e38), (16777216), (0.1), (1234567), (8.5899346e9), (3.3)) v(f)
        union all select power(2::float8, e)::float4 from generate_series(-149, 127, 9) e
        union all select (random() * 10000)::float4 from generate_series(1, 60)
        union all select (random() * power(10::float8, floor(random() * 60 - 30)))::float4 from generate_series(1, 60))
select 8, encode(float8send(d), 'hex'), d::text, to_json(d)::text, coalesce(pg_temp.try(format('select %L::float8::numeric::text', d)), '') from doubles
union all
select 4, encode(float4send(f), 'hex'), f::text, to_json(f)::text, coalesce(pg_temp.try(format('select %L::float4::numeric::text', f)), '') from floats;
\o

-- ---------------------------------------------------------------- dates and times

\o datetimes.tsv
create temp table moments as
    select t from (values (timestamp '2000-01-01'), ('1999-12-31 23:59:59.999999'), ('2024-02-29 12:34:56.7'), ('1970-01-01'),
        ('4714-11-24 00:00:00 BC'), ('0001-01-01'), ('0001-12-31 23:59:59 BC'), ('0044-03-15 12:00 BC'), ('9999-12-31 23:59:59.5'),
        ('10000-01-01'), ('123456-07-08 09:10:11.000012'), ('294276-12-31 23:59:59.999999'), ('infinity'), ('-infinity'),
        ('1900-01-01'), ('1900-02-28'), ('1900-03-01'), ('2000-02-29'), ('2100-03-01')) v(t)
    union all
    select timestamp '1700-01-01' + (random() * 600 * 365.25 * 86400 * 1000000)::bigint * interval '1 microsecond' from generate_series(1, 60);
select 'timestamp', 'UTC', extract(epoch from t - timestamp '2000-01-01') * 1000000, t::text, to_json(t)::text, t::date::text
    from moments where isfinite(t);
select 'timestamp', 'UTC', case when t > timestamp '2000-01-01' then 9223372036854775807 else -9223372036854775808 end, t::text, to_json(t)::text, t::date::text
    from moments where not isfinite(t);
select 'date', 'UTC', case when d = 'infinity' then 2147483647 when d = '-infinity' then -2147483648 else d - date '2000-01-01' end, d::text, to_json(d)::text, ''
    from (select t::date as d from moments union all values (date '5874897-12-31'), ('4714-11-24 BC'), ('300000-01-01')) v;
create temp table zones as select * from (values (1, 'UTC'), (2, 'Europe/Berlin'), (3, 'America/New_York'), (4, 'Asia/Kolkata'),
    (5, 'Australia/Lord_Howe'), (6, 'Europe/Dublin'), (7, 'CET-1CEST,M3.5.0,M10.5.0/3')) z(no, zone);
create temp table locals as
    select t from (values (timestamp '2024-03-31 01:59:59'), ('2024-03-31 02:00:00'), ('2024-03-31 02:30:00'), ('2024-03-31 03:00:00'),
        ('2024-10-27 01:59:59'), ('2024-10-27 02:00:00'), ('2024-10-27 02:30:00'), ('2024-10-27 03:00:00'), ('2024-10-27 01:00:00'), ('2024-10-27 01:30:00'),
        ('2024-03-10 02:00:00'), ('2024-03-10 02:59:59.5'), ('2024-03-10 03:00:00'), ('2024-11-03 00:59:59'), ('2024-11-03 01:00:00'),
        ('2024-11-03 01:30:00'), ('2024-11-03 02:00:00'), ('2024-04-07 01:45:00'), ('2024-10-06 02:15:00'), ('2024-07-01 00:00:00'), ('2037-12-31 12:00'),
        ('2050-07-01 12:00')) v(t);
create function pg_temp.zoned(zone text) returns table (kind text, z text, usec numeric, txt text, js text, local text)
language plpgsql as $$
begin
    perform set_config('timezone', zone, false);
    return query
        select 'local', zone, extract(epoch from t::timestamptz - timestamptz '2000-01-01 00:00:00+00') * 1000000, t::timestamptz::text,
            to_json(t::timestamptz)::text, t::text from locals
        union all
        select 'timestamptz', zone, extract(epoch from i - timestamptz '2000-01-01 00:00:00+00') * 1000000, i::text, to_json(i)::text, (i::timestamp)::text
        from (select timestamptz '1980-01-01 00:00:00+00' + n * interval '1237 hours 17 minutes 3.25 seconds' as i from generate_series(1, 380, 11) n) s
        union all
        select 'timestamptz', zone, extract(epoch from i - timestamptz '2000-01-01 00:00:00+00') * 1000000, i::text, to_json(i)::text, (i::timestamp)::text
        from (values (timestamptz '1850-06-01 00:00:00+00'), ('1916-06-01 00:00:00+00'), ('0044-03-15 12:00:00+00 BC'), ('20000-06-01 00:00+00')) s(i)
        where zone not like '%,%';
end $$;
select r.* from (select zone from zones order by no) z, pg_temp.zoned(z.zone) r;
set timezone = 'UTC';
\o

-- ---------------------------------------------------------------- json

create type pg_temp.pair as (a int, "b ""x""" text, c timestamp, d int[]);
create type pg_temp.outer_pair as (p pg_temp.pair, n numeric);
create function pg_temp.js(type text, v text) returns table (t text, txt text, js text) language plpgsql as $$
begin
    return query execute format('select %L::text, replace(replace(replace(format(''%%s'', %L::%s), E''\\'', E''\\\\''), E''\t'', ''\t''), E''\n'', ''\n''),
        replace((to_json(%L::%s))::text, E''\n'', '' '')', type, v, type, v, type);
end $$;
\o json.tsv
select js.* from (values
    ('text', ''), ('text', 'plain'), ('text', E'q" b\\ s/ \b\f\n\r\t \x01\x1f\x7f ü 漢 😀'), ('text', ' '), ('char(5)', 'ab'), ('varchar', 'x'),
    ('bool', 't'), ('bool', 'f'), ('int2', '-7'), ('int8', '-9223372036854775808'), ('numeric', '1.500'), ('numeric', 'NaN'),
    ('numeric', '-Infinity'), ('float8', '1e300'), ('float8', '-Infinity'), ('float4', '0.1'), ('uuid', '550e8400-e29b-41d4-a716-446655440000'),
    ('date', '2024-01-02'), ('date', 'infinity'), ('timestamp', '2024-01-02 03:04:05.60'), ('timestamptz', '2024-01-02 03:04:05+00'),
    ('bytea', '\x00ff'), ('interval', '1 year 2 days 03:04:05.6'), ('time', '01:02:03'), ('inet', '10.0.0.1'), ('money', '12.5'), ('oid', '42'),
    ('json', E' { "a" : [ 1 , 2.50, "x y\\" z" ] ,\n\t"b":{ } } '), ('json', ' "a  b" '), ('json', '"\\"'), ('jsonb', '{"a":[1,2.50,"x y"],"b":{}}'), ('jsonb', '[]'), ('json', ' null'),
    ('int4[]', '{}'), ('int4[]', '{1,NULL,-3}'), ('int4[]', '{{1,2},{3,4}}'), ('int4[]', '{{{1},{2}},{{3},{4}}}'), ('int4[]', '[2:3]={7,8}'),
    ('int4[]', '[0:1][5:5]={{1},{2}}'), ('text[]', '{a,"b c","NULL",NULL,"","q\"q","b\\b","x,y","{}"," lead",null}'), ('text[]', '{{"a,b","}"},{"{",c}}'),
    ('text[]', E'{"line\nbreak","tab\there"}'), ('bool[]', '{t,f,NULL}'), ('numeric[]', '{1.50,NaN,-Infinity,0.000}'), ('float8[]', '{1e300,NaN,-0,0.1}'),
    ('timestamp[]', '{"2024-01-02 03:04:05",infinity}'), ('timestamptz[]', '{"2024-01-02 03:04:05+00",NULL}'), ('date[]', '{2024-01-02,"0044-03-15 BC"}'),
    ('uuid[]', '{550e8400-e29b-41d4-a716-446655440000}'), ('jsonb[]', '{"{\"a\": [1, \"x\\\"y\"]}",NULL}'), ('box[]', '{(1,1),(0,0);(2,2),(1,1)}'),
    ('char(3)[]', '{a,"b "}'), ('int2vector', '1 2 3'), ('int2vector', ''), ('oidvector', '7'),
    ('pg_temp.pair', '(1,x,"2024-01-02 03:04:05","{1,2}")'), ('pg_temp.pair', '(,,,)'), ('pg_temp.pair', '(-5,"","infinity",{})'),
    ('pg_temp.pair', '(1,"a ""b"" \\ (c), d",,"{NULL,3}")'), ('pg_temp.outer_pair', '("(1,""q """"r"""" s"",,""{4,5}"")",1.50)'), ('pg_temp.outer_pair', '(,NaN)'),
    ('pg_temp.pair[]', '{"(1,x,,)",NULL,"(2,\"y \"\"z\"\"\",\"2024-01-02 03:04:05\",\"{1,2}\")"}')
    ) v(t, x), lateral pg_temp.js(v.t, v.x) js;
\o

-- ---------------------------------------------------------------- constants

create function pg_temp.datum(type text, v text) returns text language plpgsql as $$
declare
    body text;
    found text[];
begin
    execute format('create or replace function pg_temp.probe() returns setof record language sql begin atomic select %L::%s; end', v, type);
    select prosqlbody::text into body from pg_proc where proname = 'probe' and pronamespace = pg_my_temp_schema();
    found := regexp_match(body, ':consttype (\d+).*?:constbyval (\w+).*?:constvalue \d+ \[ ([-0-9 ]+) \]');
    return found[1] || E'\t' || found[2] || E'\t' || found[3];
end $$;
\o datums.tsv
select pg_temp.datum(t, v), pg_temp.try(format('select format(''%%s'', %L::%s)', v, t))
from (values ('bool', 'true'), ('bool', 'false'), ('int2', '-2'), ('int2', '32767'), ('int4', '-2147483648'), ('int4', '7'), ('int8', '-9223372036854775808'),
    ('int8', '1234567890123'), ('float4', '1.5'), ('float4', '-0.1'), ('float8', '1e300'), ('float8', 'NaN'), ('float8', '-Infinity'), ('date', '2024-01-02'),
    ('date', '0044-03-15 BC'), ('date', 'infinity'), ('timestamp', '2024-01-02 03:04:05.6'), ('timestamp', '-infinity'), ('timestamptz', '1999-01-02 03:04:05+05'),
    ('uuid', '550e8400-e29b-41d4-a716-446655440000'), ('text', ''), ('text', 'short'), ('text', 'ünïcode 漢'), ('text', repeat('long ', 40)), ('varchar', 'v'),
    ('bpchar', 'ab    '), ('name', 'a_name'), ('json', '{"a": 1}'), ('bytea', '\x00ff10'), ('oid', '4294967295'),
    ('numeric', '0'), ('numeric', '0.000'), ('numeric', '1'), ('numeric', '-1.50'), ('numeric', '10000'), ('numeric', '1e100'), ('numeric', '-1e-100'),
    ('numeric', '12345678901234567890.123456789'), ('numeric', 'NaN'), ('numeric', 'Infinity'), ('numeric', '-Infinity'), ('numeric', '0.0001'), ('numeric', '0.1'),
    ('numeric', '1e300'), ('numeric', '1.' || repeat('0', 70)), ('numeric', '-123.' || repeat('4', 70)), ('numeric', '9999.9999'), ('numeric', '1e-300'), ('numeric', '40000000')) c(t, v);
\o
