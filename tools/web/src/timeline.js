// SPDX-License-Identifier: MIT
// The time line, drawn by uPlot: live bytes, resident bytes of the process, live blocks.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { bytes, count, short, time } from "./format.js";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Ticks at round numbers of KiB, MiB, ...
const BYTES = Array.from({ length: 50 }, (_, i) => 2 ** i);

// The times of two profiles in one list, with gaps where one has none.
function joined(profiles) {
    const one = (p) => [
        p.times.time.map((t) => t / 1000),
        p.times.most,
        p.times.resident,
        p.times.blocks,
    ];
    if (profiles.length === 1) return one(profiles[0]);
    const [a, b] = profiles.map(one);
    return uPlot.join([a, [b[0], b[1]]]);
}

function peakMark(p) {
    return (u) => {
        const x = u.valToPos(p.peaktime / 1000, "x", true),
            y = u.valToPos(p.peak, "bytes", true);
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
        const c = u.ctx,
            scale = devicePixelRatio;
        c.save();
        c.fillStyle = css("--mark");
        c.strokeStyle = css("--panel");
        c.lineWidth = 2 * scale;
        c.beginPath();
        c.arc(x, Math.max(y, u.bbox.top), 4.5 * scale, 0, 2 * Math.PI);
        c.fill();
        c.stroke();
        const right = x > u.bbox.left + u.bbox.width * 0.8;
        c.font = `600 ${12 * scale}px ${css("--sans")}`;
        c.textAlign = right ? "right" : "left";
        c.textBaseline = "middle";
        c.fillText(
            `peak ${bytes(p.peak)}`,
            x + (right ? -10 : 10) * scale,
            Math.max(y, u.bbox.top + 8 * scale),
        );
        c.restore();
    };
}

export class TimeLine {
    constructor(box, profiles) {
        this.box = box;
        this.profiles = profiles;
        new ResizeObserver(() => {
            if (this.plot && box.clientWidth !== this.plot.width)
                this.plot.setSize({ width: box.clientWidth, height: 250 });
        }).observe(box);
    }

    draw() {
        this.plot?.destroy();
        const [now, before] = this.profiles;
        const value = (show) => (u, v) => (v === null || v === undefined ? "\u2013" : show(v));
        const spans = (u, seriesIndex, dataIndex0, dataIndex1) =>
            !!(seriesIndex && dataIndex0 + dataIndex1 + 1);
        // What the process has beside its blocks can be so much that they look like nothing.
        const dwarfed = Math.max(...now.times.resident) > 6 * Math.max(now.peak, before?.peak ?? 0);
        const series = [
            { label: "time", value: value((v) => time(v * 1000)) },
            {
                label: before ? "live, now" : "live",
                scale: "bytes",
                stroke: css("--live"),
                fill: css("--livefill"),
                width: 1.75,
                value: value(bytes),
                points: { show: false },
                spanGaps: spans,
            },
            {
                label: "resident",
                scale: "bytes",
                show: !dwarfed,
                stroke: css("--resident"),
                width: 1.25,
                dash: [5, 4],
                value: value(bytes),
                points: { show: false },
                spanGaps: true,
            },
            {
                label: "blocks",
                scale: "blocks",
                stroke: css("--blocks"),
                width: 1.25,
                value: value(count),
                points: { show: false },
                spanGaps: true,
            },
        ];
        if (before)
            series.push({
                label: "live, before",
                scale: "bytes",
                stroke: css("--before"),
                width: 1.75,
                value: value(bytes),
                points: { show: false },
                spanGaps: true,
            });
        const axis = {
            stroke: css("--dim"),
            font: `11px ${css("--sans")}`,
            grid: { stroke: css("--line"), width: 1 },
            ticks: { show: false },
        };
        this.plot = new uPlot(
            {
                width: this.box.clientWidth,
                height: 250,
                scales: {
                    x: { time: false },
                    bytes: { range: (u, min, max) => [0, max * 1.08 || 1] },
                    blocks: { range: (u, min, max) => [0, max * 1.08 || 1] },
                },
                axes: [
                    { ...axis, values: (u, ticks) => ticks.map((t) => (t ? time(t * 1000) : "0")) },
                    {
                        ...axis,
                        scale: "bytes",
                        size: 72,
                        space: 26,
                        incrs: BYTES,
                        values: (u, ticks) => ticks.map((t) => (t ? bytes(t) : "0")),
                    },
                    {
                        ...axis,
                        scale: "blocks",
                        side: 1,
                        size: 58,
                        grid: { show: false },
                        values: (u, ticks) => ticks.map(short),
                    },
                ],
                series,
                cursor: { points: { size: 7 }, drag: { x: true, y: false } },
                hooks: { draw: [peakMark(now)] },
            },
            joined(this.profiles),
            this.box,
        );
    }
}
