// SPDX-License-Identifier: MIT
// A profile as tools/report_data.c writes it, and what is reckoned from it: stacks joined to a tree,
// sites joined to rows. Where two profiles are compared, both go into the same tree and rows.
import { basename, brief } from "./format.js";

export class Profile {
    constructor(data) {
        Object.assign(this, data);
        this.nsites = data.sites.node.length;
        this.nnodes = data.tree.length / 2 + 1;
        this.parent = new Uint32Array(this.nnodes);
        this.frame = new Uint32Array(this.nnodes);
        for (let i = 1; i < this.nnodes; i++) {
            this.parent[i] = data.tree[2 * i - 2];
            this.frame[i] = data.tree[2 * i - 1];
        }
        this.isBytes = Object.fromEntries(
            data.measures.map(([name, , isBytes]) => [name, !!isBytes]),
        );
    }

    name(frame) {
        return this.texts[this.frames[5 * frame]];
    }

    file(frame) {
        return this.texts[this.frames[5 * frame + 1]];
    }

    line(frame) {
        return this.frames[5 * frame + 2];
    }

    module(frame) {
        return this.texts[this.frames[5 * frame + 3]];
    }

    // To tell functions of one name apart; the program itself may have another name in another profile.
    home(frame) {
        const module = this.module(frame);
        return module === this.exe ? "" : basename(module);
    }

    inlined(frame) {
        return this.frames[5 * frame + 4] === 1;
    }

    // "file.c:12", "" unknown
    place(frame) {
        const line = this.line(frame);
        return line > 0 ? basename(this.file(frame)) + ":" + line : "";
    }

    // What a search looks at.
    words(frame) {
        return `${this.name(frame)} ${this.file(frame)}:${this.line(frame)} ${this.module(frame)}`;
    }

    sum(measure) {
        return this.sites[measure].reduce((a, b) => a + b, 0);
    }

    regionName(index) {
        const r = this.regions[index];
        if (!r) return "unknown region";
        return r.name || `region ${r.number}`;
    }
}

const SEPARATOR = "\n";

// A tree of functions, or of lines: arrays by node; node 0 is the root, parents come before children.
export class Tree {
    constructor(profiles, { byLine = false, inverted = false } = {}) {
        this.profiles = profiles;
        this.parent = [0];
        this.owner = [0]; // the profile that .frame is of
        this.frame = [0];
        this.children = new Map();
        this.keys = new Map();
        this.ends = profiles.map((p, i) => this.#enter(p, i, byLine, inverted));
    }

    #keysOf(p, byLine) {
        const keys = new Uint32Array(p.frames.length / 5);
        for (let f = 0; f < keys.length; f++) {
            let key = p.name(f) + SEPARATOR + p.home(f);
            if (byLine) key += SEPARATOR + p.place(f);
            if (!this.keys.has(key)) this.keys.set(key, this.keys.size);
            keys[f] = this.keys.get(key);
        }
        return keys;
    }

    #child(at, key, owner, frame) {
        const name = at * 0x400000 + key;
        let node = this.children.get(name);
        if (node === undefined) {
            node = this.parent.length;
            this.parent.push(at);
            this.owner.push(owner);
            this.frame.push(frame);
            this.children.set(name, node);
        }
        return node;
    }

    #enter(p, owner, byLine, inverted) {
        const keys = this.#keysOf(p, byLine);
        if (inverted) {
            return p.sites.node.map((node) => {
                let at = 0;
                for (; node !== 0; node = p.parent[node])
                    at = this.#child(at, keys[p.frame[node]], owner, p.frame[node]);
                return at;
            });
        }
        const mine = new Uint32Array(p.nnodes);
        for (let i = 1; i < p.nnodes; i++)
            mine[i] = this.#child(mine[p.parent[i]], keys[p.frame[i]], owner, p.frame[i]);
        return p.sites.node.map((node) => mine[node]);
    }

    // A measure of one profile, of each node with all below it.
    values(which, measure) {
        const values = new Float64Array(this.parent.length);
        const column = this.profiles[which].sites[measure];
        this.ends[which].forEach((node, site) => (values[node] += column[site]));
        for (let i = values.length - 1; i > 0; i--) values[this.parent[i]] += values[i];
        return values;
    }

    // As nested objects, largest first; what is less than a hundred-thousandth is left out.
    nested(measure, rootName) {
        const values = this.profiles.map((_, i) => this.values(i, measure));
        const weight =
            values.length > 1 ? (i) => Math.max(values[0][i], values[1][i]) : (i) => values[0][i];
        const least = weight(0) / 1e5;
        const made = [
            {
                name: rootName,
                value: values[0][0],
                before: values[1]?.[0] ?? 0,
                frame: -1,
                children: [],
            },
        ];
        for (let i = 1; i < this.parent.length; i++) {
            const parent = made[this.parent[i]];
            if (!parent || weight(i) <= least) continue;
            const p = this.profiles[this.owner[i]];
            made[i] = {
                name: brief(p.name(this.frame[i])),
                value: values[0][i],
                before: values[1]?.[i] ?? 0,
                profile: p,
                frame: this.frame[i],
                children: [],
            };
            parent.children.push(made[i]);
        }
        for (const node of made)
            node?.children.sort((a, b) => b.value - a.value || b.before - a.before);
        return made[0];
    }
}

const WRAPPER =
    /(^|\s)(std|__gnu_cxx)::|^(void\* )?operator new|^(?:__GI_)?_?_?(x|safe_|check_|e|g_|my_|zend_|gc_)?_?(malloc|calloc|realloc|strdup|strndup|reallocarray|memdup|malloc0|xmalloc|xrealloc|zalloc|mallocz)(_n|_n0|0|n|z|_impl|_r|_default)?$/;

// What stands before parameters of the function and of the template.
function isWrapper(name) {
    const end = name.search(/[(<]/);
    return WRAPPER.test(end > 0 ? name.slice(0, end) : name);
}

// As in report_fold.c: libraries are those of the system, unless the program is one of the system's.
const LIBRARY = /^(\/usr)?\/lib(32|64|x32|exec)?\/|^\[vdso\]/;
const SYSTEM = /^(\/usr)?\/(s?bin|lib(32|64|x32|exec)?)\/|^\/usr\/games\/|^\/opt\/|^$/;

function isInside(p, frame) {
    return p.name(frame) === "_start" || (!SYSTEM.test(p.exe) && LIBRARY.test(p.module(frame)));
}

// The first node from one on, outwards, of whose frames a test does not hold; 0: none.
function passed(p, at, known, test) {
    for (; at !== 0; at = p.parent[at]) {
        const frame = p.frame[at];
        if (!known.has(frame)) known.set(frame, test(frame));
        if (!known.get(frame)) return at;
    }
    return 0;
}

// The node that a site is told by: its innermost function, or the program's own that asked through
// wrappers and libraries; where there is none, the one that asked through wrappers.
export function siteNode(p, node, through) {
    if (!through) return node;
    p.wrapper ??= new Map();
    p.inside ??= new Map();
    const wrapper = (frame) => isWrapper(p.name(frame));
    const inside = (frame) => isInside(p, frame) || wrapper(frame);
    return passed(p, node, p.inside, inside) || passed(p, node, p.wrapper, wrapper) || node;
}

// The function that a row is called by, where it is, and what it is known by.
function title(p, site, group, through) {
    if (group === "region") {
        const region = p.regions[p.sites.region[site]];
        const name = p.regionName(p.sites.region[site]);
        return [name, region ? `${region.method} on ${region.discipline || "unknown"}` : "", name];
    }
    const node = siteNode(p, p.sites.node[site], through);
    const frame = p.frame[node];
    if (group === "module")
        return [basename(p.module(frame)) || "unknown", p.module(frame), p.home(frame)];
    const name = p.name(frame),
        place = p.place(frame),
        module = basename(p.module(frame));
    const home = p.home(frame);
    const unnamed = p.file(frame) === "" && name.startsWith(module + "+0x");
    if (unnamed) return [name, "", name];
    if (group === "function")
        return [name, basename(p.file(frame)) || module, name + SEPARATOR + home];
    if (group === "line")
        return [name, place || module, name + SEPARATOR + home + SEPARATOR + place];
    return [name, place || module, null];
}

function stackKey(p, node) {
    let key = "";
    for (; node !== 0; node = p.parent[node])
        key += SEPARATOR + p.name(p.frame[node]) + SEPARATOR + p.place(p.frame[node]);
    return key;
}

// Rows of the table: {name, place, values: [{measure: sum} of each profile], sites: [[...], ...]}.
export function rows(profiles, group, through) {
    const known = new Map();
    const columns = [...profiles[0].measures.map(([name]) => name), "liveblocks"];
    profiles.forEach((p, which) => {
        for (let site = 0; site < p.nsites; site++) {
            const [name, place, key] = title(p, site, group, through);
            const id = key ?? stackKey(p, p.sites.node[site]);
            let row = known.get(id);
            if (!row) {
                row = {
                    id,
                    name,
                    place,
                    values: profiles.map(() => Object.fromEntries(columns.map((c) => [c, 0]))),
                    sites: profiles.map(() => []),
                };
                known.set(id, row);
            }
            row.sites[which].push(site);
            for (const c of columns) row.values[which][c] += p.sites[c][site];
        }
    });
    return [...known.values()];
}

// Sums of bins of some sites, or of all.
export function bins(p, column, n, sites) {
    const sums = new Array(n).fill(0);
    const add = (pairs) => {
        for (let i = 0; pairs && i < pairs.length; i += 2) sums[pairs[i]] += pairs[i + 1];
    };
    if (sites) sites.forEach((s) => add(p.sites[column][s]));
    else p.sites[column].forEach(add);
    return sums;
}
