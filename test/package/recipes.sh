#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The recipes of packaging/ and debian/ have the version of the project, pass options that it has, and are well
# formed as far as the tools at hand can tell.
set -euo pipefail

source=${VMALLOC_SOURCE:?}
cd "$source"
version=$(sed -n 's/^project(vmalloc VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
failed=0

# says FILE TEXT
says() {
    grep -qF -- "$2" "$1" || { echo "$1: where is '$2'?"; failed=1; }
}

says packaging/vcpkg/vmalloc/vcpkg.json "\"version\": \"$version\""
says packaging/conan/conanfile.py "version = \"$version\""
says CHANGELOG.md "## [$version]"
says debian/changelog "vmalloc ($version)"
while IFS=: read -r file option; do
    grep -qE "(option|set)\($option " CMakeLists.txt || { echo "$file: no option $option"; failed=1; }
done < <(grep -roE '\bVM_[A-Z]+' packaging | sort -u)

# The files that Conan takes along are all that the build reads.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$source" "$work" <<'PYTHON'
import ast, json, pathlib, shutil, sys
source, work = map(pathlib.Path, sys.argv[1:])
json.loads((source / "packaging/vcpkg/vmalloc/vcpkg.json").read_text())
recipe = ast.parse((source / "packaging/conan/conanfile.py").read_text())
loop = next(n for n in ast.walk(recipe) if isinstance(n, ast.For))
for pattern in ast.literal_eval(loop.iter):
    path = source / pattern.removesuffix("/*")
    to = work / path.relative_to(source)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(path, to) if path.is_dir() else shutil.copy(path, to)
PYTHON
cmake -S "$work" -B "$work/build" -DBUILD_TESTING=OFF >"$work/log" 2>&1 || { cat "$work/log"; failed=1; }

while read -r file; do
    [ -e "$work/$file" ] || { echo "packaging/conan/conanfile.py: what is installed needs $file"; failed=1; }
done < <(grep -oE '\b(include|share|doc)/[a-z_/.-]*[a-z]' cmake/Install.cmake | sort -u)

# names FILE: those of regions that a shared library exports, or that debian/ says it does
names() {
    case $1 in
        *.so) nm -D --defined-only "$1" | awk '{ print $NF }' | sed 's/@.*//' ;;
        *) awk '/^ / { print $1 }' "$1" | sed 's/@.*//' ;;
    esac | grep -E '^_?(vm|Vm)' | sort
}
library=${VMALLOC_BUILD:?}/libvmalloc.so
if [ -e "$library" ] && command -v nm >/dev/null; then
    names "$library" >"$work/exported"
    for file in debian/libvmalloc1.symbols debian/libvmalloc-malloc1.symbols; do
        names "$file" | diff "$work/exported" - >"$work/log" ||
            { echo "$file: < is exported and not there, > is there and not exported:"; cat "$work/log"; failed=1; }
    done
fi

if command -v ruby >/dev/null; then
    ruby -c packaging/homebrew/vmalloc.rb || failed=1
fi
if command -v conan >/dev/null; then
    conan inspect packaging/conan >"$work/log" || { cat "$work/log"; failed=1; }
fi
exit $failed
