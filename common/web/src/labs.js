// SPDX-License-Identifier: Apache-2.0
// Each lab against the rest: forest plots of rates and effects, Mandel's h and k.
import {bars} from "./bars.js";
import {pair} from "./base.js";
import {forest} from "./forest.js";
import {estimate, interval, lines, number, ofScores, trials} from "./words.js";

const ANY = [-Infinity, Infinity];

// The line of all labs and that of the next lab, below the labs.
function together(e) {
    return [
        {label: "all labs", kind: "all", mean: e.mean, range: e.this_bench, tip: estimate(e)},
        e.next_lab && {
            label: "next lab",
            kind: "next",
            mean: null,
            range: e.next_lab,
            tip: lines(`prediction interval ${interval(e.next_lab)}`, trials(e)),
        },
    ].filter(Boolean);
}

export function rateForest(part) {
    const rows = part.labs
        .filter((lab) => lab.rate.mean != null)
        .map((lab) => ({
            label: lab.lab,
            kind: lab.odd ? "odd" : "lab",
            mean: lab.rate.mean,
            range: lab.rate.this_bench,
            tip: lines(
                estimate(lab.rate),
                lab.on_rate.z_prime != null && `z' ${number(lab.on_rate.z_prime)}`,
                lab.odd && "stands apart from the others",
                !lab.compared && "not compared",
            ),
        }));
    if (!rows.length) return null;
    return {
        kind: "forest",
        section: "labs",
        caption: "Each lab against the rest",
        title: ofScores() ? "Mean score, lab by lab" : "Rate of the behaviour, lab by lab",
        read:
            `Dot and line: a lab's ${ofScores() ? "mean" : "rate"} and its interval on this ` +
            "bench; the diamond is all labs together, the broad line is where the next lab's " +
            "own is expected; a red square stands apart.",
        draw: (width) =>
            forest(width, rows.concat(together(part.rate)), {
                label: "Rates by lab",
                axis: ofScores() ? "mean score" : "rate of the behaviour",
                limits: ofScores() ? ANY : [0, 1],
            }),
    };
}

// The contrast over all temperatures, one chart for each pair of arms.
export function effectForests(part) {
    const odd = new Set(part.labs.filter((lab) => lab.odd).map((lab) => lab.lab));
    return part.contrasts
        .filter((c) => c.temperature == null && c.labs.length > 1)
        .map((c) => ({
            kind: "effect",
            section: "contrasts",
            caption: "Risk differences",
            title: `Difference ${c.treatment} \u2212 ${c.inert}, lab by lab`,
            read:
                (ofScores()
                    ? "Right of zero scores are higher in the treatment arm. "
                    : "Right of zero the behaviour is more frequent with the stake than without. ") +
                "A lab's line is the interval of its own sampling alone; all labs and " +
                "next lab are as in the first table.",
            draw: (width) =>
                forest(
                    width,
                    c.labs
                        .map((lab) => {
                            const range = lab.interval;
                            const own = part.labs.find((row) => row.lab === lab.lab);
                            return {
                                label: lab.lab,
                                kind: odd.has(lab.lab) ? "odd" : "lab",
                                mean: lab.difference,
                                range,
                                tip: lines(
                                    `${number(lab.difference)} (${interval(range)})`,
                                    own && `${trials(own.rate)} in treatment arms`,
                                ),
                            };
                        })
                        .concat(together(c.difference)),
                    {
                        label: "Differences by lab",
                        axis: ofScores() ? "difference in mean" : "difference in rate",
                        limits: ofScores() ? ANY : [-1, 1],
                        zero: true,
                    },
                ),
        }));
}

export function mandelChart(part) {
    const rowsOf = (key, name) =>
        part.labs
            .filter((lab) => lab[key] != null)
            .map((lab) => ({
                label: lab.lab,
                value: lab[key],
                tip: lines(
                    `${name} ${number(lab[key])}`,
                    trials(lab.rate),
                    `rate ${interval(lab.rate.this_bench)}`,
                ),
            }));
    const h = rowsOf("mandel_h", "h"),
        k = rowsOf("mandel_k", "k");
    const hLine = part.mandel_h_critical,
        kLine = part.mandel_k_critical;
    if (!h.length && !k.length) return null;
    return {
        kind: "mandel",
        section: "labs",
        caption: "Each lab against the rest",
        title: "Mandel's h and k",
        read:
            "h: how far a lab's rate lies from the others', in standard deviations; k: " +
            "its own scatter over " +
            "the pooled one. Beyond a dashed line, the critical value, a lab is worth a look.",
        draw: (width) =>
            pair(
                width,
                [
                    h.length && [
                        "h, between labs",
                        (each) =>
                            bars(each, h, {
                                label: "Mandel's h",
                                axis: "h",
                                lines: hLine == null ? [] : [-hLine, hLine],
                            }),
                    ],
                    k.length && [
                        "k, within the lab",
                        (each) =>
                            bars(each, k, {
                                label: "Mandel's k",
                                axis: "k",
                                lines: kLine == null ? [] : [kLine],
                            }),
                    ],
                ].filter(Boolean),
            ),
    };
}
