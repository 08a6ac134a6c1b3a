# SPDX-License-Identifier: MIT
"""Tables of what was measured: medians relative to the base, their noise, geometric means."""
import math
import re
import statistics

KINDS = [("wall", "Wall time"), ("peak", "Peak memory")]


def good_runs(runs):
    return [r for r in runs if "failed" not in r]


def figure(runs, kind):
    """Median, and noise: half of the range in % of the median."""
    values = [r[kind] for r in good_runs(runs)]
    if not values or len(values) < len(runs):
        return None
    median = statistics.median(values)
    return {"median": median, "noise": (max(values) - min(values)) / median * 50 if median else 0}


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def summarise(data):
    """Adds figures[kind][workload][peer] and means[kind][all|real][peer]."""
    data["figures"], data["means"] = {}, {}
    peers, base = list(data["machine"]["peers"]), data["base"]
    for kind, _ in KINDS:
        table = {}
        for name, runs in data["results"].items():
            row = {p: figure(runs[p], kind) for p in peers}
            for f in row.values():
                if f and row[base]:
                    f["ratio"] = f["median"] / row[base]["median"]
            table[name] = row
        data["figures"][kind] = table
        data["means"][kind] = {
            group: {p: geometric_mean([table[w["name"]][p]["ratio"] for w in rows]) for p in peers}
            for group, rows in groups(data, table).items()}


def groups(data, table):
    """Rows that every peer completed: all, and the real programs."""
    whole = [w for w in data["workloads"] if all(table[w["name"]].values())]
    return {"all": whole, "real programs": [w for w in whole if w["real"]]}


def cell(f):
    if not f:
        return "failed"
    return f"{f['ratio']:.2f} ±{f['noise']:.0f}" if "ratio" in f else "–"


def absolute(f, kind):
    if not f:
        return ""
    return f"{f['median']:.2f} s" if kind == "wall" else f"{f['median'] / 1024:.1f} M"


def print_table(data, kind, title):
    peers, base = list(data["machine"]["peers"]), data["base"]
    width, width_of_names = max(10, *(len(p) + 2 for p in peers)), 24
    print(f"\n{title} relative to {base}; ± is half the range in %, of {data['reps']} runs\n")
    print("workload".ljust(width_of_names) + "".join(p.rjust(width) for p in peers) + f"({base})".rjust(width + 2))
    for w in data["workloads"]:
        row = data["figures"][kind][w["name"]]
        print(w["name"].ljust(width_of_names) + "".join(cell(row[p]).rjust(width) for p in peers)
              + absolute(row[base], kind).rjust(width + 2))
    for group, means in data["means"][kind].items():
        if any(means.values()):
            print(f"geomean, {group}".ljust(width_of_names)
                  + "".join((f"{means[p]:.3f}" if means[p] else "–").rjust(width) for p in peers))


def print_given_back(data):
    """The workload "peak" tells resident memory itself."""
    runs = data["results"].get("peak")
    if not runs:
        return
    print("\nResident MiB: at the peak, after all was freed, after some more work, after malloc_trim()\n")
    for peer, of_peer in runs.items():
        numbers = re.findall(r"\d+", of_peer[-1].get("told", ""))
        print(peer.ljust(20) + "".join(n.rjust(8) for n in numbers))


def problems(data):
    """Runs that failed and outputs that differ from the base's, a line each."""
    lines = []
    same = {w["name"] for w in data["workloads"] if w["same"]}
    for name, by_peer in data["results"].items():
        expected = {r["output"] for r in good_runs(by_peer[data["base"]])}
        for peer, runs in by_peer.items():
            failed = [r["failed"] for r in runs if "failed" in r]
            if failed:
                lines.append(f"{name} on {peer} failed {len(failed)} of {len(runs)} times: {failed[0]}")
            elif name in same and expected and {r["output"] for r in runs} != expected:
                lines.append(f"{name} on {peer}: the output differs from that on {data['base']}")
    return lines


def print_tables(data):
    for kind, title in KINDS:
        print_table(data, kind, title)
    print_given_back(data)
    for line in problems(data):
        print("WRONG: " + line)


def print_machine(facts):
    print(f"{facts['date']}, {facts['cores']} x {facts['cpu']}, {facts['memory_mib']} MiB, Linux "
          f"{facts['kernel']}, {facts['system']}")
    for name, peer in facts["peers"].items():
        print(f"  {name:<10} {peer['package'] or peer['file']}")


def print_list(found, missing, peers):
    for w in found:
        print(f"{w.name:<12} {'real program: ' if w.real else ''}{w.about}")
    for name, program in missing:
        print(f"{name:<12} left out: {program} is not installed")
    print()
    for name, file in peers.items():
        print(f"{name:<12} {file}")
