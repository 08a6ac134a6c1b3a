#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The part of the demonstration that kills a key-value store: it is content with the store as it is, and sees
# stores that lose, tear and make up pairs, or cannot be opened again.
set -euo pipefail

store=$VMALLOC_BUILD/examples/08-key-value
show=$VMALLOC_SOURCE/demo/store.sh
[ -x "$store" ] || { echo "$store is not there"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work # what a part that fails leaves behind would lie here

fail() {
    echo "$1"
    cat "$work/out"
    exit 1
}

# liar WHAT: a store whose "list" goes through WHAT
liar() {
    cat >"$work/store" <<EOF
#!/usr/bin/env bash
if [ "\$2" != list ]; then exec "$store" "\$@"; fi
"$store" "\$@" | { $1; }
EOF
    chmod +x "$work/store"
}

timeout 120 "$show" "$store" >"$work/out" 2>&1 || fail "not content with the store"
[ "$(grep -cE '^ +[123] +[0-9]+ +[0-9]+ +0 +0$' "$work/out")" = 3 ] || fail "three lines of figures are wanted"
! grep -q FAILED "$work/out" || fail "it says that something failed"

while IFS='|' read -r how words; do
    liar "$how"
    if timeout 120 "$show" "$work/store" >"$work/out" 2>&1; then fail "not seen: $how"; fi
    grep -q "FAILED: .*$words" "$work/out" || fail "\"$words\" was to be said of: $how"
done <<'EOF'
tail -n +2|are lost
sed 3s/=k/=x/|are not what was stored
sed '$a kx=kx\nky=ky'|never committed
cat >/dev/null; false|does not open again
EOF
rm "$work/store" "$work/out"
[ -z "$(ls -A "$work")" ] || { ls -A "$work"; echo "something was left behind"; exit 1; }
