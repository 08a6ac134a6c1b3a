# SPDX-License-Identifier: MIT
"""Checks what "vmalloc report" writes for others against its own JSON.

    _exports.py COMMAND PROFILE MEASURE...

Each form must have the totals and the stacks of the JSON form; that of pprof is decoded here.
"""
import gzip
import json
import re
import subprocess
import sys
from collections import Counter

command, profile = sys.argv[1:3]


def report(*options):
    return subprocess.run([command, "report", *options, profile], check=True, stdout=subprocess.PIPE).stdout


def same(what, a, b):
    if a != b:
        raise SystemExit(f"{what}: {a} is not {b}")


def fields(message):
    """(number, value) of each field: a number, or bytes."""
    at = 0

    def varint():
        nonlocal at
        x = shift = 0
        while True:
            byte = message[at]
            at += 1
            x |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return x

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            n = varint()
            yield key >> 3, message[at:at + n]
            at += n
            assert at <= len(message)
        else:
            raise SystemExit(f"a field of type {key & 7}")


def packed(message):
    numbers, x, shift = [], 0, 0
    for byte in message:
        x |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(x)
            x = shift = 0
    return numbers


def check_pprof(data):
    parts = {}
    for number, value in fields(gzip.decompress(report("--pprof"))):
        parts.setdefault(number, []).append(value)
    strings = [s.decode(errors="replace") for s in parts[6]]
    same("the first string", strings[0], "")
    types = [tuple(strings[v] for _, v in fields(t)) for t in parts[1]]
    same("types", types, [(a + "_" + b, u) for a in ("alloc", "inuse", "peak")
                          for b, u in (("objects", "count"), ("space", "bytes"))])
    functions = {dict(fields(f))[1]: strings[dict(fields(f))[2]] for f in parts[5]}
    locations = {}
    for location in parts[4]:
        got = dict(fields(location))
        locations[got[1]] = functions[dict(fields(got[4]))[1]]
    mappings = {dict(fields(m))[1]: strings[dict(fields(m))[5]] for m in parts[3]}
    same("the first mapping", list(mappings.values())[0], data["process"]["exe"])
    sums, stacks = [0] * 6, Counter()
    for sample in parts[2]:
        got = dict(fields(sample))
        values = packed(got[2])
        sums = [a + b for a, b in zip(sums, values)]
        stacks[";".join(locations[i] for i in reversed(packed(got[1])))] += values[1]
    t = data["totals"]
    same("sums of pprof", sums, [t[k] for k in ("calls", "bytes", "live", "livebytes", "high", "highbytes")])
    same("default type", strings[parts[14][0]], "peak_space")
    return {k: v for k, v in stacks.items() if v}


def check_folded(data, measure):
    stacks = Counter()
    for line in report("--folded", "--by=" + measure).decode(errors="replace").splitlines():
        stack, value = line.rsplit(" ", 1)
        stacks[stack] += int(value)
    column = {"bytes": "bytes", "peak": "highbytes", "live": "livebytes", "calls": "calls"}[measure]
    same("sum of folded " + measure, sum(stacks.values()), data["totals"][column])
    return dict(stacks)


def check_speedscope(data):
    file = json.loads(report("--speedscope"))
    same("schema", file["$schema"], "https://www.speedscope.app/file-format-schema.json")
    frames = file["shared"]["frames"]
    assert all(isinstance(f["name"], str) and f["name"] for f in frames)
    sums = []
    for p in file["profiles"]:
        same("type", p["type"], "sampled")
        assert p["unit"] in ("bytes", "none") and p["name"] and p["startValue"] == 0
        same("samples", len(p["samples"]), len(p["weights"]))
        same("end", p["endValue"], sum(p["weights"]))
        assert all(0 <= i < len(frames) for s in p["samples"] for i in s) and all(p["samples"])
        sums.append(p["endValue"])
    t = data["totals"]
    assert t["highbytes"] in sums and t["livebytes"] in sums and t["calls"] in sums and t["bytes"] in sums


def check_tree(lines):
    """A tree of massif: children are as many as is said, and their values sum up to at most the node's."""
    head = re.fullmatch(r" *n(\d+): (\d+) .*", lines.pop(0))
    n, value = int(head[1]), int(head[2])
    sums = [check_tree(lines) for _ in range(n)]
    assert sum(sums) <= value
    return value


def check_massif(data):
    text = report("--massif").decode(errors="replace").splitlines()
    assert text[0].startswith("desc:") and text[1].startswith("cmd:") and text[2] == "time_unit: ms", text[:3]
    kinds, times, live = Counter(), [], 0
    lines = text[3:]
    while lines:
        same("snapshot", lines[:3:2], ["#-----------"] * 2)
        same("number", lines[1], f"snapshot={len(times)}")
        values = dict(line.split("=") for line in lines[3:8])
        lines = lines[8:]
        times.append(int(values["time"]))
        kinds[values["heap_tree"]] += 1
        live = int(values["mem_heap_B"])
        if values["heap_tree"] != "empty":
            same("tree and snapshot", check_tree(lines), live)
    assert times == sorted(times) and kinds["peak"] == 1 and kinds["detailed"] == 1, (kinds, times)
    same("the end", live, data["totals"]["livebytes"])


def check_heap(data):
    text = report("--heap-v2").decode(errors="replace")
    sites, modules = text.split("\nMAPPED_LIBRARIES:\n")
    number = re.compile(r" *(\d+): +(\d+) \[ *(\d+): +(\d+)\] @ ")
    head, *rest = sites.splitlines()
    assert head.startswith("heap profile: ") and head.endswith("@ heap_v2/1"), head
    figures = [[int(x) for x in number.match(line).groups()] for line in rest]
    t = data["totals"]
    same("sums of heap", [sum(c) for c in zip(*figures)], [t[k] for k in ("live", "livebytes", "calls", "bytes")])
    same("head of heap", [int(x) for x in number.match(head[13:]).groups()], [sum(c) for c in zip(*figures)])
    ranges = [tuple(int(x, 16) for x in line.split()[0].split("-")) for line in modules.splitlines()]
    addresses = [int(a, 16) for line in rest for a in line.split("@ ")[1].split()]
    inside = sum(any(low <= a <= high for low, high in ranges) for a in addresses)
    assert inside > 0.9 * len(addresses), f"{inside} of {len(addresses)} addresses are in modules"


def main():
    data = json.loads(report("--json"))
    stacks = check_pprof(data)
    same("stacks of pprof and folded", check_folded(data, "bytes"), stacks)
    for measure in ("peak", "live", "calls"):
        check_folded(data, measure)
    check_speedscope(data)
    check_massif(data)
    check_heap(data)
    for wanted in sys.argv[3:]:
        assert any(wanted in stack for stack in stacks), f"no stack has {wanted}: {list(stacks)[:5]}"


main()
