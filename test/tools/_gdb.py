# SPDX-License-Identifier: MIT
"""For gdb.sh, in gdb: the commands tell what the library said in the file $told, and print it."""
import os
import re

import gdb


def run(command):
    text = gdb.execute(command, to_string=True)
    print(f'{command}\n{text}', end='')
    return text


def check(ok, what, text):
    if not ok:
        print(f'FAILED: {what}\n{text}')
        gdb.execute('quit 1')


regions, inside = run('vmalloc regions'), None
for line in open(os.environ['told']):
    words = line.split()
    if words[0] == 'region':
        handle, name, busy, segments, extent = words[1:]
        row = re.search(rf'^{handle} .*$', regions, re.M)
        check(row and row[0].split()[1] == name and row[0].split()[-3:] == [segments, extent, busy], line, regions)
        listed = run(f'vmalloc segments {name}')
        check(listed.count('\n') == int(segments) and
              sum(map(int, re.findall(r'(\d+) bytes', listed))) == int(extent), line, listed)
    elif words[0] == 'over':
        address, start, size, state, stacks = words[1:]
        answer = run(f'vmalloc block {address}')
        said = 'in use' if state == 'used' else 'freed'
        check(f'block {start} of {size} bytes, {said}' in answer and ('it lies in' in answer or state == 'freed'), line, answer)
        check(stacks == '0' or re.search(r'allocated, operation \d+:\n +#0 +over  \S*_gdb.c:\d+\n +#1 +main ', answer), line, answer)
        check(state == 'used' or re.search(r'freed:\n +#0 +over  \S*_gdb.c:\d+\n', answer), line, answer)
    else:
        address, start, size, used = words[1:]
        answer = run(f'vmalloc block {address}')
        inner = answer.split('which lies in')[0]
        said = re.search(r'block (\w+) of (\d+) bytes, (in use|free)', inner)
        if used == '1':
            check(said and said.groups() == (start, size, 'in use'), line, answer)
            inside = address if 'which lies in' in answer else inside
        else:
            check('in use' not in inner and 'free' in inner, line, answer)
for pattern in ('slabs +best +system', 'large +best +own_memory', 'granules +best', 'last +last +heap', 'pool +pool',
                'over +debug over last', 'over +profile over pool', 'Vmheap +best +system'):
    check(re.search(pattern, regions), pattern, regions)
check('which lies in region' in run(f"vmalloc block {inside}"), 'a region in a region', regions)
check('in no region' in run('vmalloc block 16'), 'an address of nobody', '')
check('region "slabs", best on system' in run('print *first'), 'printer of Vmalloc_t', '')
shown = run('print shown')
check('"inner"' in shown and 'n_busy = 40' in shown, 'printer of Vmstat_t', shown)
for wrong in ('vmalloc segments 16', 'vmalloc segments', 'vmalloc block'):
    try:
        run(wrong)
        check(False, f'{wrong}: no complaint', '')
    except gdb.error as error:
        print(error)
print('all is as told')
