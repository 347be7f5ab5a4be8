#!/bin/sh
# Fuzzes every target named, each for FUZZ_SECONDS (60), and prints a table: executions, executions a
# second, edges reached (of everything the program links), inputs kept, findings in all, and how much of
# the files it is for the kept inputs reach: lines and branches, from a build that counts them.
set -eu

# The files that a target is for.
sources_of() {
    case $1 in
    config) echo daemon/config.c daemon/config_listen.c daemon/config_value.c ;;
    datum) echo engine/value/datum.c engine/value/datum_compound.c engine/value/datum_jsonb.c ;;
    expr) echo engine/expr/expr.c engine/expr/eval*.c engine/expr/fn_*.c engine/expr/cast.c ;;
    ingest) echo daemon/ingest.c daemon/apply.c daemon/store.c daemon/relation.c daemon/leaf.c daemon/rowslab.c ;;
    json) echo engine/expr/srf_json.c ;;
    laws) echo engine/value/value.c engine/value/opaque.c engine/value/parts.c engine/value/jsonb.c engine/value/json.c engine/value/row.c ;;
    pgcopy) echo protocol/pgcopy.c ;;
    pgnode) echo engine/sql/pgnode.c ;;
    pgoutput) echo protocol/pgoutput.c ;;
    plan) echo engine/sql/bind*.c engine/sql/pg*.c engine/sql/refuse.c engine/sql/rerun*.c engine/plan/*.c ;;
    outq) echo daemon/outq.c ;;
    progress) echo daemon/progress.c ;;
    rows) echo engine/host/encode.c engine/host/history.c engine/host/bag.c engine/host/payload.c ;;
    request) echo protocol/line.c protocol/request.c protocol/rawjson.c protocol/utf8.c ;;
    value) echo engine/value/value.c engine/value/numeric_text.c engine/value/datetime_text.c engine/value/float.c engine/value/interval.c engine/value/parts.c engine/value/json.c ;;
    *) echo "tests/fuzzers/fuzz_$1.c" ;;
    esac
}

tool() {
    command -v "$1" || command -v "$1-14"
}
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

# Lines and branches, in percent, that the kept inputs reach.
coverage() {
    program=build-fuzz-cov/tests/fuzzers/fuzz_$1
    LLVM_PROFILE_FILE=build-fuzz-cov/$1.profraw \
        "$program" "tests/fuzzers/corpus/$1" "build-fuzz/corpus/$1" >/dev/null 2>&1 || true
    "$profdata" merge -o "build-fuzz-cov/$1.profdata" "build-fuzz-cov/$1.profraw"
    # shellcheck disable=SC2046
    "$cov" report "$program" -instr-profile="build-fuzz-cov/$1.profdata" $(sources_of "$1") |
        awk '/^TOTAL/ { print $10, $13 }'
}

stat_of() {
    sed -n "s/^stat::$2: *//p" "build-fuzz/$1.log"
}

printf '%-12s %11s %8s %7s %7s %8s %8s %9s\n' target executions /s edges inputs lines branches findings
for target in "$@"; do
    FUZZ_SECONDS=${FUZZ_SECONDS:-60} tests/fuzzers/run.sh "$target" >/dev/null || true
    edges=$(grep -aoE 'cov: [0-9]+' "build-fuzz/$target.log" | tail -1 | cut -d' ' -f2)
    findings=$(find build-fuzz/findings -name "$target-*" ! -name "*slow-unit*" | wc -l)
    inputs=$(find "build-fuzz/corpus/$target" -type f | wc -l)
    # shellcheck disable=SC2046,SC2183
    printf '%-12s %11s %8s %7s %7s %8s %8s %9s\n' "$target" "$(stat_of "$target" number_of_executed_units)" \
        "$(stat_of "$target" average_exec_per_sec)" "$edges" "$inputs" $(coverage "$target") "$findings"
done
