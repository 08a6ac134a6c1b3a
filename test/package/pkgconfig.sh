#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pkg-config vmalloc and vmalloc-malloc, with and without --static; the same by hand; Meson; preloaded.
set -euo pipefail
# shellcheck source=test/package/_stage.sh
. "${VMALLOC_SOURCE:?}/test/package/_stage.sh"
stage
cc=${CC:-cc}

# build_and_run MALLOC_IS_OURS SOURCE FLAG...
build_and_run() {
    local ours=$1 program=$2 compiler=$cc
    shift 2
    [[ $program != *.cpp ]] || compiler="${CXX:-c++} -std=c++17"
    # shellcheck disable=SC2086
    quiet $compiler -DMALLOC_IS_OURS="$ours" "$projects/$program" -o "$work/program" "$@"
    "$work/program" || fail "$program $*"
    echo "$program ${*//$work/}"
}

# works COMPILER FLAG...: whether it makes programs that run, in C or in $language
works() {
    command -v "$1" >/dev/null &&
        echo 'int main() { return 0; }' | "$1" -x "${language:-c}" - -o "$work/empty" "${@:2}" 2>/dev/null &&
        "$work/empty"
}

for package in vmalloc vmalloc-malloc; do
    ours=$([ $package = vmalloc ] && echo 0 || echo 1)
    sources=(program.c)
    ! language=c++ works "${CXX:-c++}" -std=c++17 || sources+=(program.cpp)
    for program in "${sources[@]}"; do
        build_and_run "$ours" "$program" -I"$work/tree/include" -L"$libdir" "-l$package"
        command -v pkg-config >/dev/null || continue
        read -ra flags <<<"$(pkg-config --cflags --libs $package)"
        build_and_run "$ours" "$program" "${flags[@]}"
        works "$cc" -static || continue
        read -ra flags <<<"$(pkg-config --static --cflags --libs $package)"
        build_and_run "$ours" "$program" -static "${flags[@]}"
    done
done

quiet "$cc" "$projects/plain.c" -o "$work/plain" -ldl
! "$work/plain" || fail "the program has our malloc without preloading"
LD_PRELOAD=$libdir/libvmalloc-malloc.so timeout 20 "$work/plain" || fail "preloaded: its malloc is another"
timeout 20 "$work/tree/bin/vmalloc" run "$work/plain" || fail "vmalloc run: its malloc is another"

if command -v meson >/dev/null && command -v ninja >/dev/null && command -v pkg-config >/dev/null; then
    mkdir "$work/meson"
    cp "$projects/meson/meson.build" "$projects/program.c" "$work/meson"
    quiet meson setup "$work/meson/build" "$work/meson"
    quiet meson test -C "$work/meson/build"
    grep -qE '^Ok: +2' "$work/log" || fail "meson: not both programs ran"
    echo "meson"
fi
