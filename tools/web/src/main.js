// SPDX-License-Identifier: MIT
// The page of vmalloc report --html: reads the data in it, draws its parts, joins the controls.
import {
    amount,
    basename,
    blocks,
    bytes,
    count,
    element,
    percent,
    short,
    signed,
    time,
} from "./format.js";
import { bins, Profile, rows, Tree } from "./model.js";
import { drawn, LIVES, SIZES } from "./histogram.js";
import { Flame } from "./flame.js";
import { Regions } from "./regions.js";
import { Table, tellsUnused } from "./table.js";
import { TimeLine } from "./timeline.js";
import "./style.css"; // the last word, after the libraries'

const $ = (id) => document.getElementById(id);

const MEASURES = {
    peak: ["Peak", "what lived when the program had most"],
    live: ["Live at end", "what was never freed"],
    bytes: ["Bytes", "asked for over the whole run"],
    calls: ["Blocks", "asked for over the whole run"],
    short: ["Short-lived", "blocks freed after few more allocations"],
    slack: ["Rounding", "bytes beyond what was asked for, from rounding up"],
    unused: ["Never written", "bytes asked for, at the ends of blocks, and never written"],
    copied: ["Copied", "bytes copied when blocks were resized"],
};

const data = JSON.parse($("data").textContent);
const now = new Profile(data.now);
const before = data.before ? new Profile(data.before) : null;
const profiles = before ? [now, before] : [now];
if (!tellsUnused(profiles)) delete MEASURES.unused;
const state = {
    measure: "peak",
    byLine: false,
    inverted: false,
    group: before ? "function" : "line",
    through: true,
};
const trees = new Map();

/* ---- the tooltip ---- */

const tip = {
    show(event, lines) {
        const box = $("tip");
        box.replaceChildren(...lines.map(([kind, text]) => element("div", { class: kind }, text)));
        box.hidden = false;
        const x = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
        const below = event.clientY + 18 + box.offsetHeight < innerHeight;
        box.style.left = Math.max(8, x) + "px";
        box.style.top = (below ? event.clientY + 18 : event.clientY - box.offsetHeight - 10) + "px";
    },
    hide() {
        $("tip").hidden = true;
    },
};

/* ---- what the program was ---- */

function header() {
    const name = basename(now.exe) || basename(now.path);
    document.title = `${name}: memory`;
    $("program").textContent = before ? `${name}: what changed` : name;
    $("command").textContent = now.command;
    const began = now.started ? new Date(now.started).toLocaleString() : "";
    const facts = [`process ${now.pid}`, began, `ran ${time(now.lasted)}`];
    facts.push(now.period ? `sampled, one block in ${bytes(now.period)}` : "every block recorded");
    if (before) facts.push(`compared with process ${before.pid} (${basename(before.path)})`);
    $("facts").textContent = facts.filter(Boolean).join("  \u00b7  ");
}

function warnings() {
    const list = now.complaints.map((c) => `The file is not whole: ${c}.`);
    if (before)
        list.push(...before.complaints.map((c) => `The file of before is not whole: ${c}.`));
    if (!now.whole)
        list.push(
            "The program was still running, or it was killed: the figures are those of its last moment.",
        );
    if (now.period)
        list.push("Figures are estimates from samples; the summary tells two standard errors.");
    if (now.missed) list.push(`${count(now.missed)} calls came while they could not be recorded.`);
    if (now.damaged)
        list.push(
            `${count(now.damaged)} blocks had been overwritten behind their end: "vmalloc run --debug" finds who does it.`,
        );
    if (now.unplaced)
        list.push(`${count(now.unplaced)} allocations are not told by site, for want of memory.`);
    $("warnings").replaceChildren(...list.map((text) => element("p", {}, text)));
}

function card(title, figure, note, change, isBytes) {
    const badge =
        before && change !== undefined
            ? element(
                  "span",
                  { class: "badge " + (change > 0 ? "grew" : change < 0 ? "shrank" : "") },
                  signed(change, isBytes),
              )
            : null;
    return element(
        "div",
        { class: "card" },
        element("h3", {}, title),
        element("p", { class: "figure" }, figure, badge),
        element("p", { class: "dim" }, note),
    );
}

function summary() {
    const t = now.total,
        error = (e) => (e ? `\u00b1 ${bytes(e)}, ` : "");
    const sums = (p) => ({ short: p.sum("short"), slack: p.sum("slack"), unused: p.sum("unused") });
    const s = sums(now),
        b = before ? sums(before) : null,
        bt = before?.total;
    $("summary").replaceChildren(
        card(
            "Peak",
            bytes(now.peak),
            `${blocks(now.peakblocks)}, after ${time(now.peaktime)}`,
            before && now.peak - before.peak,
            true,
        ),
        card(
            "Live at end",
            bytes(t.livebytes),
            error(t.liveerror) + `${blocks(t.live)} not freed`,
            bt && t.livebytes - bt.livebytes,
            true,
        ),
        card(
            "Asked for",
            bytes(t.bytes),
            error(t.byteserror) + `${bytes(t.calls ? t.bytes / t.calls : 0)} on average`,
            bt && t.bytes - bt.bytes,
            true,
        ),
        card(
            "Blocks",
            short(t.calls),
            now.lasted ? `${short((1000 * t.calls) / now.lasted)} a second` : "",
            bt && t.calls - bt.calls,
            false,
        ),
        card(
            "Short-lived",
            percent(s.short, t.calls),
            `${short(s.short)} blocks, freed within ${now.near} calls`,
            b && s.short - b.short,
            false,
        ),
        card(
            "Rounding",
            bytes(s.slack),
            `${percent(s.slack, t.bytes)} of what was asked for`,
            b && s.slack - b.slack,
            true,
        ),
        ...(MEASURES.unused
            ? [
                  card(
                      "Never written",
                      bytes(s.unused),
                      `${percent(s.unused, t.looked)} of what was asked for`,
                      b && s.unused - b.unused,
                      true,
                  ),
              ]
            : []),
    );
}

/* ---- the pictures ---- */

const timeline = new TimeLine($("times"), profiles);

const flame = new Flame($("flame"), {
    tip,
    onZoom(name) {
        $("reset").disabled = name === null;
    },
    onFound(n, sum, total) {
        $("found").textContent =
            n === 0 ? "not found" : `${percent(sum, total)} in ${count(n)} frames`;
    },
});

const table = new Table($("sites"), profiles, (name) => {
    if (MEASURES[name] && name !== state.measure) setMeasure(name, true);
});

function tree() {
    const key = `${state.byLine} ${state.inverted}`;
    if (!trees.has(key)) trees.set(key, new Tree(profiles, state));
    return trees.get(key);
}

function drawFlame() {
    const isBytes = now.isBytes[state.measure];
    const all = state.inverted ? "all allocating functions" : "all";
    const total = now.sum(state.measure);
    const nested = tree().nested(state.measure, `${all}: ${amount(total, isBytes)}`);
    flame.draw(nested, isBytes, !!before);
    $("flametitle").textContent =
        MEASURES[state.measure][1] + (before ? "; red grew, blue shrank" : "; click to zoom");
}

function drawTable() {
    table.set(rows(profiles, state.group, state.through));
    $("tabletitle").textContent =
        `${count(table.rows.length)} rows from ${count(now.nsites)} stacks; click one for its callers`;
}

function setMeasure(name, sorted) {
    state.measure = name;
    $("measures")
        .querySelectorAll("input")
        .forEach((input) => (input.checked = input.value === name));
    drawFlame();
    if (!sorted) table.sortBy(name);
}

function controls() {
    for (const [name, [title, what]] of Object.entries(MEASURES)) {
        const input = element("input", {
            type: "radio",
            name: "measure",
            value: name,
            onchange: () => setMeasure(name),
        });
        $("measures").append(element("label", { title: what }, input, element("span", {}, title)));
    }
    $("group").value = state.group;
    let waiting;
    $("search").addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => {
            if (!$("search").value.trim()) $("found").textContent = "";
            flame.search($("search").value);
            table.search($("search").value);
        }, 120);
    });
    $("reset").addEventListener("click", () => flame.reset());
    $("upside").addEventListener(
        "change",
        (e) => ((state.inverted = e.target.checked), drawFlame()),
    );
    $("bylines").addEventListener(
        "change",
        (e) => ((state.byLine = e.target.checked), drawFlame()),
    );
    $("group").addEventListener("change", (e) => ((state.group = e.target.value), drawTable()));
    $("through").addEventListener(
        "change",
        (e) => ((state.through = e.target.checked), drawTable()),
    );
}

/* ---- light and dark ---- */

// Pages from files may not be allowed to keep anything.
function remembered(value) {
    try {
        if (value) localStorage.setItem("vmalloc-theme", value);
        return localStorage.getItem("vmalloc-theme");
    } catch {
        return null;
    }
}

let regions = null;

function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
    if (!regions) return;
    timeline.draw();
    flame.recolour();
    regions.draw();
}

function begin() {
    const system = matchMedia("(prefers-color-scheme: dark)");
    setTheme(remembered() ?? (system.matches ? "dark" : "light"));
    system.addEventListener("change", () => setTheme(system.matches ? "dark" : "light"));
    $("theme").addEventListener("click", () =>
        setTheme(
            remembered(document.documentElement.dataset.theme === "dark" ? "light" : "dark") ??
                "dark",
        ),
    );
    header();
    warnings();
    summary();
    controls();
    if (now.times.time.length > 1) timeline.draw();
    else $("timesection").hidden = true;
    drawTable();
    setMeasure(now.peak > 0 ? "peak" : "bytes");
    drawn($("sizes"), bins(now, "size", 16), SIZES, before && bins(before, "size", 16));
    drawn($("lives"), bins(now, "life", 14), LIVES, before && bins(before, "life", 14));
    regions = new Regions($("regions"), now, tip);
    regions.draw();
    $("foot").textContent = `Made by vmalloc report from ${now.path}. This page needs no network.`;
    document.documentElement.dataset.ready = "true";
}

begin();
