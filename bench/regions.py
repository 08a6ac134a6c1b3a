# SPDX-License-Identifier: MIT
"""Regions of ours beside other libraries of regions: runs the programs of bench/regions."""
import os
import statistics
import subprocess

REPS = 3
PATTERNS = [
    ("alloc", "ns, allocate, sizes mixed"),
    ("alloc-nodes", "ns, allocate, one size"),
    ("tree", "ns per node: open, build a tree of 1000, walk, drop"),
    ("nodes", "ns, free and allocate, one size"),
    ("nodes-2", "the same by two threads in one region"),
    ("mixed", "ns, free and allocate, sizes mixed"),
    ("mixed-2", "the same by two threads in one region"),
    ("open", "ns, open and close an empty region"),
    ("empty", "bytes resident per empty region, of 20000"),
]


def contenders(build, peers):
    """(name, program, library to preload): ours first, malloc once per peer."""
    folder = os.path.join(build, "bench/regions")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    programs = [n for n in names if os.access(os.path.join(folder, n), os.X_OK)
                and os.path.isfile(os.path.join(folder, n))]
    programs.sort(key=lambda n: (not n.startswith("vm"), n))
    found = [(n, os.path.join(folder, n), None) for n in programs if n != "malloc"]
    if "malloc" in programs:
        found += [(f"malloc of {peer}", os.path.join(folder, "malloc"), file)
                  for peer, file in peers.items()]
    return found


def run(program, preload):
    environment = {**os.environ, **({"LD_PRELOAD": preload} if preload else {})}
    r = subprocess.run([program], env=environment, stdout=subprocess.PIPE, text=True, timeout=120,
                       check=False)
    lines = [line.split() for line in r.stdout.splitlines()]
    return {name: float(value) for name, value in lines} if r.returncode == 0 else {}


def measure(build, peers):
    """[{name, figures: {pattern: median}}], the contenders in turns."""
    found = contenders(build, peers)
    runs = {name: [] for name, _, _ in found}
    for _ in range(REPS):
        for name, program, preload in found:
            runs[name].append(run(program, preload))
    result = []
    for name, of_one in runs.items():
        figures = {p: statistics.median(r[p] for r in of_one) for p, _ in PATTERNS
                   if all(p in r for r in of_one)}
        result.append({"name": name, "figures": figures})
    return result


def problems(rows):
    return [row["name"] for row in rows if not row["figures"]]


def print_table(rows):
    if not rows:
        return
    print("\nRegions, beside other libraries of regions\n")
    for pattern, about in PATTERNS:
        print(f"  {pattern:<12} {about}")
    print("\n" + " " * 20 + "".join(p.rjust(12) for p, _ in PATTERNS))
    for row in rows:
        cells = [f"{row['figures'][p]:.1f}" if p in row["figures"] else "" for p, _ in PATTERNS]
        print(row["name"].ljust(20) + "".join(c.rjust(12) for c in cells)
              + ("" if row["figures"] else "  failed"))
