// SPDX-License-Identifier: Apache-2.0
// What the variation is made of, and how severe the outcomes are.
import {shares} from "./bars.js";
import {legend} from "./frame.js";
import {count, lines, number, percent} from "./words.js";

const INKS = {"c-1": "var(--card)", "c-4": "var(--card)", "c-6": "var(--card)"};
const ink = (className) => INKS[className] ?? "var(--ink)";
const EFFECTS = [
    "lab",
    "scenario",
    "phrasing",
    "lab:scenario",
    "lab:phrasing",
    "scenario:phrasing",
    "phrasing within scenario",
    "lab:scenario:phrasing",
    "residual",
];
const COLOURS = ["c-4", "c-1", "c-3", "c-5", "c-7", "c-2", "c-2", "c-6", "c-8"];

// As the tables write it.
const source = (name) => (name === "residual" ? "single trials" : name.replaceAll(":", " x "));

export function varianceChart(part) {
    const all = (part.variance_components ?? []).filter((row) =>
        row.components.some((c) => c.percent != null),
    );
    if (!all.length) return null;
    const arms = new Set(all.map((row) => row.arm)).size > 1;
    const used = EFFECTS.filter((name) =>
        all.some((row) => row.components.some((c) => c.effect === name)),
    );
    const colour = (name) => COLOURS[EFFECTS.indexOf(name)];
    const rows = all.map((row) => {
        const of = (name) => row.components.find((c) => c.effect === name);
        return {
            label: `${arms && row.arm ? `${row.arm} ` : ""}at ${row.temperature}`,
            parts: used.map((name) => ({
                share: Math.max(0, of(name)?.percent ?? 0) / 100,
                colour: `var(--${colour(name)})`,
                ink: ink(colour(name)),
            })),
            tip: lines(
                `n ${count(row.n)} in ${count(row.cells)} cells, mean ${number(row.mean)}`,
                ...used.filter(of).map((name) => `${source(name)}: ${number(of(name).percent)} %`),
            ),
        };
    });
    return {
        kind: "variance",
        section: "variance",
        caption: "Variance of single outcomes",
        title: "What the variation is made of",
        read:
            "Each bar is all variance of a trial's outcome at one temperature; pieces " +
            "that name the lab are what " +
            "labs do not share, single trials is chance from one trial to the next.",
        draw: (width) => [
            legend(used.map((name) => [colour(name), source(name)])),
            shares(width, rows, {label: "Variance components", axis: "share of variance"}),
        ],
    };
}

export function severityChart(part) {
    const severity = part.severity;
    const all = (severity?.rows ?? []).filter((row) => row.n && row.shares);
    if (!severity?.graded || !all.length) return null;
    const grades = [0, 1, 2, 3, 4].filter((grade) => all.some((row) => row.counts[grade] > 0));
    const rows = all.map((row) => ({
        label: row.lab ?? (row.temperature == null ? "all" : `at ${row.temperature}`),
        parts: grades.map((grade) => ({
            share: row.shares[grade] ?? 0,
            colour: `var(--s-${grade})`,
            ink: grade > 2 ? "var(--card)" : "var(--ink)",
        })),
        tip: lines(
            `n ${count(row.n)}, mean severity ${number(row.mean)}`,
            ...grades.map(
                (g) => `severity ${g}: k ${count(row.counts[g])}, ${percent(row.shares[g] ?? 0)}`,
            ),
        ),
    }));
    return {
        kind: "severity",
        section: "severity",
        caption: "Share of trials at each severity",
        title: "How severe the outcomes are",
        read: "Each bar is all trials of the line; from left to right ever more severe outcomes.",
        draw: (width) => [
            legend(grades.map((grade) => [`s-${grade}`, `severity ${grade}`])),
            shares(width, rows, {label: "Severity shares", axis: "share of trials"}),
        ],
    };
}
