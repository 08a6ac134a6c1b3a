#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Programs in C and C++ linked to libvmalloc-malloc, shared and static, by each compiler that is there, and a
# program that loads the library when it runs already.
set -uo pipefail

build=$(realpath "${VMALLOC_BUILD:?}")
include=${VMALLOC_SOURCE:?}/include
if [ ! -e "$build/libvmalloc-malloc.so" ] || [ ! -e "$build/libvmalloc-malloc.a" ]; then
    echo "libvmalloc-malloc is not built"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMETHOD
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$build/libvmalloc-malloc.so"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

cat >program.c <<'END'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vmalloc.h>
int main(void)
{
    char *p = malloc(100), *q = memalign(256, 1000), *s = strdup("text");
    FILE *f = fopen("/dev/null", "w");
    if (vmregion(p) != Vmheap || vmregion(q) != Vmheap || vmregion(s) != Vmheap || Vmregion != Vmheap)
        return 1;
    p = realloc(p, 100000);
    if (malloc_usable_size(p) < 100000 || f == NULL)
        return 2;
    fprintf(f, "%p%f\n", (void *)p, 1e300);
    fclose(f);
    free(p);
    free(q);
    free(s);
    Vmregion = vmopen(Vmdcsystem, Vmlast, 0);
    p = malloc(1000);
    if (vmregion(p) != Vmregion)
        return 3;
    return 0;
}
END
cat >program.cpp <<'END'
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <vmalloc.h>
int main()
{
    std::map<int, std::string> m;
    volatile std::size_t n = static_cast<std::size_t>(-1) / 2 - 64;
    int *p = new int[100];
    if (vmregion(p) != Vmheap)
        return 1;
    delete[] p;
    for (int i = 0; i < 1000; i++)
        m[i] = std::string(static_cast<std::size_t>(i), 'x');
    if (vmregion(&m[500][0]) != Vmheap)
        return 2;
    try {
        static void *volatile q = ::operator new(n);
        return q ? 3 : 4;
    } catch (const std::bad_alloc &) {
        std::cout << m.size() << "\n";
    }
    return 0;
}
END
cat >late.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    char *mine = malloc(1000);
    void *h = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *(*get)(size_t);
    void (*put)(void *);
    char *p;
    if (h == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&get = dlsym(h, "malloc");
    *(void **)&put = dlsym(h, "free");
    if (get == malloc)
        return 2;
    p = get(100);
    memset(p, 1, 100);
    put(p);
    free(mine);
    return 0;
}
END

# expect OUTPUT COMMAND...: succeeds and says that
expect() {
    local want=$1 got status
    shift
    got=$("$@" 2>&1)
    status=$?
    if [ "$status" != 0 ] || [ "$got" != "$want" ]; then
        printf 'FAILED: %s\n  status %s, output "%s"\n' "$*" "$status" "$got"
        failed=1
    fi
}

# try COMPILER SOURCE OUTPUT: shared, static library, and all static
try() {
    local compiler=$1 source=$2 output=$3 how
    command -v "$compiler" >/dev/null || return 0
    echo 'int main() { return 0; }' >empty."${source##*.}"
    "$compiler" empty."${source##*.}" -o empty 2>/dev/null || return 0
    for how in shared archive static; do
        local libs=("$build/libvmalloc-malloc.a" -pthread) flags=()
        [ $how != shared ] || libs=("$build/libvmalloc-malloc.so" "-Wl,-rpath,$build")
        if [ $how = static ]; then
            [[ $compiler != clang* ]] || continue # the linker is the same
            flags=(-static)
            "$compiler" -static empty."${source##*.}" -o empty 2>/dev/null || continue
        fi
        if "$compiler" -O1 -Wno-unused-result "${flags[@]}" -I"$include" "$source" -o program "${libs[@]}" 2>errors; then
            echo "$compiler $source $how"
            expect "$output" ./program
        else
            echo "FAILED: $compiler $source $how does not link:"
            cat errors
            failed=1
        fi
    done
}

try gcc program.c ''
try clang program.c ''
try g++ program.cpp 1000
try clang++ program.cpp 1000
if cc late.c -o late -ldl; then
    expect '' ./late "$build/libvmalloc-malloc.so"
fi

# A static program has stacks, too, though its first block comes before its modules can be listed.
cat >leaks.c <<'END'
#include <stdlib.h>
void *volatile sink;
__attribute__((noinline)) void inner(void) { sink = malloc(1000); __asm__ volatile(""); }
__attribute__((noinline)) void outer(void) { inner(); __asm__ volatile(""); }
int main(void)
{
    for (int i = 0; i < 100; i++)
        outer();
    sink = NULL;
    return 0;
}
END
if [ "$(uname -m)" = x86_64 ] && getconf GNU_LIBC_VERSION >errors 2>&1 &&
    cc -O1 -static leaks.c -o leaks "$build/libvmalloc-malloc.a" -pthread 2>errors; then
    VMDEBUG=1 timeout 60 ./leaks >said 2>&1
    if ! grep -q 'leak: .* lost' said || ! grep -q '#3 ' said; then
        echo "FAILED: no stack in a static program:"
        cat said
        failed=1
    fi
fi
exit $failed
