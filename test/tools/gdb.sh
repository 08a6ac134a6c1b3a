#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# share/gdb/vmalloc-gdb.py tells of regions and blocks what the library says itself, in a process that stands still,
# and the same in its core file.
set -uo pipefail

: "${VMALLOC_SOURCE:?}" "${VMALLOC_BUILD:?}"
source=$(realpath "$VMALLOC_SOURCE")
library=$(realpath "$VMALLOC_BUILD/libvmalloc.so")
for tool in gdb cc; do
    command -v $tool >/dev/null || { echo "$tool is not there"; exit 77; }
done
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset LD_PRELOAD VMALLOC_OPTIONS
export told=$work/told

quiet=(timeout 100 gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set pagination off' -ex 'set confirm off'
    -ex 'set startup-with-shell off' -ex 'set print inferior-events off')
# A program of another machine, a gdb without Python, a system that allows no tracing.
cc -g -pthread -I "$source/include" "$source/test/tools/_gdb.c" "$library" -Wl,-rpath,"${library%/*}" -o program ||
    { echo "cannot be linked to $library here"; exit 77; }
if ! "${quiet[@]}" -ex 'python print("python")' -ex 'break main' -ex run ./program 2>&1 |
    awk '/^python/ { p = 1 } /^Breakpoint 1, main/ { b = 1 } END { exit !(p && b) }'; then
    echo "gdb has no Python or cannot run a program here"
    exit 77
fi
if ! "${quiet[@]}" -ex 'info line vmopen' "$library" 2>&1 | grep -q vmopen.c; then
    echo "$library has no debug information"
    exit 77
fi

"${quiet[@]}" -ex "set args $told" -ex 'break ready' -ex run -ex "source $source/share/gdb/vmalloc-gdb.py" \
    -ex 'gcore core' -ex 'echo begin\n' -ex "source $source/test/tools/_gdb.py" -ex kill ./program >live.all 2>&1
sed '1,/^begin$/d; /^\[Inferior/d' live.all >live
if ! grep -qx 'all is as told' live; then
    tail -20 live.all
    exit 1
fi
if [ ! -s core ]; then
    echo "gdb made no core file"
    exit 77
fi
"${quiet[@]}" -ex 'core-file core' -ex "source $source/share/gdb/vmalloc-gdb.py" -ex 'echo begin\n' \
    -ex "source $source/test/tools/_gdb.py" ./program >core.all 2>&1
sed '1,/^begin$/d' core.all >dead
diff live dead || exit 1

# Without debug information a process that can run is asked, and the rest says what it lacks.
command -v strip >/dev/null || exit 0
mkdir stripped
strip --strip-debug -o stripped/"$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')" "$library" || exit 0
cc -g -pthread -I "$source/include" "$source/test/tools/_gdb.c" "$library" -o unbound # finds the library by its name
"${quiet[@]}" -ex "set args $told" -ex "set environment LD_LIBRARY_PATH $work/stripped" -ex 'break ready' -ex run \
    -ex "source $source/share/gdb/vmalloc-gdb.py" -ex "vmalloc block first" -ex 'vmalloc regions' -ex kill \
    ./unbound >asked 2>&1
if ! grep -q 'is in region' asked || ! grep -q 'no libvmalloc with debug information' asked; then
    cat asked
    exit 1
fi
