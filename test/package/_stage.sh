# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For scripts of this folder: installs into $work/tree, which is not where the build thinks it is.

build=$(realpath "${VMALLOC_BUILD:?}")
source=${VMALLOC_SOURCE:?}
projects=$source/test/package/projects
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

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

# quiet COMMAND...: its output is shown when it fails
quiet() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "$@"; }
}

# in_cmake PROJECT OPTION...: builds a folder of projects/ in $work/PROJECT
in_cmake() {
    local project=$1
    shift
    quiet cmake -S "$projects/$project" -B "$work/$project" "-DVMALLOC_SOURCE=$source" "$@"
    quiet cmake --build "$work/$project" -j 2
}

# stage: sets libdir, the folder of the libraries under $work/tree
stage() {
    DESTDIR=$work/stage quiet cmake --install "$build" --prefix /usr
    mv "$work/stage/usr" "$work/tree"
    libdir=$(dirname "$(find "$work/tree" -name libvmalloc.so)")
    export LD_LIBRARY_PATH=$libdir PKG_CONFIG_PATH=$libdir/pkgconfig
}
