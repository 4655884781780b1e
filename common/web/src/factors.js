// SPDX-License-Identifier: Apache-2.0
// How the rate depends on phrasing, temperature and scenario.
import {sizes} from "./bars.js";
import {pair} from "./base.js";
import {forest} from "./forest.js";
import {legend} from "./frame.js";
import {heat} from "./heat.js";
import {estimate, interval, lines, number, ofScores, trials} from "./words.js";

const MOST_PAIRS = 12;

const ends = (cells) => {
    const known = cells.map((c) => c.value).filter((x) => x != null);
    return [Math.min(...known), Math.max(...known)];
};

export function heatMaps(part) {
    const grid = part.by_phrasing_and_temperature;
    if (grid.length < 2) return null;
    const name = (row) => (row.same_as ? `${row.phrasing} (= ${row.same_as})` : row.phrasing);
    const about = (row, value, tip) => ({
        row: name(row),
        column: String(row.temperature),
        value,
        tip,
    });
    const rates = grid.map((row) => about(row, row.rate.mean, estimate(row.rate)));
    const spreads = grid.map((row) =>
        about(
            row,
            row.precision.s_L,
            lines(
                `s_L ${number(row.precision.s_L)}` +
                    (row.precision.s_L_truncated ? " (shown as zero)" : ""),
                `s_r ${number(row.precision.s_r)}, s_R ${number(row.precision.s_R)}`,
                `tau ${number(row.rate.tau)} (${interval(row.rate.tau_interval)})`,
                trials(row.rate),
            ),
        ),
    );
    const figure = ofScores() ? "mean" : "rate";
    const [bottom, top] = ofScores() ? ends(rates) : [0, 1];
    const most = ofScores() ? ends(spreads)[1] : 0.5;
    return {
        kind: "heat",
        section: "margins",
        caption: "By phrasing and temperature",
        title:
            (ofScores() ? "Mean" : "Rate") +
            ", and spread between labs, by phrasing and temperature",
        read: ofScores()
            ? "Left: the mean score, palest at the lowest of them and full colour at the highest. " +
              "Right: s_L, the standard deviation between labs in one condition."
            : "Left: the rate of the behaviour, full colour at 1. Right: s_L, the standard " +
              "deviation between labs in one condition, full colour at 0.5.",
        draw: (width) =>
            pair(width, [
                [
                    figure,
                    (each) =>
                        heat(each, rates, {
                            label: figure,
                            axis: "temperature",
                            bottom,
                            top,
                            colour: "var(--c-1)",
                        }),
                ],
                [
                    "s_L, between labs",
                    (each) =>
                        heat(each, spreads, {
                            label: "Spread between labs",
                            axis: "temperature",
                            top: most,
                            colour: "var(--c-4)",
                        }),
                ],
            ]),
    };
}

export function phrasingPairs(part) {
    const {comparisons, noise_floor: floor, pairs} = part.phrasings_compared;
    const known = comparisons.filter((pair) => pair.difference != null);
    const ordinary = known.filter((pair) => !pair.null_pair).slice(0, MOST_PAIRS);
    const rows = ordinary.concat(known.filter((pair) => pair.null_pair)).map((pair) => ({
        label: `${pair.a} \u2212 ${pair.b}`,
        kind: pair.null_pair ? "twin" : pair.clear ? "clear" : "lab",
        mean: pair.difference,
        range: pair.interval,
        tip: lines(
            `${number(pair.difference)} (${interval(pair.interval)})`,
            `${pair.scenarios} scenarios, ` +
                `n ${trialsOf(part, pair.a)} and n ${trialsOf(part, pair.b)}`,
            pair.null_pair ? "the same text twice" : pair.clear ? "clear" : "not clear",
        ),
    }));
    if (!rows.length) return null;
    const some = pairs > MOST_PAIRS ? ` The ${MOST_PAIRS} largest of ${pairs} pairs.` : "";
    return {
        kind: "pairs",
        section: "margins",
        caption: "Largest differences between phrasings",
        title: "Differences between phrasings, and the noise floor",
        read:
            (floor == null
                ? "A line that stays clear of zero is a phrasing that matters."
                : "Grey band and triangle: how far the same text, sent twice, can " +
                    "differ. A phrasing matters when " +
                  "its line stays clear of zero and its dot leaves the band.") + some,
        draw: (width) =>
            forest(width, rows, {
                label: "Differences between phrasings",
                axis: `difference in ${ofScores() ? "mean" : "rate"}`,
                limits: ofScores() ? [-Infinity, Infinity] : [-1, 1],
                zero: true,
                band: floor ?? 0,
            }),
    };
}

function trialsOf(part, phrasing) {
    const row = part.by_phrasing.find((margin) => margin.phrasing === phrasing);
    return row ? trials(row.rate).slice(2) : "\u2013";
}

export function scenarioSpread(part) {
    const known = (part.sensitivity?.by_scenario ?? []).filter((row) => row.spread != null);
    if (!known.length) return null;
    const rows = known.map((row) => ({
        label: row.scenario,
        value: row.spread,
        floor: row.counting_noise_spread,
        other: row.null_pair_difference,
        tip: lines(
            `spread ${number(row.spread)}, ` +
                `${ofScores() ? "means" : "rates"} ${number(row.lowest_rate)} to ${number(row.highest_rate)}`,
            `${row.phrasings} phrasings` + (row.n == null ? "" : `, ${trials(row)}`),
            `counting noise alone ${number(row.counting_noise_spread)}`,
            row.null_pair_difference != null && `null pair ${number(row.null_pair_difference)}`,
        ),
    }));
    const twins = rows.some((row) => row.other != null);
    return {
        kind: "scenarios",
        section: "moves",
        caption: "Phrasings of each scenario",
        title: "How far phrasing moves each scenario",
        read:
            "A bar is the difference between a scenario's highest and lowest phrasing; " +
            "up to the diamond it is " +
            "what chance in counting gives" +
            (twins ? ", the triangle is the same text sent twice." : "."),
        draw: (width) => [
            legend([
                ["c-1", "spread over phrasings"],
                ["diamond", "counting noise"],
                ...(twins ? [["triangle", "null pair"]] : []),
            ]),
            sizes(width, rows, {label: "Spread by scenario", axis: `highest \u2212 lowest ${ofScores() ? "mean" : "rate"}`}),
        ],
    };
}
