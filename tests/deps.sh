#!/bin/sh
# Installs the Debian packages that are named and missing: as root, or through sudo; without either it
# prints the command to run and fails.
#
#     tests/deps.sh PACKAGE…
set -eu

missing=
for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$'; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086
install() {
    echo "-- installing$missing"
    $1 env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing \
        >"$log" 2>&1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ "$(id -u)" -eq 0 ]; then
    as=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as="sudo -n"
elif command -v sudo >/dev/null && [ -t 0 ]; then
    as=sudo
else
    echo "missing packages; as root, run:  apt-get update && apt-get install -y$missing" >&2
    exit 1
fi
# The package lists may be there already, or be old or absent: try, refresh, try again.
if ! install "$as"; then
    $as apt-get update -q >/dev/null 2>&1 || true
    install "$as" || {
        cat "$log" >&2
        exit 1
    }
fi
