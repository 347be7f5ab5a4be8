#!/bin/sh
# Fuzzes one target with libFuzzer for FUZZ_SECONDS (600): run.sh TARGET. Prints its last line of statistics;
# what was found is in build-fuzz/findings, and the exit status tells.
set -eu
target=${1:?which target?}
program=build-fuzz/tests/fuzzers/fuzz_$target
corpus=build-fuzz/corpus/$target
log=build-fuzz/$target.log
mkdir -p "$corpus" build-fuzz/findings
dict=
[ ! -f "tests/fuzzers/dict/$target.dict" ] || dict=-dict=tests/fuzzers/dict/$target.dict
status=0
# shellcheck disable=SC2086
"$program" $dict -max_total_time="${FUZZ_SECONDS:-600}" -timeout=20 -max_len=${MAX_LEN:-2048} -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/findings/$target-" "$corpus" "tests/fuzzers/corpus/$target" \
    >"$log" 2>&1 || status=$?
grep -E '^(#[0-9]+.*cov:|stat::|==[0-9]+==|SUMMARY|.*not so:)' "$log" | tail -12
exit $status
