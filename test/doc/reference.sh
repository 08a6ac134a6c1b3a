#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The reference is made of the headers without a complaint; each public name has its place in it, and each link one
# to lead to.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "${VMALLOC_SOURCE:?}/cmake/reference.py" "$work/reference"
PYTHONDONTWRITEBYTECODE=1 python3 - "$VMALLOC_SOURCE" "$work/reference" <<'EOF'
import glob, os, re, sys
source, folder = sys.argv[1:]
sys.path.insert(0, os.path.join(source, 'test/doc'))
from _covered import names_of_cpp, names_of_header, read

pages = {os.path.basename(p): read(p) for p in glob.glob(folder + '/*.html')}
places = {(page, name) for page, text in pages.items() for name in re.findall(r' id="([\w:]+)"', text)}
wrong = [f'{page}: {link} leads nowhere' for page, text in pages.items()
         for link in re.findall(r'href="([^"]+)"', text)
         if ((link.split('#')[0] or page), (link.split('#') + [''])[1]) not in places and link not in pages]
standard = {'malloc', 'realloc', 'calloc', 'free', 'memalign', 'valloc', 'cfree', 'strdup'}
names = set()
for header in glob.glob(source + '/include/vmalloc.h') + glob.glob(source + '/include/vmalloc/*.h'):
    names |= set(names_of_header(read(header)))
for header in glob.glob(source + '/include/vmalloc/*.hpp'):
    names |= {'vm::' + name for name in names_of_cpp(read(header))}
wrong += [f'{name} is not in the reference' for name in names - standard - {name for _, name in places}]
print("\n".join(sorted(wrong)[:20]), end="\n" if wrong else "")
sys.exit(1 if wrong or len(names) < 200 else 0)
EOF
