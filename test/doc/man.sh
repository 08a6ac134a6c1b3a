#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual pages: mandoc finds nothing to warn about, each public name has its page, and each name that a
# page of section 3 announces exists and is in the index of vmalloc(3).
set -euo pipefail

source=${VMALLOC_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$source"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# Words after .Nm in NAME.
announced() {
    awk '/^\.Sh NAME/ { on = 1; next } /^\.Nd/ { on = 0 } on && $1 == ".Nm" { print $2 }' "$@" | sort -u
}

# Functions, variables and macros with arguments, less those for the header's own use; the wrappers of the
# malloc family under VMFL are not ours.
declared() {
    local headers=(include/vmalloc.h include/vmalloc/*.h)
    {
        cat "${headers[@]}" | tr '\n' ' ' | sed 's,/\*[^*]*\**\([^/*][^*]*\*\**\)*/,,g' |
            grep -oE 'extern VM_API [^;(]*[;(]' | sed 's/ *[;(]$//; s/.*[ *]//'
        sed -nE 's/^# *define ([A-Za-z]\w*)\(.*/\1/p' "${headers[@]}"
    } | grep -vE '^_|^(malloc|realloc|calloc|free|memalign|valloc|cfree|strdup)$' | sort -u
}

declared >"$work/declared"
announced doc/man/*.3 >"$work/announced"
if [ "$(wc -l <"$work/declared")" -lt 30 ]; then
    echo "found only these names in the headers:" $(cat "$work/declared")
    failed=1
fi
while read -r name; do
    echo "$name: in a header, but NAME of no page in doc/man/ has it (.Nm $name)"
    failed=1
done < <(comm -23 "$work/declared" "$work/announced")
while read -r name; do
    echo "$name: in NAME of a manual page, but in no header"
    failed=1
done < <(comm -13 "$work/declared" "$work/announced")

# vmalloc(3) is the index: each name and each page of section 3, but for those with which methods are written.
while read -r name; do
    grep -qw -- "$name" doc/man/vmalloc.3 || { echo "$name: not in the index of doc/man/vmalloc.3"; failed=1; }
done < <(grep -v '^vmmt' "$work/announced"; basename -s .3 doc/man/*.3)

for page in doc/man/*.3; do
    for section in 'RETURN VALUES' ERRORS THREADS COMPATIBILITY; do
        if ! grep -qx "\.Sh $section" "$page"; then
            echo "$page: no section $section"
            failed=1
        fi
    done
done

# References to pages of this project: the page is there.
while read -r name section; do
    if [ ! -f "doc/man/$name.$section" ]; then
        echo ".Xr $name $section: there is no such page"
        failed=1
    fi
done < <(sed -nE 's/^\.Xr (vm[a-z-]*) ([0-9]).*/\1 \2/p; s/.*Xr (vm[a-z-]*) ([0-9]).*/\1 \2/p' doc/man/*.[137] | sort -u)

if command -v mandoc >/dev/null; then
    mandoc -Tlint -W warning doc/man/*.[137] || failed=1
else
    echo "mandoc is not there: the pages were not checked by it"
    [ "$failed" -ne 0 ] || exit 77
fi
exit "$failed"
