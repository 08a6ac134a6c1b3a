#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The command vmalloc and its subcommand run: what it sets, what it says, and its exit statuses.
set -uo pipefail

command=${VMALLOC_BUILD:?}/vmalloc
library=$(realpath "$VMALLOC_BUILD/libvmalloc-malloc.so")
if [ ! -x "$command" ] || [ ! -e "$library" ]; then
    echo "$command or $library is not built"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMALLOC_LIB
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
failed=0

# LD_PRELOAD cannot name a path with a space, such as that of the build may be.
mkdir "$work/build"
cp "$command" "$library" "$work/build"
command=$work/build/vmalloc
library=$work/build/${library##*/}
ln -s "$library" "$work/build/libvmalloc-malloc.so"

# expect STATUS PATTERN COMMAND...: the exit status, and a pattern that the whole output matches
expect() {
    local status=$1 pattern=$2 output got
    shift 2
    output=$("$@" 2>&1)
    got=$?
    # shellcheck disable=SC2053
    if [ "$got" != "$status" ] || [[ $output != $pattern ]]; then
        printf 'FAILED: %s\n  status %s, expected %s\n  output "%s"\n  expected "%s"\n' \
            "$*" "$got" "$status" "$output" "$pattern"
        failed=1
    fi
}

# shellcheck disable=SC2016
show='echo "$LD_PRELOAD|$VMALLOC_OPTIONS|$*"'

# The command
expect 0 'Usage: vmalloc COMMAND*  run  *' "$command" --help
expect 0 'vmalloc [0-9]*\.[0-9.]*, interface of [0-9]*' "$command" --version
expect 2 'Usage: vmalloc COMMAND*' "$command"
expect 2 'vmalloc: there is no command "walk"*' "$command" walk
expect 0 'Usage: vmalloc run *--method=M*--options=STR*--verbose*' "$command" run --help

# What run sets
expect 0 "$library||a b" "$command" run sh -c "$show" sh a b
expect 0 "$library|method=last|" "$command" run --method=last sh -c "$show" sh
expect 0 "$library|method=best,noabort|--method=x" \
    "$command" run --method best --options=noabort -- sh -c "$show" sh --method=x
expect 0 "$library|keep,noabort|" \
    env VMALLOC_OPTIONS=keep "$command" run --options noabort sh -c "$show" sh
expect 0 "$library|method=last,method=best,noabort|" env VMALLOC_OPTIONS=method=best \
    "$command" run --method=last --options noabort sh -c "$show" sh
expect 0 1 "$command" run --debug sh -c 'echo "$VMDEBUG"'
expect 0 guard,leaks "$command" run --debug=guard,leaks sh -c 'echo "$VMDEBUG"'
expect 0 "$library:libc.so.6||" env LD_PRELOAD=libc.so.6 "$command" run sh -c "$show" sh
expect 0 "vmalloc: LD_PRELOAD=$library VMALLOC_OPTIONS= true" "$command" run --verbose true
expect 0 "*$library*" "$command" run cat /proc/self/maps

# Exit statuses
expect 0 '' "$command" run true
expect 7 '' "$command" run sh -c 'exit 7'
expect 143 '*' sh -c "'$command' run sh -c 'kill \$\$'; exit \$?"
expect 2 'vmalloc: no program named*' "$command" run
expect 2 'vmalloc: there is no method "first": best, last, pool' "$command" run --method=first true
expect 2 'vmalloc run: *walk*' "$command" run --walk true
expect 127 'vmalloc: no-such-program: *' "$command" run no-such-program
expect 126 "vmalloc: $work: *" "$command" run "$work"
expect 126 'vmalloc: VMALLOC_LIB=/no/such.so: *' env VMALLOC_LIB=/no/such.so "$command" run true

# Where the library is looked for: a tree as installed, wherever it is moved
mkdir -p "$work/bin" "$work/lib" "$work/a b"
cp "$command" "$work/bin/"
expect 126 "vmalloc: libvmalloc-malloc.so is neither in $work/bin nor in *" "$work/bin/vmalloc" run true
cp "$library" "$work/lib/libvmalloc-malloc.so"
expect 0 "$work/lib/libvmalloc-malloc.so||" "$work/bin/vmalloc" run sh -c "$show" sh
expect 0 "$library||" env VMALLOC_LIB="$library" "$work/bin/vmalloc" run sh -c "$show" sh
cp "$command" "$work/a b/"
cp "$library" "$work/a b/libvmalloc-malloc.so"
expect 126 "vmalloc: *a b/libvmalloc-malloc.so: a path with a space*" "$work/a b/vmalloc" run true
exit $failed
