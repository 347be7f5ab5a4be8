#!/bin/sh
# Installs the Debian packages that are named and missing: as root, or through sudo; without either it
# prints the command to run and fails.
#
#     tests/deps.sh PACKAGE…
#
# The servers among them are wanted for their programs only. Debian would make and start one of each
# for the whole machine, now and at every boot; nobody asked for that, so the ones that are installed
# here stay switched off, and it is said how to switch them on. What was there before isn't touched.
set -eu

# Some are there if what they are wanted for is there, from wherever it came.
present() {
    case $1 in
    postgresql) [ -x "${PG_BINDIR:-}/initdb" ] && [ -x "${PG_BINDIR:-}/postgres" ] && return ;;
    redis-server | clang-format | cppcheck | shellcheck) command -v "$1" >/dev/null && return ;;
    netcat-openbsd) command -v nc >/dev/null && return ;;
    esac
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Tells postgresql-common, while the package is being installed, to make no cluster.
cluster_conf=/etc/postgresql-common/createcluster.d/palimpsestd-deps.conf

switch_off() {
    case " $missing " in
    *" postgresql "*)
        as_root sh -c "mkdir -p ${cluster_conf%/*} && echo create_main_cluster = false >$cluster_conf"
        ;;
    esac
}

switch_back() {
    case " $missing " in
    *" postgresql "*)
        as_root sh -c "rm -f $cluster_conf; rmdir ${cluster_conf%/*} 2>/dev/null; true"
        ;;
    esac
}

say_what_is_off() {
    case " $missing " in
    *" postgresql "*)
        echo "-- no database cluster was made for this machine; 'pg_createcluster VERSION main --start' makes it"
        ;;
    esac
    case " $missing " in
    *" redis-server "*)
        if [ -d /run/systemd/system ]; then
            as_root systemctl disable -q --now redis-server
            echo "-- redis-server is not running; 'systemctl enable --now redis-server' starts it"
        fi
        ;;
    esac
}

install_missing() {
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $missing >"$log" 2>&1
}

missing=
for package in "$@"; do
    present "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "not a Debian system; make sure that these or their like are installed:$missing" >&2
    exit 0
fi
if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
    echo "packages are missing; as root, run:" >&2
    echo "    apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

echo "-- installing$missing"
log=$(mktemp)
trap 'switch_back; rm -f "$log"' EXIT
trap 'exit 130' INT TERM HUP
switch_off
# The package lists may be there already, or be old or absent: try, refresh, try again.
if ! install_missing; then
    as_root apt-get update -q >/dev/null 2>&1 || true
    install_missing || {
        cat "$log" >&2
        exit 1
    }
fi
say_what_is_off
