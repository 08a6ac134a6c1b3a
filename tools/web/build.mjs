// SPDX-License-Identifier: MIT
// Makes the template of the page: src/page.html with the scripts and styles of src/ and of the
// libraries in it, bundled by esbuild. "node build.mjs FILE"; what comes out depends on nothing but
// src/ and package-lock.json.
import { build } from "esbuild";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const output = process.argv[2];
if (!output) {
    console.error("usage: node build.mjs FILE");
    process.exit(2);
}

const result = await build({
    absWorkingDir: here,
    entryPoints: ["src/main.js"],
    bundle: true,
    minify: true,
    keepNames: true, // d3-flame-graph knows a node by the name of its class
    charset: "ascii",
    format: "iife",
    target: ["chrome100", "firefox100", "safari15"],
    legalComments: "none", // they are in notices()
    outdir: "out",
    metafile: true,
    write: false,
});
const text = (ending) =>
    result.outputFiles
        .filter((f) => f.path.endsWith(ending))
        .map((f) => f.text)
        .join("");

// The libraries that are in it, with their licences.
function notices() {
    const names = new Set();
    for (const input of Object.keys(result.metafile.inputs)) {
        const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
        if (found) names.add(found[1]);
    }
    return [...names]
        .sort()
        .map((name) => {
            const folder = join(here, "node_modules", name);
            const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
            const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
            let licence = existsSync(join(folder, file ?? "none"))
                ? readFileSync(join(folder, file), "utf8")
                : "";
            if (about.license === "Apache-2.0")
                licence =
                    "http://www.apache.org/licenses/LICENSE-2.0\nText: tools/web/Apache-2.0.txt";
            return `${name} ${about.version}, ${about.license}\n\n${licence.trim()}\n`;
        })
        .join("\n====\n\n")
        .replaceAll("-->", "- ->");
}

const page = readFileSync(join(here, "src/page.html"), "utf8")
    .replace("/*STYLE*/", () => text(".css").trim())
    .replace("/*SCRIPT*/", () => text(".js").trim())
    .replace("NOTICES", () => notices().trim());
writeFileSync(output, page);
