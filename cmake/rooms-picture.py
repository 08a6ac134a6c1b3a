#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draw the rooms of src/ and the arrows between them: cmake/rooms-picture.py >doc/pictures/rooms.svg

The arrows are those of cmake/rooms.txt, less those that others imply; what a room is, is the second column of
the table in src/README.md.  A room stands one level above the highest that it may include.  An arrow that
passes a level has a bend there; rooms and bends of a level are put in order by the places of their neighbours
(Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981).
test/doc/architecture.sh compares the picture in the tree with what this prints.
"""
import os
import re
import textwrap
from html import escape

WIDE, HIGH, ACROSS, DOWN, BEND = 212, 84, 24, 54, 10


def read_rooms(path):
    rooms = {}
    with open(path) as file:
        for line in file:
            match = re.match(r'([a-z]+):(.*)', line)
            if match:
                rooms[match[1]] = [name.rstrip('*') for name in match[2].split()]
    return rooms


def read_captions(path):
    captions = {}
    with open(path) as file:
        for line in file:
            match = re.match(r'\| (?:\[(\w+)/\]\([^)]*\)|`(\w+)\.c`) \| ([^|]*) \|', line)
            if match:
                captions[match[1] or match[2]] = re.split('[:;]', match[3])[0].replace('`', '')
    return captions


def reduced(rooms):
    """Without the arrows to what another room that is seen sees."""
    return {room: [low for low in seen if not any(low in rooms[other] for other in seen)]
            for room, seen in rooms.items()}


def level_of(room, rooms):
    return 1 + max((level_of(low, rooms) for low in rooms[room]), default=-1)


def layered(rooms):
    """Levels of nodes, and links between nodes of neighbouring levels; a bend is a tuple."""
    level = {room: level_of(room, rooms) for room in rooms}
    layers = [[] for _ in range(max(level.values()) + 1)]
    for room in rooms:
        layers[level[room]].append(room)
    links = []
    for room, seen in reduced(rooms).items():
        for low in seen:
            above = room
            for between in range(level[room] - 1, level[low], -1):
                bend = (room, low, between)
                layers[between].append(bend)
                links.append((above, bend))
                above = bend
            links.append((above, low))
    return layers, links


def width(node):
    return BEND if isinstance(node, tuple) else WIDE


def places(layers):
    """The middle of each node; levels are centred."""
    total = [sum(width(n) + ACROSS for n in layer) - ACROSS for layer in layers]
    middle = {}
    for layer, sum_ in zip(layers, total):
        x = (max(total) - sum_) / 2
        for node in layer:
            middle[node] = x + width(node) / 2
            x += width(node) + ACROSS
    return middle, max(total)


def ordered(layers, links):
    for _ in range(12):
        for direction in (0, 1):
            for layer in layers:
                middle, _ = places(layers)
                near = {n: [middle[l[1 - direction]] for l in links if l[direction] == n] for n in layer}
                layer.sort(key=lambda n: (sum(near[n]) / len(near[n])) if near[n] else middle[n])
    return layers


def draw(rooms, captions):
    layers, links = layered(rooms)
    layers = ordered(layers, links)
    middle, total = places(layers)
    top = {n: (len(layers) - 1 - i) * (HIGH + DOWN) + 10 for i, layer in enumerate(layers) for n in layer}
    high = len(layers) * (HIGH + DOWN) - DOWN + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total + 20:.0f} {high}" '
           'font-family="sans-serif" font-size="13">',
           '<title>The rooms of src/: an arrow leads to a room whose headers may be included</title>',
           '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
           'orient="auto"><path d="M0 0L8 4L0 8z" fill="#456"/></marker></defs>',
           f'<rect width="{total + 20:.0f}" height="{high}" fill="#fff"/>', '<g fill="none" stroke="#456">']
    for above, below in links:
        bends = isinstance(above, tuple), isinstance(below, tuple)
        x0, x1 = middle[above] + 10, middle[below] + 10
        y0, y1 = top[above] + HIGH, top[below]
        tip = '' if bends[1] else ' marker-end="url(#tip)"'
        start = f'M{x0:.0f} {y0 - HIGH}V{y0}' if bends[0] else f'M{x0:.0f} {y0}'
        out.append(f'<path d="{start}C{x0:.0f} {y0 + DOWN / 2:.0f} {x1:.0f} {y1 - DOWN / 2:.0f} '
                   f'{x1:.0f} {y1}"{tip}/>')
    out.append('</g>')
    for room in rooms:
        x, y = middle[room] + 10 - WIDE / 2, top[room]
        out.append(f'<rect x="{x:.0f}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6" fill="#eef4fa" '
                   'stroke="#456"/>')
        out.append(f'<text x="{x + 10:.0f}" y="{y + 22}" font-weight="bold">{room}</text>')
        for i, line in enumerate(textwrap.wrap(captions[room], 31)[:3]):
            out.append(f'<text x="{x + 10:.0f}" y="{y + 41 + 16 * i}" fill="#333" font-size="12">'
                       f'{escape(line)}</text>')
    out.append('</svg>')
    return '\n'.join(out)


if __name__ == '__main__':
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    print(draw(read_rooms('cmake/rooms.txt'), read_captions('src/README.md')))
