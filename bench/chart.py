# SPDX-License-Identifier: MIT
"""The table as an SVG: for each workload a bar per peer, time on the left, memory on the right."""
from xml.sax.saxutils import escape

COLOURS = ["#c8102e", "#4e79a7", "#f28e2b", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#9c755f",
           "#bab0ac", "#2f4b7c"]
BAR, GAP, PANEL, NAMES, TOP = 7, 10, 420, 160, 84
CLIP = 2.5  # bars end here; the figure stands beside


def text(x, y, s, size=11, anchor="start", weight="normal", fill="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{fill}">{escape(s)}</text>')


def rectangle(x, y, width, height, fill):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def rows_of(data, kind):
    """(label, {peer: ratio or None}, is a mean)"""
    rows = [(f"geomean, {group}", means, True) for group, means in data["means"][kind].items()
            if any(means.values())]
    for w in data["workloads"]:
        figures = data["figures"][kind][w["name"]]
        rows.append((w["name"], {p: f.get("ratio") if f else None for p, f in figures.items()}, False))
    return rows


def panel(data, kind, title, left, peers):
    unit = (PANEL - 70) / CLIP
    height = len(peers) * BAR + GAP
    rows = rows_of(data, kind)
    out = [text(left, TOP - 14, title, 13, weight="bold")]
    for i, (label, ratios, mean) in enumerate(rows):
        y = TOP + i * height
        if kind == "wall":
            out.append(text(left - 8, y + height / 2, label, 11, "end", "bold" if mean else "normal"))
        for k, peer in enumerate(peers):
            ratio = ratios.get(peer)
            at = y + k * BAR
            if ratio is None:
                out.append(text(left + 3, at + BAR - 1, "failed", 6))
                continue
            out.append(rectangle(left, at, min(ratio, CLIP) * unit, BAR - 1, COLOURS[k % len(COLOURS)]))
            out.append(text(left + min(ratio, CLIP) * unit + 3, at + BAR - 1, f"{ratio:.2f}", 7, fill="#555"))
    end = TOP + len(rows) * height
    out.append(f'<line x1="{left + unit:.1f}" y1="{TOP - 6}" x2="{left + unit:.1f}" y2="{end}" '
               'stroke="#222" stroke-width="0.8" stroke-dasharray="3 3"/>')
    return out, end


def draw(data, file):
    facts, peers = data["machine"], list(data["machine"]["peers"])
    parts, end = panel(data, "wall", f"Wall time relative to {data['base']}", NAMES, peers)
    more, _ = panel(data, "peak", f"Peak memory relative to {data['base']}", NAMES + PANEL, peers)
    x = NAMES
    legend = []
    for k, peer in enumerate(peers):
        legend += [rectangle(x, 36, 10, 10, COLOURS[k % len(COLOURS)]), text(x + 14, 45, peer, 11)]
        x += 26 + 7 * len(peer)
    caption = (f"{facts['date']}, {facts['cores']} × {facts['cpu']}, Linux {facts['kernel']}, "
               f"medians of {data['reps']}; shorter is better")
    body = [text(NAMES, 22, caption, 11), *legend, *parts, *more]
    width, height = NAMES + 2 * PANEL, end + 10
    with open(file, "w", encoding="utf8") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                f'viewBox="0 0 {width} {height}" font-family="sans-serif">\n'
                + rectangle(0, 0, width, height, "#ffffff") + "\n" + "\n".join(body) + "\n</svg>\n")
