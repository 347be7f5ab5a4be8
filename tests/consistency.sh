#!/bin/sh
# What is written down in two places must say the same in both: configuration keys in config_keys.def,
# the sample file, the man page and --help; requests in request.def and PROTOCOL.md; options in
# options.c and the man page; the version. Run from the top of the tree; says each difference, exits 1
# if there is any. With a built daemon in $PALIMPSESTD (or ./palimpsestd) it asks that too.
set -u
daemon=${PALIMPSESTD:-./palimpsestd}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

complain() {
    echo "consistency: $1"
    failed=$((failed + 1))
}

# same WHAT FILE_A FILE_B: the sorted lines of both are equal.
same() {
    sort "$2" >"$tmp/a"
    sort "$3" >"$tmp/b"
    if ! cmp -s "$tmp/a" "$tmp/b"; then
        complain "$1 (< in the table, > there)"
        diff "$tmp/a" "$tmp/b" | grep '^[<>]'
    fi
}

# The tables, by way of the preprocessor: "key|default|kind|reload" and "VERB arguments".
cc_table() {
    { printf '#define %s\n' "$1"; sed '1,/\*\//d' "$2"; } | ${CC:-cc} -E -P - | sed -n 's/ *@//p' |
        sed 's/" *"//g; s/"//g'
}
cc_table 'CONFIG(t, s, n, d, r, l, x) @#s "." #n "|" d "|" #t "|" r "|" #l' daemon/config_keys.def |
    awk -F'|' -v OFS='|' '
        BEGIN { kind["INT"] = "number"; kind["BYTES"] = "size"; kind["MSEC"] = "duration"
                kind["BOOL"] = "on/off"; kind["TEXT"] = "text" }
        $3 == "WORD" { range = $4; for (i = 5; i < NF; i++) range = range "/" $i
                       print $1, $2, range, tolower($NF); next }
        { print $1, $2, kind[$3] ($4 == "" ? "" : ", " $4), tolower($5) }' |
    sed 's/ *$//' >"$tmp/keys"
[ -s "$tmp/keys" ] || complain "no keys found in config_keys.def"

# In the sample file and the man page a key stands beside "(kind, range; reload)".
awk '/^# \(.*; (reload|start)\)$/ { note = substr($0, 4, length($0) - 4); gsub(/\|/, "/", note); next }
     /^#[a-z]+\.[a-z_]+ =/ { key = substr($1, 2); sub(/^#[^=]*= ?/, "")
         split(note, part, "; "); print key "|" $0 "|" part[1] "|" part[2]; note = "" }' \
    conf/palimpsestd.conf >"$tmp/sample"
same "config_keys.def and conf/palimpsestd.conf differ" "$tmp/keys" "$tmp/sample"

sed 's/\\-/-/g; s/\\(dq\\(dq//' conf/palimpsestd.conf.5 |
    awk '/^\.BR [a-z]+\.[a-z_]+ " = "/ { key = $2; sub(/^\.BR [^ ]+ " = " ?/, ""); value = $0 }
         key != "" && /^\(.*; (reload|start)\)$/ { note = substr($0, 2, length($0) - 2)
             gsub(/\|/, "/", note); split(note, part, "; ")
             print key "|" value "|" part[1] "|" part[2]; key = "" }' >"$tmp/man"
same "config_keys.def and conf/palimpsestd.conf.5 differ" "$tmp/keys" "$tmp/man"

# A key that no code reads would be a promise that isn't kept.
find daemon -name '*.c' ! -name 'config*.c' -exec cat {} + >"$tmp/code"
while IFS='|' read -r key rest; do
    grep -q "[>.]$(echo "$key" | tr . _)\b" "$tmp/code" || complain "no code reads the key $key"
done <"$tmp/keys"

# Requests: the first cell of PROTOCOL.md's table.
cc_table 'VERB(n, a, m, h) @#n " " a' protocol/request.def | sed 's/ *$//' >"$tmp/verbs"
# shellcheck disable=SC2016 # the backquotes are Markdown's
sed -n 's/^| `\([A-Z][A-Z]*[^`]*\)` |.*/\1/p' protocol/PROTOCOL.md | sed 's/\\|/|/g' |
    grep -v '^SQLSTATE' >"$tmp/documented"
same "request.def and the table of PROTOCOL.md differ" "$tmp/verbs" "$tmp/documented"

# Lines that the daemon writes must be described.
sed -n 's/.*"\([A-Z][A-Z]*\)[ "\\].*/\1/p' protocol/reply.c | sort -u | while read -r word; do
    grep -q "\b$word\b" protocol/PROTOCOL.md || echo "$word"
done >"$tmp/unknown"
[ -s "$tmp/unknown" ] && complain "PROTOCOL.md doesn't describe: $(tr '\n' ' ' <"$tmp/unknown")"

# Options.
grep -o '{"[a-z-]*", [a-z]*_argument' daemon/options.c | sed 's/{"/--/; s/".*//' >"$tmp/options"
sed 's/\\-/-/g' conf/palimpsestd.8 | sed -n '/^\.SH OPTIONS/,/^\.SH POSTGRESQL/s/^\.BI\{0,1\} \(--[a-z-]*\).*/\1/p' \
    >"$tmp/options.man"
same "options.c and conf/palimpsestd.8 differ" "$tmp/options" "$tmp/options.man"

version=$(sed -n 's/#define PALIMPSEST_VERSION "\(.*\)"/\1/p' daemon/version.h)
for file in protocol/PROTOCOL.md conf/palimpsestd.8 conf/palimpsestd.conf.5; do
    grep -q "\b$version\b" $file || complain "$file doesn't name version $version"
done

if [ -x "$daemon" ]; then
    "$daemon" --help >"$tmp/help" || complain "--help fails"
    while IFS='|' read -r key default rest; do
        grep -qxF "  $key=$default" "$tmp/help" || complain "--help doesn't list $key=$default"
    done <"$tmp/keys"
    while read -r option; do
        grep -q -- "^  $option " "$tmp/help" || complain "--help doesn't list $option"
    done <"$tmp/options"
    sed 's/^#\([a-z]*\.[a-z_]* =\)/\1/' conf/palimpsestd.conf >"$tmp/all.conf"
    "$daemon" --config "$tmp/all.conf" --check-config >"$tmp/out" 2>&1 ||
        complain "the sample file with all lines switched on is refused: $(cat "$tmp/out")"
    "$daemon" --version | grep -q " $version$" || complain "--version isn't $version"
fi

echo "consistency: $(wc -l <"$tmp/keys") keys, $(wc -l <"$tmp/verbs") requests, $failed differences"
[ "$failed" -eq 0 ]
