#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is installed can be used from where it was moved to: through pkg-config, through find_package, by the
# command, and the source as a part of another CMake project.
set -euo pipefail

build=$(realpath "${VMALLOC_BUILD:?}")
source=${VMALLOC_SOURCE:?}
if [ ! -e "$build/vmalloc" ]; then
    echo "the whole is not built"
    exit 77
fi
# shellcheck source=test/support/_foreign.sh
. "$source/test/support/_foreign.sh"
pass_by_foreign "$build/libvmalloc-malloc.so"
unset LD_PRELOAD VMALLOC_OPTIONS VMALLOC_LIB DESTDIR
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work/stage cmake --install "$build" --prefix /usr >"$work/log" || { cat "$work/log"; exit 1; }
mv "$work/stage/usr" "$work/tree"
libdir=$(dirname "$(find "$work/tree" -name libvmalloc.so)")
export LD_LIBRARY_PATH=$libdir

# Each name that a page of section 3 announces has a page, itself or one that leads to it.
man=$(dirname "$(find "$work/tree" -name vmalloc.3)")
while read -r name; do
    page=$man/$name.3
    if grep -q '^\.so ' "$page" 2>/dev/null; then
        page=$man/../$(sed -n 's/^\.so //p' "$page")
    fi
    grep -qE "^\.Nm $name( ,)?$" "$page" || { echo "man $name: no page"; exit 1; }
done < <(awk '/^\.Sh NAME/ { on = 1; next } /^\.Nd/ { on = 0 } on && $1 == ".Nm" { print $2 }' "$source"/doc/man/*.3)

if [ -e "$man/cc.3" ]; then
    echo "man cc: a page of ours"
    exit 1
fi

cat >"$work/program.c" <<'END'
#include <stdlib.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>
#include <vmalloc/method.h>

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmlast, 0);
    void *p = malloc(100), *q = vmalloc(vm, 100);
    int bad = vmregion(q) != vm || (vmregion(p) == Vmheap) != MALLOC_IS_OURS;

    free(p);
    return vmclose(vm) != 0 || bad;
}
END

# with_pkgconfig PACKAGE MALLOC_IS_OURS OPTION...
with_pkgconfig() {
    local package=$1 ours=$2 flags
    shift 2
    read -ra flags <<<"$(PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@" --cflags --libs "$package")"
    "${CC:-cc}" -DMALLOC_IS_OURS="$ours" "$work/program.c" -o "$work/program" "${flags[@]}"
    "$work/program"
    echo "pkg-config $* $package"
}

# build_project FOLDER OPTION...
build_project() {
    local folder=$1
    shift
    { cmake -S "$folder" -B "$folder/build" "$@" && cmake --build "$folder/build" -j 2; } >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
}

with_cmake() {
    mkdir "$work/user" && cp "$work/program.c" "$work/user"
    cat >"$work/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(user C)
find_package(vmalloc 1.0 REQUIRED)
foreach(kind vmalloc static malloc malloc_static)
    add_executable(${kind} program.c)
    if(kind MATCHES "^malloc")
        target_compile_definitions(${kind} PRIVATE MALLOC_IS_OURS=1)
    else()
        target_compile_definitions(${kind} PRIVATE MALLOC_IS_OURS=0)
    endif()
    target_link_libraries(${kind} vmalloc::${kind})
endforeach()
END
    build_project "$work/user" "-DCMAKE_PREFIX_PATH=$work/tree"
    for kind in vmalloc static malloc malloc_static; do
        "$work/user/build/$kind"
        echo "find_package vmalloc::$kind"
    done
}

as_part() {
    mkdir "$work/part" && cp "$work/program.c" "$work/part"
    cat >"$work/part/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.20)
project(whole C)
include(CTest)
add_subdirectory("$source" vmalloc EXCLUDE_FROM_ALL)
add_executable(user program.c)
target_compile_definitions(user PRIVATE MALLOC_IS_OURS=0)
target_link_libraries(user vmalloc::vmalloc)
add_test(NAME user COMMAND user)
END
    build_project "$work/part"
    "$work/part/build/user"
    (cd "$work/part/build" && ctest -N | grep -q '^Total Tests: 1$') ||
        { echo "FAILED: a part brings its tests with it"; exit 1; }
    echo "add_subdirectory"
}

if command -v pkg-config >/dev/null; then
    with_pkgconfig vmalloc 0
    with_pkgconfig vmalloc-malloc 1
    with_pkgconfig vmalloc 0 --static
fi
with_cmake
as_part
# shellcheck disable=SC2016
[[ $("$work/tree/bin/vmalloc" run sh -c 'echo "$LD_PRELOAD"') == "$libdir"/libvmalloc-malloc.so* ]]
echo "the command"
