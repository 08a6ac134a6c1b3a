// SPDX-License-Identifier: MIT
// Regions: figures of each, and its segments as a map of cells in the order of addresses. A cell's
// colour tells how much of it is in blocks; what is empty at a stretch could be given back, what is
// empty between blocks is fragmentation.
import { bytes, count, element, percent, short } from "./format.js";

const CELLS = 3200; // of a region, about
const FEWER = 500; // of one without a profile
const PIECE = 4096;

// Cells of a unit of bytes each, from those of the profile: [fill 0..1, address, segment] lists.
function resampled(segments, unit) {
    const cells = [];
    segments.forEach((s, index) => {
        const n = Math.max(1, Math.round(s.extent / unit));
        const address = BigInt("0x" + s.addr);
        for (let i = 0; i < n; i++) {
            const from = Math.floor((i * s.fill.length) / n),
                to = Math.max(from + 1, Math.floor(((i + 1) * s.fill.length) / n));
            let sum = 0;
            for (let k = from; k < to; k++) sum += s.fill[k];
            cells.push({
                fill: sum / (to - from) / 255,
                address: address + BigInt(Math.floor((i * s.extent) / n)),
                segment: index,
                last: i === n - 1,
            });
        }
    });
    return cells;
}

function decoded(s) {
    return { ...s, fill: Uint8Array.from(atob(s.cells), (c) => c.charCodeAt(0)) };
}

// How the free bytes lie: in cells without a block, or between blocks.
function spread(segments) {
    let empty = 0,
        between = 0,
        busy = 0,
        extent = 0;
    for (const s of segments) {
        const cell = s.extent / Math.max(1, s.fill.length);
        extent += s.extent;
        for (const f of s.fill) {
            if (f === 0) empty += cell;
            else between += (cell * (255 - f)) / 255;
        }
        busy += s.busy;
    }
    return { empty, between, busy, extent };
}

class CellMap {
    constructor(segments, tip, cells) {
        this.segments = segments;
        this.tip = tip;
        this.unit = Math.max(PIECE, segments.reduce((sum, s) => sum + s.extent, 0) / cells);
        this.cells = resampled(segments, this.unit);
        this.canvas = element("canvas", {
            class: "map",
            role: "img",
            "aria-label": "How full which part of the region is",
        });
        this.canvas.addEventListener("mousemove", (e) => this.#hover(e));
        this.canvas.addEventListener("mouseleave", () => tip.hide());
    }

    draw() {
        const width = this.canvas.parentElement.clientWidth,
            scale = devicePixelRatio || 1;
        this.side = this.cells.length > 1500 ? 8 : this.cells.length > 300 ? 11 : 14;
        this.columns = Math.max(1, Math.floor(width / this.side));
        const rows = Math.ceil(this.cells.length / this.columns);
        this.canvas.width = width * scale;
        this.canvas.height = rows * this.side * scale;
        this.canvas.style.height = rows * this.side + "px";
        const c = this.canvas.getContext("2d"),
            style = getComputedStyle(document.documentElement);
        const empty = style.getPropertyValue("--cell"),
            full = style.getPropertyValue("--fill").trim().split(/\s+/);
        c.scale(scale, scale);
        this.cells.forEach((cell, i) => {
            const x = (i % this.columns) * this.side,
                y = Math.floor(i / this.columns) * this.side;
            c.fillStyle = empty;
            c.fillRect(x, y, this.side - 1, this.side - 1);
            if (cell.fill > 0) {
                c.fillStyle = `hsl(${full[0]} ${full[1]} ${full[2]} / ${(0.18 + 0.82 * cell.fill).toFixed(3)})`;
                c.fillRect(x, y, this.side - 1, this.side - 1);
            }
            if (cell.last) {
                c.fillStyle = style.getPropertyValue("--mark");
                c.fillRect(x + this.side - 2, y, 1.5, this.side - 1);
            }
        });
    }

    #hover(event) {
        const x = Math.floor(event.offsetX / this.side),
            y = Math.floor(event.offsetY / this.side);
        const cell = x < this.columns ? this.cells[y * this.columns + x] : null;
        if (!cell) return this.tip.hide();
        const s = this.segments[cell.segment];
        this.tip.show(event, [
            ["name", `0x${cell.address.toString(16)}`],
            ["figure", `${percent(cell.fill, 1)} of ${bytes(this.unit)} in blocks`],
            [
                "dim",
                `segment ${cell.segment + 1} of ${this.segments.length}: ${bytes(s.extent)}, ${percent(s.busy, s.extent)} full`,
            ],
        ]);
    }
}

export class Regions {
    constructor(box, profile, tip) {
        this.box = box;
        this.maps = [];
        const segments = profile.segments.map(decoded);
        const known = new Set(profile.regions.map((r) => r.number));
        for (const r of profile.regions)
            this.#region(
                r,
                segments.filter((s) => s.region === r.number),
                tip,
            );
        const strays = new Map();
        for (const s of segments.filter((x) => !known.has(x.region)))
            strays.set(s.name, [...(strays.get(s.name) ?? []), s]);
        for (const [name, list] of strays)
            this.#region(
                { name: name || "unnamed", method: "", discipline: "", without: true },
                list,
                tip,
            );
        if (!box.hasChildNodes())
            box.append(element("p", { class: "none" }, "The profile tells of no region."));
        if (profile.regions.length > 0 && segments.length === 0)
            box.append(
                element(
                    "p",
                    { class: "none" },
                    "Segments are noted when the program ends or asks for a profile; this one had not.",
                ),
            );
        new ResizeObserver(() => this.draw()).observe(box);
    }

    #region(r, segments, tip) {
        const facts = [];
        if (r.method) facts.push(`${r.method} on ${r.discipline || "a discipline of the program"}`);
        if (r.times > 1) facts.push(`${count(r.times)} regions opened at this place`);
        if (r.closed) facts.push("closed");
        if (r.without) facts.push("not profiled");
        const figures = [];
        if (r.peak) figures.push(["most live", bytes(r.peak)]);
        if (r.live !== undefined) figures.push(["live at end", bytes(r.live)]);
        if (r.most) figures.push(["largest extent", bytes(r.most)]);
        const part = element(
            "article",
            { class: "region" },
            element(
                "div",
                { class: "regionhead" },
                element("h3", {}, r.name || `region ${r.number}`),
                element("p", { class: "dim" }, facts.join(", ")),
            ),
        );
        if (segments.length > 0) {
            const { empty, between, busy, extent } = spread(segments);
            figures.push(
                [
                    segments.length === 1
                        ? "in 1 segment"
                        : `in ${short(segments.length)} segments`,
                    bytes(extent),
                ],
                ["in blocks", `${bytes(busy)}, ${percent(busy, extent)}`],
                ["free between blocks", `${bytes(between)}, ${percent(between, extent)}`],
                ["empty at a stretch", `${bytes(empty)}, ${percent(empty, extent)}`],
            );
        }
        part.append(
            element(
                "dl",
                { class: "figures" },
                ...figures.map(([what, figure]) =>
                    element("div", {}, element("dt", {}, what), element("dd", {}, figure)),
                ),
            ),
        );
        if (segments.length > 0) {
            const map = new CellMap(segments, tip, r.without ? FEWER : CELLS);
            part.append(map.canvas, element("p", { class: "dim" }, `a cell is ${bytes(map.unit)}`));
            this.maps.push(map);
        }
        this.box.append(part);
    }

    draw() {
        this.maps.forEach((m) => m.draw());
    }
}
