// SPDX-License-Identifier: Apache-2.0
// Who sent what: every planned trial of a lab is in one of these pieces.
import {shares} from "./bars.js";
import {legend} from "./frame.js";
import {count, lines, percent} from "./words.js";

const PIECES = [
    ["counted", "outcome labelled", "c-1", "var(--card)"],
    ["model_failures", "model failure (counts)", "c-2", "var(--ink)"],
    ["withheld", "withheld", "c-3", "var(--ink)"],
    ["instrument_failures", "error or timeout", "c-4", "var(--card)"],
    ["not_returned", "not returned", "c-5", "var(--ink)"],
];

export function missingChart({participation}) {
    const labs = participation.labs.filter((lab) => lab.planned > 0);
    if (!labs.length) return null;
    const used = PIECES.filter(([key]) => labs.some((lab) => lab[key] > 0));
    const rows = labs.map((lab) => ({
        label: lab.lab,
        parts: used.map(([key, , className, ink]) => ({
            share: lab[key] / lab.planned,
            colour: `var(--${className})`,
            ink,
        })),
        tip: lines(
            `${lab.state}, ${count(lab.planned)} planned`,
            ...used.map(([key, name]) => `${count(lab[key])} ${name}`),
            `missing: ${count(lab.missing)} (${percent(lab.missing / lab.planned)})`,
        ),
    }));
    return {
        kind: "missing",
        section: "participation",
        caption: "Trials by lab",
        title: "Where every planned trial went",
        read:
            "A bar is all that a lab was to run; what is not in the first two colours " +
            "is missing from " +
            "every figure below.",
        draw: (width) => [
            legend(used.map(([, name, className]) => [className, name])),
            shares(width, rows, {label: "Trials by lab", axis: "share of planned trials"}),
        ],
    };
}
