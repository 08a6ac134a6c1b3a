// SPDX-License-Identifier: MIT
// The table of sites: sorted by any column, filtered by the search, a row opens to its stacks and
// histograms. Rows are drawn a hundred at a time.
import { amount, bytes, brief, count, element, percent, short, signed } from "./format.js";
import { bins } from "./model.js";
import { histogram, LIVES, SIZES } from "./histogram.js";

const MORE = 100;

// name, title, what it means, whether bytes, value from the sums of a profile
const COLUMNS = [
    ["peak", "Peak", "bytes that lived when the program had most", true],
    ["live", "At end", "bytes that lived at the end", true],
    ["bytes", "Asked for", "bytes asked for over the whole run", true],
    ["calls", "Blocks", "blocks asked for over the whole run", false],
    [
        "mean",
        "Mean",
        "bytes of a block, on average",
        true,
        (v) => (v.calls ? v.bytes / v.calls : 0),
    ],
    ["short", "Short-lived", "blocks freed after few more allocations", false],
    ["slack", "Rounding", "bytes that blocks had beyond what was asked for", true],
    ["unused", "Never written", "bytes at the ends of blocks that were never written", true],
    ["copied", "Copied", "bytes copied when blocks were resized", true],
].map(([name, title, what, isBytes, of = (v) => v[name]]) => ({ name, title, what, isBytes, of }));

// Whether what was never written was looked for, in all of them.
export function tellsUnused(profiles) {
    return profiles.every((p) => p.unused > 0);
}

export class Table {
    constructor(box, profiles, onSort) {
        this.box = box;
        this.profiles = profiles;
        this.compared = profiles.length > 1;
        this.onSort = onSort;
        this.open = new Set();
        this.columns = COLUMNS.filter((c) => c.name !== "unused" || tellsUnused(profiles));
        this.column = COLUMNS[0];
        this.down = true;
        this.term = "";
        this.shown = 25;
        box.addEventListener("click", (event) => this.#clicked(event));
    }

    set(rows) {
        this.rows = rows;
        this.open.clear();
        this.shown = 25;
        this.draw();
    }

    // Largest first, if there is such a column.
    sortBy(name) {
        const column = this.columns.find((c) => c.name === name);
        if (!column) return;
        this.column = column;
        this.down = true;
        this.draw();
    }

    search(term) {
        this.term = term.trim().toLowerCase();
        this.draw();
    }

    #value(row, column) {
        const now = column.of(row.values[0]);
        return this.compared ? now - column.of(row.values[1]) : now;
    }

    #matches(row) {
        if (!this.term) return true;
        if (`${row.name} ${row.place}`.toLowerCase().includes(this.term)) return true;
        return this.profiles.some((p, which) =>
            row.sites[which].some((site) => {
                for (let node = p.sites.node[site]; node !== 0; node = p.parent[node])
                    if (p.words(p.frame[node]).toLowerCase().includes(this.term)) return true;
                return false;
            }),
        );
    }

    #sorted() {
        const { name, column } = { name: this.column === null, column: this.column };
        const sign = this.down ? -1 : 1;
        return this.rows
            .filter((r) => this.#matches(r))
            .sort((a, b) =>
                name
                    ? -sign * (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
                    : sign * (this.#value(a, column) - this.#value(b, column)),
            );
    }

    draw() {
        const rows = this.#sorted();
        const whole = Object.fromEntries(
            this.columns.map((c) => [
                c.name,
                Math.max(1, ...this.rows.map((r) => Math.abs(this.#value(r, c)))),
            ]),
        );
        const body = element("tbody");
        for (const row of rows.slice(0, this.shown)) {
            body.append(this.#row(row, whole));
            if (this.open.has(row.id)) body.append(this.#details(row));
        }
        const rest = rows.length - this.shown;
        this.box.replaceChildren(
            element("div", { class: "scroll" }, element("table", {}, this.#head(), body)),
            ...(rest > 0
                ? [element("button", { type: "button", class: "more" }, `${count(rest)} more rows`)]
                : []),
            ...(rows.length === 0
                ? [element("p", { class: "none" }, "No site has that in its stack.")]
                : []),
        );
        this.total = rows.length;
    }

    #head() {
        const cell = (name, title, what, selected) =>
            element(
                "th",
                {
                    scope: "col",
                    class: name === "name" ? "name" : "number",
                    "aria-sort": selected ? (this.down ? "descending" : "ascending") : null,
                },
                element("button", { type: "button", "data-column": name, title: what }, title),
            );
        return element(
            "thead",
            {},
            element(
                "tr",
                {},
                cell("name", "Site", "function and line", this.column === null),
                ...this.columns.map((c) =>
                    cell(
                        c.name,
                        this.compared ? "\u0394\u2009" + c.title : c.title,
                        c.what,
                        c === this.column,
                    ),
                ),
            ),
        );
    }

    #row(row, whole) {
        const open = this.open.has(row.id);
        return element(
            "tr",
            { class: open ? "site open" : "site" },
            element(
                "th",
                { scope: "row" },
                element(
                    "button",
                    {
                        type: "button",
                        class: "expand",
                        "data-row": row.id,
                        "aria-expanded": String(open),
                        title: row.name,
                    },
                    element("span", { class: "function" }, brief(row.name)),
                    " ",
                    element("span", { class: "place" }, row.place),
                ),
            ),
            ...this.columns.map((c) => this.#cell(this.#value(row, c), c, whole[c.name])),
        );
    }

    #cell(value, column, most) {
        const text =
            value === 0
                ? "\u2013"
                : this.compared
                  ? signed(value, column.isBytes)
                  : amount(value, column.isBytes);
        const share = column.name === "mean" ? 0 : (100 * Math.abs(value)) / most;
        const kind = !this.compared || value === 0 ? "" : value > 0 ? " grew" : " shrank";
        return element(
            "td",
            {
                class:
                    (column === this.column ? "sorted" : "") + kind + (value === 0 ? " zero" : ""),
                style: share >= 0.5 ? `--share:${share.toFixed(1)}%` : null,
            },
            text,
        );
    }

    #details(row) {
        const p = this.profiles[0],
            sites = row.sites[0];
        const parts = [this.#stacks(row)];
        if (sites.length > 0)
            parts.push(
                this.#bins("Sizes", bins(p, "size", 16, sites), SIZES),
                this.#bins("Lifetimes", bins(p, "life", 14, sites), LIVES),
            );
        return element(
            "tr",
            { class: "details" },
            element(
                "td",
                { colspan: this.columns.length + 1 },
                element("div", { class: "detail" }, ...parts),
            ),
        );
    }

    #bins(title, values, classes) {
        return element(
            "div",
            { class: "bins" },
            element("h3", {}, title),
            values.some((n) => n > 0)
                ? histogram(values, classes)
                : element("p", { class: "none" }, "No block was freed."),
        );
    }

    // The largest stacks of a row, innermost function first.
    #stacks(row) {
        const which = row.sites[0].length > 0 ? 0 : 1;
        const p = this.profiles[which];
        const measure = this.column && p.sites[this.column.name] ? this.column : COLUMNS[0];
        const column = p.sites[measure.name];
        const sites = [...row.sites[which]].sort((a, b) => column[b] - column[a]);
        const list = element("div", { class: "stacks" }, element("h3", {}, this.#figures(row)));
        for (const site of sites.slice(0, 4)) {
            const steps = element("ol");
            for (let node = p.sites.node[site]; node !== 0; node = p.parent[node]) {
                const f = p.frame[node];
                steps.append(
                    element(
                        "li",
                        { title: p.name(f) },
                        element("span", { class: "function" }, brief(p.name(f))),
                        " ",
                        element(
                            "span",
                            { class: "place" },
                            p.place(f) || p.module(f).split("/").pop(),
                        ),
                    ),
                );
            }
            list.append(
                element(
                    "div",
                    { class: "stack" },
                    element(
                        "p",
                        {},
                        `${measure.title}: ${amount(column[site], measure.isBytes)} in ${short(p.sites.calls[site])} blocks` +
                            (p.regions.length > 1 ? `, ${p.regionName(p.sites.region[site])}` : ""),
                    ),
                    steps,
                ),
            );
        }
        if (sites.length > 4)
            list.append(
                element("p", { class: "dim" }, `and ${count(sites.length - 4)} smaller stacks`),
            );
        return list;
    }

    #figures(row) {
        const v = row.values[0],
            b = row.values[1];
        if (b)
            return `Peak ${bytes(b.peak)} \u2192 ${bytes(v.peak)}, at the end ${bytes(b.live)} \u2192 ${bytes(v.live)}, blocks ${short(b.calls)} \u2192 ${short(v.calls)}`;
        return (
            `${short(v.calls)} blocks, ${short(v.liveblocks)} not freed, ${percent(v.short, v.calls)} short-lived` +
            (v.resizes ? `, ${short(v.resizes)} resizes` : "") +
            (v.unused ? `, ${percent(v.unused, v.bytes)} of ${bytes(v.bytes)} never written` : "")
        );
    }

    #clicked(event) {
        const button = event.target.closest("button");
        if (!button) return;
        if (button.classList.contains("more")) {
            this.shown += MORE;
        } else if (button.dataset.row !== undefined) {
            const id = button.dataset.row;
            if (!this.open.delete(id)) this.open.add(id);
        } else if (button.dataset.column) {
            const column = this.columns.find((c) => c.name === button.dataset.column) ?? null;
            this.down = column === this.column ? !this.down : true;
            this.column = column;
            this.onSort(column?.name);
        }
        this.draw();
    }
}
