// SPDX-License-Identifier: Apache-2.0
// Forest plots: a row a lab (or a pair of phrasings), its estimate and interval.
import {axisX, axisY, barX, dot, rectX, ruleX, ruleY, text} from "@observablehq/plot";
import {ACCENT, BAD, draw, extent, hit, INK, labelRoom, narrow, quiet, RULE, SOFT} from "./base.js";
import {interval, number, short} from "./words.js";

const ROW = 26;
const colourOf = {lab: ACCENT, odd: BAD, all: INK, next: SOFT, twin: "var(--null)", clear: BAD};
const symbolOf = {odd: "square", all: "diamond", twin: "triangle", clear: "square"};

// rows: {label, kind, mean, range, tip}; a "next" row has a range only.
// options: label, axis, limits, band (half width of a noise floor round zero), zero (a line there).
export function forest(width, rows, options) {
    const shown = rows.filter((row) => row.mean != null || row.range);
    const [marginLeft, letters] = labelRoom(
        shown.map((row) => row.label),
        width,
    );
    const marginRight = narrow(width) ? 14 : 176;
    const ends = shown.flatMap((row) => [row.mean, ...(row.range ?? [])]);
    if (options.zero) ends.push(0);
    if (options.band) ends.push(-options.band, options.band);
    const domain = extent(ends, options.limits);
    const names = shown.map((row) => row.label);
    const ranged = shown.filter((row) => row.range);
    const thick = (row) => (row.kind === "next" ? 5 : row.kind === "all" ? 2.5 : 1.6);
    const all = shown.find((row) => row.kind === "all");
    return draw(width, options.label, {
        height: shown.length * ROW + 52,
        marginLeft,
        marginRight,
        marginBottom: 40,
        x: {domain, label: null},
        y: {domain: names, type: "band", label: null, paddingInner: 0, paddingOuter: 0.1},
        marks: [
            options.band &&
                rectX([0], {
                    x1: -options.band,
                    x2: options.band,
                    fill: "var(--null)",
                    fillOpacity: 0.16,
                    ...quiet,
                }),
            barX(shown, {
                y: "label",
                x1: domain[0],
                x2: domain[1],
                ...hit,
                className: "hit",
                title: (row) => `${row.label}\n${row.tip}`,
            }),
            axisX({
                ticks: narrow(width) ? 4 : 8,
                tickSize: 4,
                color: SOFT,
                label: options.axis,
                labelArrow: "none",
                labelAnchor: "center",
            }),
            axisY({
                tickSize: 0,
                tickFormat: (label) => short(label, letters),
                textAnchor: "start",
                dx: 9 - marginLeft,
                color: INK,
            }),
            options.zero && ruleX([0], {stroke: RULE, ...quiet}),
            all && ruleX([all.mean], {stroke: RULE, strokeDasharray: "3,3", ...quiet}),
            ruleY(ranged, {
                y: "label",
                x1: (row) => row.range[0],
                x2: (row) => row.range[1],
                strokeWidth: thick,
                stroke: (row) => colourOf[row.kind],
                strokeLinecap: "round",
                strokeOpacity: (row) => (row.kind === "next" ? 0.55 : 1),
                ...quiet,
            }),
            dot(
                shown.filter((row) => row.mean != null && row.kind !== "next"),
                {
                    y: "label",
                    x: "mean",
                    r: 4.5,
                    fill: (row) => colourOf[row.kind],
                    stroke: "var(--card)",
                    strokeWidth: 1,
                    symbol: (row) => symbolOf[row.kind] ?? "circle",
                    ...quiet,
                },
            ),
            !narrow(width) &&
                text(shown, {
                    y: "label",
                    frameAnchor: "right",
                    dx: marginRight - 4,
                    textAnchor: "end",
                    fill: INK,
                    fontVariant: "tabular-nums",
                    ...quiet,
                    text: (row) =>
                        `${row.kind === "next" ? "" : number(row.mean)}  ${interval(row.range)}`,
                }),
        ],
        symbol: {type: "identity"},
    });
}
