#!/bin/sh
# One session of the daemon from its start to its exit under valgrind's memcheck: what faults.c does
# in a few rounds, then every client gone, SIGTERM, and nothing may be lost or have been misused.
#
#     tests/valgrind.sh DAEMON FAULTS
#
# Reachable memory isn't counted: libraries keep what they set up once. No suppression was needed.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/palimpsestd" <<END
#!/bin/sh
exec valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
    --show-leak-kinds=definite,indirect --num-callers=30 --log-file=$tmp/valgrind.%p '$1' "\$@"
END
chmod 755 "$tmp/palimpsestd"
status=0
for fault in nothing "walsender terminated" "clients gone" "columns altered"; do
    FAULT="$fault" ROUNDS=1 SEED=${SEED:-1} PATIENCE=20 PALIMPSESTD="$tmp/palimpsestd" "$2" >"$tmp/out" 2>&1 ||
        status=1
    tail -1 "$tmp/out" | sed "s/^/$fault: /"
done
cat "$tmp"/valgrind.* 2>/dev/null
[ "$status" -eq 0 ] || cat "$tmp/out"
if grep -q '==.*\(lost\|Invalid\|uninitialised\)' "$tmp"/valgrind.*; then
    status=1
fi
sessions=$(find "$tmp" -name 'valgrind.*' | wc -l)
echo "valgrind: $sessions sessions, $([ $status -eq 0 ] && echo nothing lost || echo FAILED)"
exit $status
