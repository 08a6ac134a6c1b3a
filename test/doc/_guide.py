#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What doc/guide.md shows is what the examples are: _guide.py SOURCE

Its sections are those of the numbered examples, in order; each links its source.  A block of C or C++ is made of
whole lines of that source, one run of lines or several in order with "..." between.  A block of text is a run of
lines of what the example is expected to print.
"""
import glob
import os
import re
import sys


def lines_of(path):
    with open(path) as file:
        return file.read().splitlines()


def find(part, lines, start):
    """Where the lines of part stand one after the other in lines, from start on; -1."""
    for i in range(start, len(lines) - len(part) + 1):
        if lines[i:i + len(part)] == part:
            return i + len(part)
    return -1


def pieces(block):
    part = []
    for line in block:
        if line.strip() == '...':
            yield part
            part = []
        else:
            part.append(line)
    yield part


def wrong(block, lines):
    at = 0
    for part in pieces(block):
        at = find(part, lines, at) if part else -1
        if at < 0:
            return part[0] if part else '...'
    return None


def check(number, name, text):
    """The complaints about one section."""
    if f'](../examples/{name})' not in text:
        yield f'section {number} does not link ../examples/{name}'
    expected = os.path.join('examples', os.path.splitext(name)[0] + '.expected')
    blocks = re.findall(r'^```(\w*)\n(.*?)^```$', text, re.M | re.S)
    if not any(language in ('c', 'cpp') for language, _ in blocks):
        yield f'section {number} shows nothing of {name}'
    for language, block in blocks:
        source = expected if language == 'text' else os.path.join('examples', name)
        line = wrong(block.splitlines(), lines_of(source))
        if line is not None:
            yield f'section {number}: not in {source}, or not in this order:\n    {line}'


def main(source):
    os.chdir(source)
    with open('doc/guide.md') as file:
        sections = re.split(r'^## (\d\d) .*$', file.read(), flags=re.M)
    numbers, texts = sections[1::2], sections[2::2]
    examples = {os.path.basename(p)[:2]: os.path.basename(p) for p in glob.glob('examples/[0-9][0-9]-*.c*')}
    complaints = []
    if numbers != sorted(examples):
        complaints.append(f'sections {numbers}, but examples {sorted(examples)}')
    for number, text in zip(numbers, texts):
        if number in examples:
            complaints += check(number, examples[number], text)
    for complaint in complaints:
        print('doc/guide.md:', complaint)
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
