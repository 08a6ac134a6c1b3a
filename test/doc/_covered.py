#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each public name has a manual page, a test that uses it and an example, or a reason in covered.txt.

Names are those of the public headers (functions, variables, types, macros, constants) and those that the
built libraries export.  A page: the name stands in a page of doc/man, for C++ in doc/cpp.md.  A test: it
stands in the code, not in a comment, of a file in test/.  An example, asked for functions, variables and
macros with arguments: the same in examples/.

usage: _covered.py SOURCE BUILD
"""
import fnmatch
import os
import re
import subprocess
import sys


def read(path):
    with open(path, errors='replace') as file:
        return file.read()


def uncommented(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*', ' ', text, flags=re.S)


def words_below(folder, suffixes, skip=()):
    """All words of the files below a folder, those in comments of C and C++ left out."""
    words = set()
    for top, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if os.path.join(top, f) not in skip]
        for name in files:
            if name.endswith(suffixes):
                text = read(os.path.join(top, name))
                words.update(re.findall(r'\w+', uncommented(text) if name.endswith(('.c', '.h', '.cpp')) else text))
    return words


def names_of_header(text):
    """name -> 'call' (function, variable, macro with arguments) or 'word' (type, constant)"""
    text = uncommented(text).replace('\\\n', ' ')
    names = {}
    for name in re.findall(r'typedef[^;{]*\(\s*\*\s*(\w+)\s*\)', text):
        names[name] = 'word'
    for name in re.findall(r'\}\s*(\w+)\s*;|typedef\s+(?:struct\s+)?\w+\s+(\w+)\s*;', text):
        names[name[0] or name[1]] = 'word'
    for name, bracket in re.findall(r'^[ \t]*#[ \t]*define[ \t]+(\w+)(\(?)', text, re.M):
        names[name] = 'call' if bracket else 'word'
    for declaration in re.findall(r'extern VM_API ([^;(]*)[;(]', text):
        names[re.findall(r'\w+', declaration)[-1]] = 'call'
    return {n: kind for n, kind in names.items() if not re.fullmatch(r'_?VMALLOC_\w*H', n)}


def names_of_cpp(text):
    """Classes, templates and functions of namespace vm that are not details."""
    text = uncommented(re.sub(r'\nnamespace detail\b.*?\n\} // namespace detail', '', text, flags=re.S))
    found = re.findall(r'^(?:template <[^\n]*> )?(?:class|struct|using) (\w+)|^[\w:<>]+ (\w+)\(\w', text, re.M)
    return {a or b: 'cpp' for a, b in found}


def exported(library):
    """Names that a shared library exports, but for C++ operators, whose page tells them as such."""
    if not os.path.exists(library):
        return {}
    out = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in out.splitlines()]
    names = {line[2].split('@')[0]: 'call' for line in lines if line[1] != 'A'}
    return {n: kind for n, kind in names.items() if not n.startswith('_Z')}


def reasons(path):
    """[(pattern, {'man', 'test', 'example'})]; a line without a reason is an error."""
    table = []
    for number, line in enumerate(read(path).splitlines(), 1):
        if line and not line.startswith('#'):
            fields = line.split(None, 2)
            kinds = set(fields[1].split(',')) if len(fields) == 3 else set()
            if not kinds or not kinds <= {'man', 'test', 'example'}:
                sys.exit(f'{path}:{number}: not "name what,what reason"')
            table.append((fields[0], kinds))
    return table


def main(source, build):
    os.chdir(source)
    names = exported(os.path.join(build, 'libvmalloc.so'))
    family = exported(os.path.join(build, 'libvmalloc-malloc.so'))
    whole = bool(names and family)  # else reasons for what is not built have nothing to excuse
    names.update(family)
    headers = ['include/vmalloc.h', 'include/ast_common.h']
    headers += ['include/vmalloc/' + h for h in os.listdir('include/vmalloc') if h.endswith('.h')]
    for header in headers:
        names.update(names_of_header(read(header)))
    for header in ('vmalloc.hpp', 'image.hpp', 'managed.hpp'):
        names.update(names_of_cpp(read('include/vmalloc/' + header)))

    pages = words_below('doc/man', ('.1', '.3', '.7'))
    cpp = set(re.findall(r'\w+', read('doc/cpp.md')))
    tests = words_below('test', ('.c', '.h', '.cpp', '.sh', '.py'), ('test/doc', 'test/package'))
    examples = words_below('examples', ('.c', '.h', '.cpp'))
    excused = reasons('test/doc/covered.txt')
    used = set()
    missing = 0
    for name, kind in sorted(names.items()):
        lacks = {'man'} - ({'man'} if name in (cpp if kind == 'cpp' else pages) else set())
        lacks |= set() if name in tests else {'test'}
        lacks |= set() if kind == 'word' or name in examples else {'example'}
        for pattern, kinds in excused:
            if lacks & kinds and fnmatch.fnmatchcase(name, pattern):
                used.add(pattern)
                lacks -= kinds
        if lacks:
            print(f'{name}: no {" and no ".join(sorted(lacks))}')
            missing += 1
    for pattern, _ in excused:
        if pattern not in used and whole:
            print(f'test/doc/covered.txt: {pattern} excuses nothing')
            missing += 1
    if len(names) < 200:
        print(f'found only {len(names)} names: the headers are not understood any more')
        missing += 1
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2]))
