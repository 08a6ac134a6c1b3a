#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The probes in the libraries are those of vmalloc-probes(7); one of them, in gdb, stops where it says and tells what it
# says.
set -uo pipefail

: "${VMALLOC_SOURCE:?}" "${VMALLOC_BUILD:?}"
page=$VMALLOC_SOURCE/doc/man/vmalloc-probes.7
library=$(realpath "$VMALLOC_BUILD/libvmalloc.so")
command -v readelf >/dev/null || { echo "readelf is not there"; exit 77; }
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

readelf -n "$library" 2>/dev/null | awk '$1 == "Provider:" { ours = $2 == "vmalloc" } $1 == "Name:" && ours { print $2 }' |
    sort -u >there
if [ ! -s there ]; then
    echo "built without probes"
    exit 77
fi
sed -n 's/^\.It Cm \([a-z]*\) Ar .*/\1/p' "$page" | sort -u >told
diff told there || { echo "$page and $library differ"; exit 1; }

for tool in gdb cc; do
    command -v $tool >/dev/null || { echo "$tool is not there"; exit 77; }
done
cat >program.c <<'EOF'
#include <vmalloc.h>
Vmalloc_t *region;
int main(void)
{
    region = vmopen(Vmdcsystem, Vmbest, 0);
    vmfree(region, &region);
    return vmclose(region);
}
EOF
cc -g -I "$VMALLOC_SOURCE/include" program.c "$library" -Wl,-rpath,"${library%/*}" -o program ||
    { echo "cannot be linked to $library here"; exit 77; }
timeout 100 gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set startup-with-shell off' -ex 'break main' -ex run \
    -ex 'break -probe-stap vmalloc:badaddr' -ex continue -ex 'print $_probe_argc' \
    -ex 'print (void *)$_probe_arg0 == region' -ex 'print (void *)$_probe_arg1 == &region' -ex kill ./program >log 2>&1
if ! grep -q '^Breakpoint 1, main' log; then
    echo "gdb cannot run a program here"
    exit 77
fi
if [ "$(sed -n 's/^\$[0-9]* = //p' log | tr '\n' ' ')" != '2 1 1 ' ]; then
    cat log
    exit 1
fi
