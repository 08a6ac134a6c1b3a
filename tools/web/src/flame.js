// SPDX-License-Identifier: MIT
// The flame graph, drawn by d3-flame-graph: the root on top, widths by the measure. Colours tell
// programs and libraries apart; where two profiles are compared, they tell what grew and what shrank.
import flamegraph from "d3-flame-graph";
import { select } from "d3-selection";
import { amount, basename, percent, signed } from "./format.js";

const CELL = 19;

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function hash(text) {
    let h = 7;
    for (let i = 0; i < text.length; i++) h = (h * 31 + text.charCodeAt(i)) | 0;
    return h >>> 0;
}

export class Flame {
    constructor(box, { tip, onZoom, onFound }) {
        this.box = box;
        this.tip = tip;
        this.onZoom = onZoom;
        this.onFound = onFound;
        this.term = "";
        new ResizeObserver(() => this.#resized()).observe(box);
    }

    // data: as Tree.nested() gives it. compared: there are figures from before.
    draw(data, isBytes, compared) {
        const path = this.chart ? this.path : [];
        Object.assign(this, { isBytes, compared, data, total: data.value, path: [] });
        this.box.replaceChildren();
        this.width = this.box.clientWidth;
        if (data.children.length === 0) {
            this.chart = null;
            this.box.textContent = "Nothing to show by this measure.";
            this.onZoom(null);
            return;
        }
        const tip = () => {};
        tip.show = (event, d) => this.tip.show(event, this.#about(d));
        tip.hide = () => this.tip.hide();
        this.chart = flamegraph()
            .width(this.width)
            .cellHeight(CELL)
            .inverted(true)
            .minFrameSize(0.7)
            .tooltip(tip)
            .height((this.#depth(data) + 1) * CELL)
            .transitionDuration(calm() || navigator.webdriver ? 0 : 220)
            .setSearchMatch((d) => this.#matches(d))
            .setSearchHandler((results, sum, total) => this.onFound(results.length, sum, total))
            .setColorMapper((d) => this.#colour(d))
            .onClick((d) => this.#zoomed(d));
        select(this.box).datum(data).call(this.chart);
        if (this.term) this.chart.search(this.term);
        this.#follow(path);
    }

    #depth(node) {
        return 1 + node.children.reduce((most, child) => Math.max(most, this.#depth(child)), 0);
    }

    search(term) {
        this.term = term.trim().toLowerCase();
        if (!this.chart) return;
        if (this.term) this.chart.search(this.term);
        else this.chart.clear();
    }

    reset() {
        this.chart?.resetZoom();
    }

    // The theme has changed.
    recolour() {
        this.chart?.update();
    }

    #resized() {
        if (!this.chart || this.box.clientWidth === this.width) return;
        this.width = this.box.clientWidth;
        this.chart.width(this.width);
        this.chart.update();
    }

    #matches(d) {
        const { frame, profile } = d.data;
        return (
            this.term !== "" && frame >= 0 && profile.words(frame).toLowerCase().includes(this.term)
        );
    }

    #zoomed(d) {
        this.path = [];
        for (let at = d; at.parent; at = at.parent) this.path.unshift(at.data.name);
        this.onZoom(d.parent ? d.data.name : null);
    }

    // Back to where it was, as far as the graph has it.
    #follow(path) {
        let at = select(this.box).datum();
        for (const name of path) {
            const next = at.children?.find((child) => child.data.name === name);
            if (!next) break;
            at = next;
        }
        if (at.parent) this.chart.zoomTo(at);
        else this.onZoom(null);
    }

    #colour(d) {
        const dark = document.documentElement.dataset.theme === "dark";
        if (d.highlight) return dark ? "#ffb224" : "#ffc53d";
        if (d.data.frame < 0) return dark ? "#30363d" : "#e4e8ee";
        const dim = this.term !== "" ? 0.35 : 1;
        if (this.compared) return this.#changed(d, dark, dim);
        const { profile, frame } = d.data;
        const hue = [212, 168, 262, 24, 336, 130, 48, 190][
            hash(basename(profile.module(frame))) % 8
        ];
        const shade = (hash(d.data.name) % 100) / 100;
        const saturation = (dark ? 32 : 62) * dim;
        return dark
            ? `hsl(${hue} ${saturation}% ${27 + 11 * shade}%)`
            : `hsl(${hue} ${saturation}% ${74 + 11 * shade}%)`;
    }

    #changed(d, dark, dim) {
        const { value, before } = d.data;
        const change = (value - before) / Math.max(value, before, 1);
        const hue = change > 0 ? 8 : 205;
        const strength = Math.min(1, Math.abs(change) * 1.2) * dim;
        return dark
            ? `hsl(${hue} ${8 + 62 * strength}% ${26 + 14 * strength}%)`
            : `hsl(${hue} ${10 + 75 * strength}% ${90 - 18 * strength}%)`;
    }

    #about(d) {
        const { profile, frame, value, before } = d.data;
        const lines = [];
        if (frame >= 0) {
            const place =
                profile.line(frame) > 0 ? `${profile.file(frame)}:${profile.line(frame)}` : "";
            lines.push([
                "name",
                profile.name(frame) + (profile.inlined(frame) ? "  (inlined)" : ""),
            ]);
            if (place) lines.push(["dim", place]);
            if (profile.module(frame)) lines.push(["dim", profile.module(frame)]);
        } else {
            lines.push(["name", d.data.name]);
        }
        let figure = `${amount(value, this.isBytes)}, ${percent(value, this.total)}`;
        if (this.compared)
            figure = `${amount(before, this.isBytes)} \u2192 ${amount(value, this.isBytes)} (${signed(value - before, this.isBytes)})`;
        lines.push(["figure", figure]);
        const own = value - d.data.children.reduce((sum, child) => sum + child.value, 0);
        if (!this.compared && d.data.children.length > 0 && own > value / 1000)
            lines.push(["dim", `${amount(own, this.isBytes)} in the function itself`]);
        return lines;
    }
}
