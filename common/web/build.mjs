// SPDX-License-Identifier: Apache-2.0
// Bundles the charts into one minified script that a page can hold inline. Runs in the build
// folder, where npm has installed the packages; writes nothing but the one file.
// Usage: node build.mjs SOURCE_DIR OUT_FILE
import {existsSync, readFileSync, readdirSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";

const [source, out] = process.argv.slice(2);
const modules = join(process.cwd(), "node_modules");
const esbuild = createRequire(join(process.cwd(), "package.json"))("esbuild");

const result = esbuild.buildSync({
    entryPoints: [join(source, "src/main.js")],
    nodePaths: [modules],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2020",
    charset: "ascii",
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "warning",
});

// The bundle holds other people's code: their notices go with it, equal licence texts once.
function notices(inputs) {
    const names = new Set();
    for (const [path, {bytesInOutput}] of Object.entries(inputs)) {
        const found = path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/);
        if (found && bytesInOutput > 0) names.add(found[1]);
    }
    const texts = new Map();
    for (const name of [...names].sort()) {
        const folder = join(modules, name);
        const {version, license} = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = existsSync(folder) && readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
        if (!file) throw new Error(`${name} ${version} has no licence file`);
        const lines = readFileSync(join(folder, file), "utf8").trim().split(/\r?\n/);
        const holders = lines.filter((line) => /^Copyright/.test(line)).join("; ");
        const terms = lines
            .filter((line) => !/^Copyright/.test(line))
            .join("\n")
            .trim();
        const users = texts.get(terms) ?? [];
        users.push(`${name} ${version} (${license}): ${holders}`);
        texts.set(terms, users);
    }
    return [...texts].map(([terms, users]) => `${users.join("\n")}\n\n${terms}`).join("\n\n");
}

// esbuild leaves template literals as they are; an escape means the same there and is ASCII.
const escaped = (text) =>
    text.replace(/[^\n\x20-\x7e]/g, (letter) =>
        letter === "\t" ? "\\t" : `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
const comment = (text) => text.replace(/[^\n\x20-\x7e]/g, " ").replaceAll("*/", "* /");
const inputs = Object.values(result.metafile.outputs)[0].inputs;
const code = escaped(result.outputFiles[0].text.trim());
const script = `/*!\n${comment(notices(inputs))}\n*/\n${code}\n`;

// What an inline script under our content security policy must not hold.
for (const [pattern, why] of [
    [/<\/script|<!--/i, "it would end or hide the inline script"],
    [/[^\n\x20-\x7e]/, "the bundle is to be ASCII"],
    [/\beval\(|\bnew Function\b|\bimport\(/, "the page's policy forbids it"],
    [/\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon/, "the page never uses a network"],
]) {
    const found = script.match(pattern);
    if (found) throw new Error(`the bundle holds ${JSON.stringify(found[0])}: ${why}`);
}
writeFileSync(out, script);
