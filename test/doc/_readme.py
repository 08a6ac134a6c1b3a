#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""README.md's paths to a region and to a debugged program are true: _readme.py SOURCE BUILD

The blocks of sh are run, in order, in a folder that looks like a clone in which make was called.  What is shown
behind a block as text has to be what it prints, but for addresses and process numbers; "..." stands for lines.
"""
import os
import re
import subprocess
import sys
import tempfile


def normal(text, folder):
    text = text.replace(folder + '/', '').replace(os.path.realpath(folder) + '/', '')
    text = re.sub(r'0x[0-9a-f]+', '0x', text)
    return [line.rstrip() for line in re.sub(r'vmalloc\(\d+\)', 'vmalloc()', text).splitlines()]


def missing(shown, printed):
    """The first shown line that was not printed where it should have been, or None."""
    at, free = 0, True
    for line in shown:
        if line.strip() == '...':
            free = True
            continue
        places = range(at, len(printed)) if free else range(at, min(at + 1, len(printed)))
        found = next((i for i in places if printed[i] == line), None)
        if found is None:
            return line
        at, free = found + 1, False
    return None


def main(source, build):
    with open(os.path.join(source, 'README.md')) as file:
        blocks = re.findall(r'^```(sh|text)\n(.*?)^```$', file.read(), re.M | re.S)
    env = {k: v for k, v in os.environ.items() if not k.startswith(('VM', 'LD_'))}
    with tempfile.TemporaryDirectory() as folder:
        for name in ('include', 'examples'):
            os.symlink(os.path.join(source, name), os.path.join(folder, name))
        os.symlink(build, os.path.join(folder, 'build'))
        printed, ran = [], 0
        for language, block in blocks:
            if language == 'sh':
                script = re.sub(r'^make$', 'true', block, flags=re.M)
                run = subprocess.run(['sh', '-e', '-c', script], cwd=folder, env=env, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                printed, ran = normal(run.stdout, folder), ran + 1
                if run.returncode != 0:
                    print(f'README.md: status {run.returncode} of\n{block}{run.stdout}')
                    return 1
            else:
                line = missing(normal(block, folder), printed)
                if line is not None:
                    print(f'README.md shows "{line}", but this was printed:\n' + '\n'.join(printed))
                    return 1
    if ran < 2:
        print(f'README.md: {ran} blocks of sh')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2]))
