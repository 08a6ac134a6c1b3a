#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check-exports.sh BUILD: what the shared libraries export, need, and demand of the thread-local storage.
set -euo pipefail

build=${1:?usage: check-exports.sh BUILD}
status=0
region_names='_?(vm|Vm)[a-z][A-Za-z0-9_]*@@VMALLOC_1\.0'
malloc_names='malloc|calloc|realloc|reallocarray|free|free_sized|free_aligned_sized|cfree|memalign|aligned_alloc'
malloc_names+='|posix_memalign|valloc|pvalloc|malloc_usable_size|malloc_trim|mallinfo|mallinfo2|mallopt|malloc_stats'
malloc_names+='|malloc_info|malloc_get_state|malloc_set_state|strdup|strndup|wcsdup'
malloc_names+='|dlopen' # without RTLD_DEEPBIND, which would pass malloc by
# operator new and new[], delete and delete[], with any of: size, alignment, nothrow
malloc_names+='|_Zn[wa][jm](St11align_val_t)?(RKSt9nothrow_t)?|_Zd[la]Pv[jm]?(St11align_val_t)?(RKSt9nothrow_t)?'

fail() {
    printf '%s\n' "$*" >&2
    status=1
}

# exports FILE PATTERN: names that FILE exports and PATTERN does not know
exports() {
    local extra
    extra=$(nm -D --defined-only "$1" | awk '$2 != "A" { print $NF }' | grep -vxE "$2" || true)
    [ -z "$extra" ] || fail "$1 exports what it should not:" "$extra"
}

needs_libc_only() {
    local extra
    extra=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libpthread|ld-(linux|musl)[-a-z0-9_]*)\.so' || true)
    [ -z "$extra" ] || fail "$1 needs more than libc:" "$extra"
}

regions=$build/libvmalloc.so
exports "$regions" "$region_names"
needs_libc_only "$regions"
if readelf -d "$regions" | grep -q STATIC_TLS; then
    fail "$regions has static thread-local storage, so that dlopen may refuse it"
fi

whole=$build/libvmalloc-malloc.so
exports "$whole" "$region_names|$malloc_names"
needs_libc_only "$whole"
readelf -d "$whole" | grep -q NODELETE || fail "$whole can be unloaded, though its blocks are in use"
for name in malloc calloc realloc free memalign aligned_alloc posix_memalign malloc_usable_size; do
    nm -D --defined-only "$whole" | awk '{ print $NF }' | grep -qx "$name" ||
        fail "$whole does not export $name without a version, so that LD_PRELOAD passes it by"
done
exit $status
