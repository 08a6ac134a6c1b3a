// SPDX-License-Identifier: MIT
// Bars of blocks by class.
import { count, element, percent, short } from "./format.js";

// Blocks of up to 16, 32, ... 256 Ki, and of more bytes.
export const SIZES = Array.from({ length: 16 }, (_, i) => {
    const bound = (k) => (k < 6 ? String(16 << k) : `${(16 << k) / 1024}K`);
    return i < 15
        ? { label: bound(i), about: `up to ${bound(i)} bytes` }
        : { label: "more", about: "more than 256K bytes" };
});

// Calls from allocation to freeing: none, less than 4, 16, ... 16 Mi, and more.
export const LIVES = Array.from({ length: 14 }, (_, i) => {
    const bound = 4 ** i;
    const text =
        bound < 1024 ? String(bound) : bound < 1048576 ? `${bound / 1024}K` : `${bound / 1048576}M`;
    if (i === 0) return { label: "0", about: "freed before the next allocation" };
    return i < 13
        ? { label: `<${text}`, about: `freed after less than ${text} more allocations` }
        : { label: "more", about: "freed after 16M more allocations or later" };
});

export function histogram(values, classes, before) {
    const total = values.reduce((a, b) => a + b, 0);
    const most = Math.max(1, ...values, ...(before ?? []));
    const bar = (value, kind) =>
        element("span", { class: kind, style: `height:${((100 * value) / most).toFixed(2)}%` });
    return element(
        "div",
        { class: "histogram" },
        ...classes.map((c, i) =>
            element(
                "div",
                {
                    class: "bin",
                    title:
                        `${c.about}: ${count(values[i])} blocks, ${percent(values[i], total)}` +
                        (before ? `; before: ${count(before[i])}` : ""),
                },
                element(
                    "span",
                    { class: "share" },
                    values[i] ? (values[i] / total >= 0.005 ? percent(values[i], total) : "") : "",
                ),
                element(
                    "span",
                    { class: "bars" },
                    before ? bar(before[i], "bar before") : null,
                    bar(values[i], "bar"),
                ),
                element("span", { class: "label" }, c.label),
            ),
        ),
    );
}

export function drawn(box, values, classes, before) {
    const total = values.reduce((a, b) => a + b, 0);
    if (total === 0)
        box.replaceChildren(element("p", { class: "none" }, "No block is in any class."));
    else
        box.replaceChildren(
            histogram(values, classes, before),
            element("p", { class: "dim" }, `${short(total)} blocks`),
        );
}
