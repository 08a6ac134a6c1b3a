#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Relative links in *.md lead to files that are there, and to headings that are: _links.py SOURCE

Anchors are made of headings as GitHub does: letters, digits, _ and - in small letters, spaces as -; the second
heading of the same text has -1 behind it.
"""
import os
import re
import sys

SKIPPED = {'build', 'node_modules', '_CPack_Packages'}


def markdown_files():
    for top, folders, files in os.walk('.'):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith('.'))
        for name in sorted(files):
            if name.endswith('.md'):
                yield os.path.normpath(os.path.join(top, name))


def prose(path):
    """The text without code: what is between fences, indented by four after an empty line, or in backquotes."""
    with open(path) as file:
        text = file.read()
    text = re.sub(r'^(```|~~~).*?^\1$', '', text, flags=re.M | re.S)
    return re.sub(r'(?<=\n\n)(?: {4}.*\n)+', '\n', text)


def anchors(path):
    found = set()
    for heading in re.findall(r'^#{1,6} +(.*?)#* *$', prose(path), re.M):
        heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading)
        slug = re.sub(r'[^\w\- ]', '', heading.strip().lower()).replace(' ', '-')
        n = 0
        while (slug if n == 0 else f'{slug}-{n}') in found:
            n += 1
        found.add(slug if n == 0 else f'{slug}-{n}')
    return found


def links(path):
    text = re.sub(r'`[^`\n]*`', '', prose(path))
    for target in re.findall(r'\]\(<?([^)\s>]+)', text) + re.findall(r'^\[[^\]]+\]: *(\S+)', text, re.M):
        if not re.match(r'[a-z][a-z0-9+.-]*:', target):
            yield target


def check(path):
    for link in links(path):
        name, _, anchor = link.partition('#')
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(target):
            yield f'{path}: links to {link}, which does not exist'
        elif anchor and target.endswith('.md') and anchor not in anchors(target):
            yield f'{path}: links to {link}, but {target} has no such heading'


def main(source):
    os.chdir(source)
    files = list(markdown_files())
    complaints = [c for path in files for c in check(path)]
    if len(files) < 20:
        complaints.append(f'found only {len(files)} files: {files}')
    print('\n'.join(complaints), end='\n' if complaints else '')
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
