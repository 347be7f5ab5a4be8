-- What PostgreSQL answers for every function of engine/expr/pgfuncs.def over edge values of its
-- argument types, for casts through text and for aggregates: the expectations of test_captured.c.
-- Run it from the top of the tree against a scratch UTF-8 database whose default
-- collation is C.UTF-8:
--
--     psql -qAtX -f tests/unit/expr/capture.sql > tests/unit/expr/captured.txt
--
-- Lines of the output, fields separated by tabs:
--     S name value…           a set of argument values
--     E n sqlstate message    an error, named !n below
--     F oid,… result arg:set… functions; then one line for each combination of all arguments but
--                             the last, with the results over the last one's set
--     C from to set           a cast through text; then one line of results
--     A oid result type       an aggregate; then lines: result value…
-- NULL is \N. Types are OIDs.
\set oids `sed -n 's/^PGFUNC(\([0-9]*\),.*/\1/p' engine/expr/pgfuncs.def | paste -sd,`
set datestyle = 'ISO';
set timezone = 'America/New_York';
set client_min_messages = error;

create temp table sets (name text primary key, vals text[]);
insert into sets values
('bool', array[null, 't', 'f']),
('int2', array[null, '0', '1', '-1', '2', '7', '-3', '32767', '-32768', '100']),
('int4', array[null, '0', '1', '-1', '2', '-3', '10', '46341', '2147483647', '-2147483648']),
('int8', array[null, '0', '1', '-1', '2', '-3', '10', '2147483648', '3037000500',
    '9223372036854775807', '-9223372036854775808']),
('float4', array[null, '0', '-0', '1', '-1.5', '0.1', '2.5', '3e38', '1e-45', '1e-38', 'NaN',
    'Infinity', '-Infinity', '16777217', '32767.5', '-2147483648', '1e19']),
('float8', array[null, '0', '-0', '1', '-1', '-1.5', '2.5', '0.5', '3', '-3', '0.1', '1e308', '5e-324',
    '1e-200', 'NaN', 'Infinity', '-Infinity', '9223372036854775807', '1e39', '1e-46',
    '2147483647.5', '-32768.5', '710', '-800']),
('numeric', array[null, '0', '0.00', '1', '-1', '1.0', '1.50', '-2.5', '0.1', '-0.005', '7',
    '3.14159265358979323846', '99999999999999999999.99', '0.00000000000000000001',
    '12345678901234567890123456789012345678901234567890', '32767.5', '2147483647.4',
    '9223372036854775807.5', '-9223372036854775808.4', 'NaN', 'Infinity', '-Infinity']),
('bignum', array['1e310', '-1e310', '1e-400', '1e40', '3.4028236e38', '3.4028235677973366e38',
    '1e-46', '0.1', '16777217', '0.000000000000000000000000000000000000011754943508222875',
    '123456789012345678901234567890']),
('numshort', array['0', '1.5', '-2.5', '999.995', '-0.005', '12345678901234567890.12345', 'NaN',
    'Infinity']),
('text', array[null, '', 'a', 'ab', 'abc', 'ABC', 'aB c', ' pad ', 'äÖ€𝄞', 'b', 'aaa', '%', 'a%',
    'x_y', 'ABß']),
('bpchar', array[null, '', 'a', 'a  ', 'ab', ' b', 'ä ', 'abc']),
('pattern', array[null, '', '%', '_', 'a%', '%a', '_b', '%b%', 'a\%', '\', 'a\', '%\', '%_', '__', 'ab_',
    '%€%', '_ö%', '_Ö%', 'a%c', 'A%', '%a%a%', '\a\b', '%%', '_%_', '%\_%', '%b%c', 'ab\c']),
('escape', array['', '\', '#', 'ab', 'a', 'ä', '%']),
('escaped', array['', 'a#%b', 'a\b', '##', '#', 'äx%', 'a%a', '\#']),
('needle', array[null, '', 'a', 'b', 'ab', 'aa', ' ', '€', 'Öä', 'a ']),
('count', array[null, '-3', '-1', '0', '1', '2', '4', '2147483647', '-2147483648']),
('times', array[null, '-1', '0', '1', '3', '2000000000']),
('width', array[null, '-3', '0', '1', '2', '5', '7', '300000000', '2147483647']), ('encoding', array[null, 'hex', 'BASE64', 'escape', 'x']),
('octets', array[null, '\x', '\x00', '\x00ff', '\xff5c', '\x' || repeat('ab', 56)]),
('nth', array['-3', '-2', '-1', '0', '1', '2', '3', '2147483647']),
('listed', array['a,b,c', '', ',', 'abc', 'a,,b', '€,€', 'aaa']),
('delimiter', array[',', '', 'a', 'aa', '€']),
('scale', array['-2147483648', '-60', '-3', '-1', '0', '1', '2', '5', '30']),
('typmod', array['-1', '327686', '196612', '196613', '657410', '131080', '65540', '655370']),
('length', array['-1', '5', '7', '9']),
('precision', array['0', '1', '3', '6']),
('date', array[null, '2000-01-01', '2024-02-29', '1999-12-31', '0001-01-01', '0001-12-31 BC',
    '4714-11-24 BC', '5874897-12-31', 'infinity', '-infinity', '2024-03-10', '2024-11-03',
    '294276-12-31', '2021-01-03', '2020-12-28', '0011-06-15 BC']),
('timestamp', array[null, '2000-01-01 00:00:00', '2024-02-29 23:59:59.999999',
    '2024-03-10 02:30:00', '2024-11-03 01:30:00', '1999-12-31 12:34:56.789', '0044-03-15 01:02:03.5 BC',
    'infinity', '-infinity', '294276-12-31 23:59:59.999999', '4714-11-24 00:00:00 BC',
    '2021-01-03 10:00:00.000001', '2000-12-31 23:00:00', '2001-01-01 00:00:00']),
('timestamptz', array[null, '2000-01-01 00:00:00+00', '2024-02-29 23:59:59.999999+00',
    '2024-03-10 07:30:00+00', '2024-11-03 05:30:00+00', '2024-11-03 06:30:00+00', '1999-12-31 12:34:56.789+00',
    'infinity', '-infinity', '0044-03-15 01:02:03.5+00 BC', '1883-11-18 17:00:00+00']),
('unit', array['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'day', 'week', 'month',
    'quarter', 'year', 'decade', 'century', 'millennium', 'dow', 'isodow', 'doy', 'isoyear', 'epoch', 'YEARS',
    'julian', 'timezone', 'timezone_hour', 'timezone_minute', 'mons', 'hrs', 'Nonsense', 'microsecondsx']),
('truncunit', array['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'day', 'week', 'month',
    'quarter', 'year', 'decade', 'century', 'millennium']),
('uuid', array[null, '00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'ffffffff-ffff-ffff-ffff-ffffffffffff']),
('interval', array[null, '0', '1 day', '24:00:00', '1 mon', '30 days', '-1 year 2 mons', '1 mon -1 day', '-00:00:00.000001',
    '1 year 2 mons 3 days 04:05:06.789', '-2 days +03:00:00', '178000000 years', '-178000000 years', '2562047788:00:54.775807',
    '49 days 23:59:59.5', '100000 days', '3 mons', '-36 days -25:00:00', '27:30:00', '0.1 sec']),
('zone', array[null, '0', '02:00', '-05:30', '1 day', '-00:00:30.7']),
('time', array[null, '00:00:00', '12:34:56.789', '23:59:59.999999', '24:00:00', '00:00:00.000001', '06:30:00', '11:59:30.5']),
('timetz', array[null, '00:00:00+00', '12:34:56.789+02', '10:34:56.789+00', '24:00:00-05:30', '23:59:59.999999+14', '00:00:00.5-08', '12:00:00+01:02:03']),
('name', array[null, '', 'a', 'B', 'ab', 'ä']),
('oid', array[null, '0', '1', '42', '4294967295', '2147483648']),
('char', array[null, 'a', 'b', 'A', '']),
('macaddr', array[null, '08:00:2b:01:02:03', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '08:00:2b:01:02:04']),
('bit', array[null, '0', '1', '01', '00000000', '000000001', '11111111', '1111111110']),
('varbit', array[null, '', '0', '1', '01', '00000000', '000000001', '11111111', '1111111110']),
('money', array[null, '0', '1.5', '-1.5', '1234567.89']),
('factor', array[null, '0', '1', '-1', '1.5', '0.1', '3', '0.333333', '1e10', '-7.25', 'NaN', 'Infinity']),
('part', array['0', '-3']), ('years', array['2024', '-44', '294277']), ('months', array['2', '13']),
('days', array['29', '30']), ('hours', array['0', '24']), ('minutes', array['0', '60']),
('hour', array['0', '23', '24', '25', '-1']), ('minute', array['0', '59', '60']),
('second', array['0', '59.9999999', '60', '60.5', '-1', 'NaN', '1e9']),
('year', array['2024', '0', '-44', '2023', '294277', '5874898', '300000']), ('month', array['1', '2', '12', '13', '0']),
('day', array['1', '29', '31', '32', '0']),
('origin', array['2001-01-01 00:00:00', '2024-02-29 12:00:00', 'infinity']),
('moment', array[null, '2000-01-01 00:00:00', '2024-02-29 23:59:59.999999', '2024-03-31 02:30:00', '2023-02-28 01:30:00', '1999-12-31 12:34:56.789', '0044-03-15 01:02:03.5 BC']),
('instant', array[null, '2000-01-01 00:00:00+00', '2024-02-29 23:59:59.999999+00', '2024-03-10 07:30:00+00', '2024-11-03 05:30:00+00', '2024-11-03 06:30:00+00', '1999-12-31 12:34:56.789+00', '0044-03-15 01:02:03.5+00 BC']),
('stride', array['15 minutes', '1 day', '-1 day', '1 mon', '0', '7 days 00:00:00.000001']),
('bytea', array[null, '\x', '\x00', '\x00ff', '\xff', '\x0a']),
('intin', array['0', ' 12 ', '-7', '+5', '', ' ', 'x', '1x', '1 2', '32767', '32768', '-32768', '-32769',
    '2147483647', '2147483648', '-2147483648', '-2147483649', '9223372036854775807',
    '9223372036854775808', '-9223372036854775808', '-9223372036854775809',
    '99999999999999999999999', '1.5', '1e3', '--1', '+', '-', '0x1f', '1_000', '007', '99999999999999999999999x']),
('boolin', array['t', 'f', 'true', 'FALSE', 'tr', 'y', 'no', 'on', 'of', 'off', 'o', '1', '0', ' yes ', '', '2', 'truex', 'n', 'N ', '01']),
('floatin', array['0', '-0', ' 1.5 ', '.5', '5.', '1e400', '1e-400', '1e39', '1e-46', 'nan', 'NaN', 'inf', '-Infinity',
    '+infinity', 'infinit', '', 'x', '1e', '1.5x', '0x10', '1 2', '123456789.123456789', '3.4028236e38', '-inf ', '1e5']),
('numericin', array['0', '-0', ' 1.50 ', '.5', '5.', '1e10', '1e-10', 'nan', 'NaN', 'inf', '-Infinity', '+inf', '', 'x',
    '1e', '1.5x', '0x10', '1 2', '123456789012345678901234567890.123456789', '1.5e2', '00012.300', '1e200000', '1_0']),
('uuidin', array['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11',
    '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}', 'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1',
    '', '{', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', ' a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11',
    'g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11-']);

-- In the form they are printed in.
update sets set vals = (select array_agg(v::interval::text order by n) from unnest(vals) with ordinality u(v, n))
    where name in ('interval', 'zone', 'stride');
update sets set vals = (select array_agg(v::money::text order by n) from unnest(vals) with ordinality u(v, n)) where name = 'money';

-- Sets for arguments where the type's own says little, by the C function (and the argument's type).
create temp table overrides (prosrc text, arg int, name text);
insert into overrides values
('textlike', 2, 'pattern'), ('textnlike', 2, 'pattern'), ('texticlike', 2, 'pattern'),
('texticnlike', 2, 'pattern'), ('like_escape', 1, 'escaped'), ('like_escape', 2, 'escape'),
('text_substr', 2, 'count'), ('text_substr', 3, 'count'), ('text_substr_no_len', 2, 'count'),
('text_left', 2, 'count'), ('text_right', 2, 'count'), ('repeat', 2, 'times'), ('lpad', 2, 'width'), ('rpad', 2, 'width'), ('lpad', 3, 'needle'), ('rpad', 3, 'needle'),
('translate', 2, 'needle'), ('translate', 3, 'needle'), ('binary_encode', 1, 'octets'), ('binary_encode', 2, 'encoding'),
('split_part', 1, 'listed'), ('split_part', 2, 'delimiter'), ('split_part', 3, 'nth'),
('replace_text', 2, 'needle'), ('replace_text', 3, 'delimiter'), ('textpos', 2, 'needle'),
('btrim', 2, 'needle'), ('ltrim', 2, 'needle'), ('rtrim', 2, 'needle'),
('text_starts_with', 2, 'needle'),
('numeric_round', 1, 'numshort'), ('numeric_round', 2, 'scale'), ('numeric_trunc', 1, 'numshort'),
('numeric_trunc', 2, 'scale'), ('numeric', 1, 'numshort'), ('numeric', 2, 'typmod'),
('varchar', 2, 'length'), ('bpchar', 2, 'length'), ('timestamp_scale', 2, 'precision'),
('timestamptz_scale', 2, 'precision'), ('numeric_float4', 1, 'bignum'), ('numeric_float8', 1, 'bignum'),
('extract_date', 1, 'unit'), ('extract_timestamp', 1, 'unit'), ('extract_timestamptz', 1, 'unit'),
('timestamp_part', 1, 'unit'), ('timestamptz_part', 1, 'unit'), ('timestamp_trunc', 1, 'unit'),
('timestamptz_trunc', 1, 'unit'), ('interval_trunc', 1, 'unit'), ('extract_interval', 1, 'unit'), ('interval_part', 1, 'unit'),
('extract_time', 1, 'unit'), ('time_part', 1, 'unit'), ('extract_timetz', 1, 'unit'), ('timetz_part', 1, 'unit'), ('timestamptz_izone', 1, 'zone'), ('timestamp_izone', 1, 'zone'),
('time_scale', 2, 'precision'), ('timetz_scale', 2, 'precision'), ('interval_mul', 2, 'factor'), ('interval_div', 2, 'factor'),
('mul_d_interval', 1, 'factor'), ('make_interval', 1, 'part'), ('make_interval', 2, 'part'), ('make_interval', 3, 'part'),
('make_interval', 4, 'part'), ('make_interval', 5, 'part'), ('make_interval', 6, 'part'), ('make_interval', 7, 'second'),
('make_time', 1, 'hour'), ('make_time', 2, 'minute'), ('make_time', 3, 'second'), ('make_date', 1, 'year'), ('make_date', 2, 'month'),
('make_date', 3, 'day'), ('make_timestamp', 1, 'years'), ('make_timestamp', 2, 'months'), ('make_timestamp', 3, 'days'),
('make_timestamp', 4, 'hours'), ('make_timestamp', 5, 'minutes'), ('make_timestamp', 6, 'second'),
('make_timestamptz', 1, 'years'), ('make_timestamptz', 2, 'months'), ('make_timestamptz', 3, 'days'), ('make_timestamptz', 4, 'hours'), ('make_timestamptz', 5, 'minutes'), ('make_timestamptz', 6, 'second'), 
('timestamp_mi timestamp without time zone', 1, 'moment'), ('timestamp_mi timestamp without time zone', 2, 'moment'),
('timestamp_mi timestamp with time zone', 1, 'instant'), ('timestamp_mi timestamp with time zone', 2, 'instant'), ('timestamp_bin', 1, 'stride'), ('timestamp_bin', 2, 'moment'), ('timestamp_bin', 3, 'origin'), ('timestamptz_bin', 2, 'instant'), ('timestamptz_bin', 3, 'instant'), ('timestamptz_bin', 1, 'stride');

create temp table errors (n serial, code text, message text, unique (code, message));
create temp table output (n serial, line text);

create function pg_temp.answer(query text) returns text language plpgsql as $$
declare
    result text;
    c text;
    m text;
    k int;
begin
    execute query into result;
    return coalesce(result, '\N');
exception when others then
    get stacked diagnostics c = returned_sqlstate, m = message_text;
    select e.n into k from errors e where e.code = c and e.message = m;
    if not found then
        insert into errors (code, message) values (c, m) returning n into k;
        insert into output (line) values (concat_ws(e'\t', 'E', k, c, m));
    end if;
    return '!' || k;
end $$;

-- A literal of a type; char(n) as it stands, blanks and all.
create function pg_temp.lit(v text, t regtype) returns text language sql as $$
    select format('%L::%s', v, case t when 'bpchar'::regtype then 'bpchar' when 'bit'::regtype then '"bit"' else t::text end) $$;

-- Rows of pg_proc with the same C function and arguments are captured once, by the first of them.
create function pg_temp.capture_function(f oid, oids text) returns void language plpgsql as $$
declare
    p record;
    names text[] = '{}';
    prefixes text[] = array[''];
    types regtype[];
    head text;
    line text;
    prefix text;
begin
    select proname, prosrc, prorettype, proargtypes::oid[] as args into p from pg_proc where oid = f;
    types = (select array_agg(case when t = 'anynonarray'::regtype then 'float8'::regtype else t end order by n)
             from unnest(p.args::regtype[]) with ordinality u(t, n));
    for i in 0 .. cardinality(p.args) - 1 loop
        names = names || coalesce((select name from overrides o where o.prosrc in (p.prosrc, p.prosrc || ' ' || types[i + 1]) and arg = i + 1),
                                  (select typname::text from pg_type where oid = types[i + 1]));
        if f in (1384) and i = 0 then names[1] = 'unit'; end if;
    end loop;
    if exists (select from unnest(names) x where not exists (select from sets where name = x)) then
        return;
    end if;
    head = concat_ws(e'\t', 'F', oids, p.prorettype::oid);
    for i in 1 .. cardinality(names) loop
        head = head || e'\t' || types[i]::oid || ':' || names[i];
    end loop;
    for i in 1 .. cardinality(names) - 1 loop
        prefixes = (select array_agg(x || pg_temp.lit(s.v, types[i]) || ', ' order by xn, s.n)
                    from unnest(prefixes) with ordinality u(x, xn),
                         unnest((select vals from sets where name = names[i])) with ordinality s(v, n));
    end loop;
    insert into output (line) values (head);
    foreach prefix in array prefixes loop
        line = (select string_agg(pg_temp.answer(format(
                        'select format(''%%s'', x) from pg_catalog.%I(%s%s) x where x is not null',
                        p.proname, prefix, pg_temp.lit(s.val, types[cardinality(types)]))), e'\t' order by s.n)
                from unnest((select vals from sets where name = names[cardinality(names)])) with ordinality s(val, n));
        insert into output (line) values (line);
    end loop;
end $$;

create function pg_temp.capture_cast(f regtype, t regtype, setname text) returns void language plpgsql as $$
declare
    body text;
begin
    body = (select string_agg(pg_temp.answer(format('select format(''%%s'', (%s)::%s) where %L is not null',
                pg_temp.lit(s.v, f), case t when 'bpchar'::regtype then 'bpchar' else t::text end, s.v)), e'\t' order by s.n)
            from unnest((select vals from sets where name = setname)) with ordinality s(v, n));
    insert into output (line) values (concat_ws(e'\t', 'C', f::oid, t::oid, setname)), (body);
end $$;

create function pg_temp.capture_aggregate(f oid, vals text[]) returns void language plpgsql as $$
declare
    p record;
    t regtype;
    chosen text[];
begin
    select proname, prorettype, proargtypes[0]::regtype as arg into p from pg_proc where oid = f;
    t = case when p.arg = '"any"'::regtype then 'text'::regtype else p.arg end;
    insert into output (line) values (concat_ws(e'\t', 'A', f, p.prorettype::oid, t::oid));
    execute format('select array_agg(case when v is not null then format(''%%s'', v::%s) end) from unnest(%L::text[]) v', t, vals)
        into vals;
    for i in 0 .. 35 loop
        chosen = (select coalesce(array_agg(v), '{}') from (select v from unnest(vals) v order by random() limit i % 9) x);
        chosen = chosen || case when i % 5 = 4 then chosen end;
        insert into output (line) values (concat_ws(e'\t',
            pg_temp.answer(format('select format(''%%s'', r) from (select %I(x) r from unnest(%L::%s[]) x) y where r is not null',
                p.proname, chosen, case t when 'bpchar'::regtype then 'bpchar' else t::text end)),
            (select string_agg(coalesce(v, '\N'), e'\t') from unnest(chosen) v)));
    end loop;
end $$;

\o /dev/null
insert into output (line)
    select 'S' || e'\t' || name || e'\t' || array_to_string(vals, e'\t', '\N') from sets order by name;
select setseed(0.5);
select count(pg_temp.capture_function(o, oids)) from
    (select min(oid) o, string_agg(oid::text, ',' order by oid) oids from pg_proc
     where oid in (:oids) and oid not in (1159, 2069) group by prosrc, prolang, proargtypes, case when prolang <> 12 then oid end order by 1) x;
select pg_temp.capture_cast('text', t::regtype, 'intin') from unnest(array['int2', 'int4', 'int8']) t;
select pg_temp.capture_cast('text', 'bool', 'boolin'), pg_temp.capture_cast('text', 'uuid', 'uuidin'),
    pg_temp.capture_cast('text', 'numeric', 'numericin'), pg_temp.capture_cast('text', 'float4', 'floatin'),
    pg_temp.capture_cast('text', 'float8', 'floatin'), pg_temp.capture_cast('text', 'date', 'date'),
    pg_temp.capture_cast('text', 'timestamp', 'timestamp'), pg_temp.capture_cast('text', 'timestamptz', 'timestamptz'),
    pg_temp.capture_cast('bpchar', 'int4', 'intin');
select pg_temp.capture_cast(t::regtype, 'text', t)
    from unnest(array['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'date', 'timestamp', 'timestamptz', 'uuid']) t;

select pg_temp.capture_aggregate(a, array[null, '0', '1', '-1', '2', '32767', '-32768', '100', '-7'])
    from unnest(array[2109, 2102, 2133, 2117, 2236, 2237, 6164]) a;
select pg_temp.capture_aggregate(a, array[null, '0', '1', '-1', '2', '2147483647', '-2147483648', '100', '-7'])
    from unnest(array[2108, 2101, 2132, 2116, 2238, 2239, 6165]) a;
select pg_temp.capture_aggregate(a, array[null, '0', '1', '-1', '2', '9223372036854775807', '-9223372036854775808', '100', '-7', '3037000500'])
    from unnest(array[2107, 2100, 2131, 2115, 2240, 2241, 6166]) a;
select pg_temp.capture_aggregate(a, array[null, '0', '1.50', '-1', '0.005', '99999999999999999999.99', '-12345678901234567890.123', '100', '-7'])
    from unnest(array[2114, 2103, 2146, 2130]) a;
select pg_temp.capture_aggregate(a, array['0', '1.5', 'NaN', 'Infinity', '-Infinity', '-3']) from unnest(array[2114, 2103, 2146, 2130]) a;
select pg_temp.capture_aggregate(a, array[null, '0', '-0', '1.5', '-1', '0.25', '1024', '-7']) from unnest(array[2110, 2104, 2111, 2105]) a;
select pg_temp.capture_aggregate(a, array['-0', '-0', '1.5', 'NaN', 'Infinity', '-Infinity']) from unnest(array[2110, 2104, 2111, 2105]) a;
select pg_temp.capture_aggregate(a, array[null, '1.5', '-1', 'NaN', 'Infinity', '-Infinity', '0.1']) from unnest(array[2135, 2119, 2136, 2120]) a;
select pg_temp.capture_aggregate(a, array[null, '2000-01-01', '2024-02-29', '0044-03-15 BC', 'infinity', '-infinity', '1999-12-31'])
    from unnest(array[2138, 2122, 2142, 2126, 2143, 2127]) a;
select pg_temp.capture_aggregate(a, array[null, 'a', 'b', 'B', 'ab', 'ä', '', '€']) from unnest(array[2145, 2129, 2245, 2244, 2147]) a;
select pg_temp.capture_aggregate(a, array[null, 't', 'f', 't']) from unnest(array[2517, 2518, 2519]) a;
-- An error may have been met in the middle of a body: errors first.
\o
select line from output order by line !~ '^[SE]\t', n;
