#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual pages: mandoc finds nothing to warn about, each public name has its page, and each name that a
# page of section 3 announces exists.
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
    echo "$name: in a header, in no manual page"
    failed=1
done < <(comm -23 "$work/declared" "$work/announced")
while read -r name; do
    echo "$name: in a manual page, in no header"
    failed=1
done < <(comm -13 "$work/declared" "$work/announced")

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
