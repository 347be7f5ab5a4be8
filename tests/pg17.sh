#!/bin/sh
# The end-to-end tests and the SQL scripts against Postgres 17, as it is in Debian 13: its programs run
# in a root of their own, made by debootstrap; the daemon and the tests stay outside and reach the
# server by its socket, which is in there too.
#
#     tests/pg17.sh ROOT PROGRAM…    as root; ROOT is made if it isn't there, and kept (600 MB)
#
# MIRROR as for debootstrap; without it, where this Debian gets its own packages from.
set -eu
root=$1
shift
[ "$(id -u)" -eq 0 ] || {
    echo "pg17: needs root" >&2
    exit 1
}
mkdir -p "${root%/*}"
root=$(cd "${root%/*}" && pwd)/${root##*/}

# The first address of a Debian archive in apt's sources, in either of their formats.
own_mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*debian\/\{0,1\}\)$/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*debian\/\{0,1\}\) .*/\2/p' |
        head -1
}

if [ ! -x "$root/usr/lib/postgresql/17/bin/postgres" ]; then
    mirror=${MIRROR:-$(own_mirror)}
    echo "pg17: making $root from ${mirror:=http://deb.debian.org/debian}"
    rm -rf --one-file-system "$root"
    log=$root.log
    debootstrap --variant=minbase --include=postgresql trixie "$root" "$mirror" >"$log" 2>&1 || {
        tail -20 "$log" >&2
        exit 1
    }
fi

# Postgres wants a name for the user it runs as, who is one of this system.
user=$(id -u postgres 2>/dev/null || id -u nobody)
grep -q "^[^:]*:[^:]*:$user:" "$root/etc/passwd" ||
    echo "palimpsest-test:x:$user:$user::/nonexistent:/bin/false" >>"$root/etc/passwd"

# Its ICU is another version than the daemon's, so that it leaves such collations to Postgres.
export SQL_RERUN_OK=types_collation
export PG_CHROOT="$root" PG_BINDIR="$root/usr/lib/postgresql/17/bin" TMPDIR="$root/tmp"
"$(dirname "$0")/run" "$@"
