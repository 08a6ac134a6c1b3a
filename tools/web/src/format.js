// SPDX-License-Identifier: MIT
// Figures and names as they are shown.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(x) {
    let value = Math.abs(x),
        u = 0;
    for (; value >= 1000 && u < UNITS.length - 1; u++) value /= 1024;
    const digits = u === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return (x < 0 ? "\u2212" : "") + value.toFixed(digits) + "\u202f" + UNITS[u];
}

// With a thin space between groups of three digits.
export function count(x) {
    const digits = Math.abs(Math.round(x)).toString();
    return (x < 0 ? "\u2212" : "") + digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function blocks(n) {
    return `${count(n)} block${n === 1 ? "" : "s"}`;
}

// Of blocks, short: 12.3 M
export function short(x) {
    const value = Math.abs(x),
        sign = x < 0 ? "\u2212" : "";
    if (value < 1e5) return count(x);
    if (value < 1e6) return sign + (value / 1e3).toFixed(0) + "\u202fk";
    if (value < 1e9) return sign + (value / 1e6).toPrecision(3) + "\u202fM";
    return sign + (value / 1e9).toPrecision(3) + "\u202fG";
}

export function time(ms) {
    if (ms < 10) return ms.toFixed(1) + "\u202fms";
    if (ms < 1000) return Math.round(ms) + "\u202fms";
    if (ms < 120000) return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + "\u202fs";
    if (ms < 3 * 3600000) return (ms / 60000).toFixed(1) + "\u202fmin";
    return (ms / 3600000).toFixed(1) + "\u202fh";
}

export function percent(part, whole) {
    const p = whole ? (100 * part) / whole : 0;
    return (p !== 0 && Math.abs(p) < 10 ? p.toFixed(1) : p.toFixed(0)) + "\u202f%";
}

export function amount(x, isBytes) {
    return isBytes ? bytes(x) : short(x);
}

export function signed(x, isBytes) {
    return x === 0 ? "0" : (x > 0 ? "+" : "") + amount(x, isBytes);
}

export function basename(path) {
    return path.slice(path.lastIndexOf("/") + 1);
}

// A function's name without its parameters, and with what stands in < > left out.
export function brief(name) {
    let out = "",
        depth = 0;
    for (let i = 0; i < name.length; i++) {
        const c = name[i];
        const operator = /operator[<>\-=!()]*$/.test(out);
        if (c === "<" && !operator && i > 0) {
            if (depth++ === 0) out += "<\u2026>";
        } else if (c === ">" && depth > 0 && !operator) {
            depth--;
        } else if (depth === 0) {
            if (c === "(" && !operator && !name.startsWith("(anonymous namespace)", i) && i > 0)
                break;
            out += c;
        }
    }
    return (
        out.replace(
            /^(?:void|int|long|char|bool|auto|unsigned|const|\s|\*|&)+\s(?=[\w~]+[:<])/,
            "",
        ) || name
    );
}

export function element(tag, attributes = {}, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
        else if (value === true) e.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined)
            e.setAttribute(name, value);
    }
    e.append(...children.filter((c) => c !== null && c !== undefined));
    return e;
}
