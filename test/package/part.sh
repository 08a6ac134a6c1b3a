#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The source as a part of another project, by add_subdirectory and by FetchContent: the parent keeps its
# variables, flags and tests, and installs what is its own.
set -euo pipefail
# shellcheck source=test/package/_stage.sh
. "${VMALLOC_SOURCE:?}/test/package/_stage.sh"

# Not optimised, as this is about the build and not about what it makes.
in_cmake part -DCMAKE_BUILD_TYPE=Debug
"$work/part/user" || fail "add_subdirectory"
(cd "$work/part" && ctest -N) | grep -q '^Total Tests: 1$' || fail "a part brings its tests with it"
DESTDIR=$work/stage quiet cmake --install "$work/part" --prefix /usr
[ "$(cd "$work/stage" && find . -type f)" = ./usr/bin/user ] || fail "a part installs itself"

# That the targets are there shows when the build is generated; they are compiled as above.
quiet cmake -S "$projects/fetch" -B "$work/fetch" "-DFETCHCONTENT_SOURCE_DIR_VMALLOC=$source"
