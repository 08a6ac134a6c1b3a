#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A dictionary of Cdt in an image, in processes of their own: it is there again; programs that are killed leave it
# whole: all words of a run are counted, or none.
set -euo pipefail

cdt=$VMALLOC_BUILD/examples/hooks/cdt
[ -x "$cdt" ] || { echo "$cdt is not there"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
image=$work/image

fail() {
    echo "$1"
    exit 1
}

timeout 20 "$cdt" "$image" the quick brown fox
timeout 20 "$cdt" "$image" the lazy dog
[ "$(timeout 20 "$cdt" "$image")" = $'brown 1\ndog 1\nfox 1\nlazy 1\nquick 1\nthe 2' ] || fail "what was counted is not there"
mv "$image" "$work/moved"
[ "$(timeout 20 "$cdt" "$work/moved" | wc -l)" = 6 ] || fail "not there under another name"

# Killed at any moment: whatever is there, all words of a run were counted equally often.
words=$(seq -f 'w%g' 2000)
runs=0
for ((i = 0; i < 40; i++)); do
    "$cdt" "$image" $words & pid=$!
    if ((i % 8)); then
        sleep "0.00$((i % 10))"
        kill -9 $pid 2>/dev/null || true
    fi
    if wait $pid 2>/dev/null; then runs=$((runs + 1)); fi
    timeout 20 "$cdt" "$image" >"$work/list" || fail "round $i: it does not open"
    [ "$(cut -d' ' -f2 "$work/list" | sort -u | wc -l)" = 1 ] || fail "round $i: part of a run is there"
    [ "$(wc -l <"$work/list")" = 2000 ] || fail "round $i: words are missing"
    times=$(head -n 1 "$work/list" | cut -d' ' -f2)
    [ "$times" -ge "$runs" ] && [ "$times" -le $((i + 1)) ] || fail "round $i: $times times after $runs runs"
done
timeout 20 "$VMALLOC_BUILD/vmalloc" image check "$image"
