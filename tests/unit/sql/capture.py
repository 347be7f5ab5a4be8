#!/usr/bin/env python3
"""Captures what the unit tests of sql/ and plan/ need from a real Postgres, into fixtures/.

    PGHOST=… PGUSER=… tests/unit/sql/capture.py [--trees] [name of the capture, default: pg<major>]

Makes a database of its own (palimpsest_capture) and drops it at the end. For every statement of
statements.txt it takes the analysed tree (as the daemon does), the result's column types, and for
the "run" ones the answer over two states of the data; and of the catalog, what the trees refer to.
The outcome is one text file of tab-separated records, see tests/support/sqlfixture.h. With --trees
only the trees of some of the statements, whole: for a second major version, to hold against the first.
"""
import os
import re
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
DB = "palimpsest_capture"
SETTINGS = "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1"


def psql(sql, db=DB, check=True):
    env = dict(os.environ, PGOPTIONS=SETTINGS, PGCLIENTENCODING="UTF8")
    p = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", db],
                       input=sql, capture_output=True, text=True, env=env)
    if check and p.returncode:
        sys.exit(f"{sql}\n{p.stderr}")
    return p.stdout


def read(name):
    with open(os.path.join(HERE, name)) as f:
        return f.read()


def statements():
    for line in read("statements.txt").splitlines():
        if line and not line.startswith("#"):
            kind, name, params, sql = line.split("|", 3)
            params = [tuple(x.strip() for x in p.split("=", 1)) for p in params.split(";") if p]
            yield kind, name, params, sql


def probe(params, sql):
    types = ",".join(t for t, _ in params)
    return (f"BEGIN; CREATE FUNCTION pg_temp.palimpsest_probe({types}) RETURNS SETOF record "
            f"LANGUAGE sql BEGIN ATOMIC {sql} ; END; SELECT prosqlbody FROM pg_proc "
            "WHERE oid = 'pg_temp.palimpsest_probe'::regproc; ROLLBACK")


def with_literals(params, sql):
    for i, (t, v) in enumerate(params, 1):
        literal = "NULL" if v == "" else "'" + v.replace("'", "''") + "'"
        sql = sql.replace(f"${i}", f"{literal}::{t}")
    return sql


def answers(out, state):
    for kind, name, params, sql in statements():
        if kind == "run":
            rows = psql(f"COPY ({with_literals(params, sql)}) TO STDOUT").splitlines()
            out.append("\t".join(["answer", name, str(state), str(len(rows))]))
            out += ["|" + r for r in rows]


def table_data(out, state):
    tables = psql("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p' "
                  "AND relnamespace = 'public'::regnamespace ORDER BY relname").split()
    for t in tables:
        cols = psql(f"SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute "
                    f"WHERE attrelid = '{t}'::regclass AND attnum > 0 AND NOT attisdropped").strip()
        rows = psql(f"COPY (SELECT {cols} FROM ONLY {t}) TO STDOUT").splitlines()
        oid = psql(f"SELECT '{t}'::regclass::oid").strip()
        out.append("\t".join(["data", oid, str(state), str(len(rows)), cols]))
        out += ["|" + r for r in rows]


CATALOG = r"""
SELECT 'type', t.oid, format_type(t.oid, NULL), t.typtype, t.typcategory, t.typelem
  FROM pg_type t WHERE t.oid IN (SELECT atttypid FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p'))
  OR t.oid = ANY (ARRAY[%(types)s]::oid[]) ORDER BY 2;
SELECT 'collation', c.oid, collname, CASE WHEN collprovider = 'd' THEN datlocprovider ELSE collprovider END,
  CASE WHEN collprovider = 'd' THEN datcollate ELSE collcollate END, collisdeterministic
  FROM pg_collation c, pg_database WHERE datname = current_database()
  AND (c.oid < 1000 OR c.oid = ANY (ARRAY[%(collations)s]::oid[])) ORDER BY 2;
SELECT 'function', oid, oid::regprocedure, provolatile FROM pg_proc WHERE oid = ANY (ARRAY[%(functions)s]::oid[])
  ORDER BY 2;
SELECT 'table', c.oid, nspname, relname, relkind, relpersistence, relreplident, nspname IN ('pg_catalog',
  'information_schema'), relrowsecurity, coalesce((SELECT ev_action::text FROM pg_rewrite WHERE ev_class = c.oid
  AND rulename = '_RETURN' AND relkind = 'v'), '')
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'v', 'm', 'f', 'p')
  AND (nspname = 'public' OR c.oid = 'pg_class'::regclass) ORDER BY 2;
SELECT 'column', attrelid, attnum, attname, attisdropped, attgenerated <> '', atttypid, atttypmod, attcollation
  FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE
  relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p')) ORDER BY 2, 3;
WITH RECURSIVE t(root, oid) AS (SELECT oid, oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
  AND relkind IN ('r', 'p') UNION SELECT root, inhrelid FROM t JOIN pg_inherits ON inhparent = t.oid)
SELECT 'leaf', root, oid, root = oid FROM t JOIN pg_class c USING (oid) WHERE relkind = 'r' ORDER BY 2, 3;
"""


def oids(text, names):
    found = {m for n in names for m in re.findall(rf":{n} (\d+)", text)}
    return ",".join(sorted(found, key=int))


def catalog(trees):
    views = psql("SELECT ev_action FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class "
                 "WHERE relnamespace = 'public'::regnamespace")
    text = "\n".join(trees) + views
    return psql(CATALOG % {
        "types": oids(text, ["vartype", "consttype", "opresulttype", "funcresulttype", "resulttype",
                             "aggtype", "casetype", "coalescetype", "paramtype", "minmaxtype"]),
        "collations": oids(text, ["collOid", "inputcollid", "varcollid", "resultcollid"]),
        "functions": oids(text, ["funcid", "opfuncid", "aggfnoid", "winfnoid"])}).splitlines()


# Fields that a tree may do without, to keep the fixtures small.
NOISE = ("insertedCols updatedCols extraUpdatedCols selectedCols requiredPerms checkAsUser override onConflict "
         "returningList withCheckOptions mergeActionList mergeUseOuterJoin stmt_location stmt_len aggno aggtransno "
         "aggtranstype aggargtypes aggdirectargs rellockmode inFromCl groupDistinct hasRowSecurity "
         "security_barrier hashfuncid negfuncid aggvariadic search_clause cycle_clause aggsplit varnosyn varattnosyn "
         "resorigtbl resorigcol isReturn querySource canSetTag location")


WHOLE = 2200  # bytes: shorter trees of the "run" kind stay as Postgres wrote them


def thin(tree):
    fields = "|".join(NOISE.split())
    return re.sub(rf" :(?:{fields}) (?:\([^()]*\)|[^ (){{}}]+)(?=[ }}])", "", tree)


def some(all_statements):
    return [s for i, s in enumerate(all_statements)
            if s[0] == "run" and i % 4 == 0 or s[0] == "bind" and not s[1].startswith("key_")]


def main():
    trees_only = "--trees" in sys.argv
    args = [a for a in sys.argv[1:] if a != "--trees"]
    psql(f"DROP DATABASE IF EXISTS {DB}", "postgres")
    psql(f"CREATE DATABASE {DB} TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'", "postgres")
    psql(read("schema.sql"))
    major = psql("SELECT current_setting('server_version_num')::int / 10000").strip()
    out, trees = [], []
    for kind, name, params, sql in some(statements()) if trees_only else statements():
        tree = psql(probe(params, sql)).strip()
        trees.append(tree)
        if trees_only:
            kind = "bind"
        elif kind != "run" or len(tree) > WHOLE:
            tree = thin(tree)
        out.append("\t".join([kind, name, ";".join(f"{t}={v}" for t, v in params), sql, tree]))
    for state in () if trees_only else (1, 2):
        psql(read(f"data{state}.sql"))
        table_data(out, state)
        answers(out, state)
    out = catalog(trees) + out
    name = args[0] if args else f"pg{major}"
    with open(os.path.join(HERE, name + ".txt"), "w") as f:
        f.write("\n".join(out) + "\n")
    psql(f"DROP DATABASE {DB}", "postgres")


main()
