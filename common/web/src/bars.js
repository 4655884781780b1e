// SPDX-License-Identifier: Apache-2.0
// Bars: Mandel's h and k with critical lines, shares that add up to a whole, sizes side by side.
import {axisX, axisY, barX, dot, ruleX, text} from "@observablehq/plot";
import {ACCENT, BAD, draw, hit, INK, labelRoom, narrow, quiet, RULE, SOFT} from "./base.js";
import {number, percent, short} from "./words.js";

const names = (rows) => ({
    domain: rows.map((row) => row.label),
    type: "band",
    padding: 0.3,
    label: null,
});
const labels = (marginLeft, letters) =>
    axisY({
        tickSize: 0,
        tickFormat: (label) => short(label, letters),
        textAnchor: "start",
        dx: 9 - marginLeft,
        color: INK,
    });
const scale = (label, width) =>
    axisX({
        ticks: narrow(width) ? 4 : 6,
        tickSize: 4,
        label,
        labelAnchor: "center",
        labelArrow: "none",
        color: SOFT,
    });

// rows: {label, value, tip}; options: label, axis, lines (critical values).
export function bars(width, rows, options) {
    const [marginLeft, letters] = labelRoom(
        rows.map((row) => row.label),
        width,
    );
    const ends = [0, ...rows.map((row) => row.value), ...options.lines];
    const [low, high] = [Math.min(...ends) * 1.06, Math.max(...ends) * 1.06];
    const beyond = (row) => options.lines.some((line) => Math.abs(row.value) > Math.abs(line));
    return draw(width, options.label, {
        height: rows.length * 24 + 52,
        marginLeft,
        marginBottom: 40,
        x: {domain: [low, high], label: null},
        y: names(rows),
        marks: [
            barX(rows, {
                y: "label",
                x1: low,
                x2: high,
                ...hit,
                className: "hit",
                insetTop: -4,
                insetBottom: -4,
                title: (row) => `${row.label}\n${row.tip}`,
            }),
            barX(rows, {
                y: "label",
                x1: 0,
                x2: "value",
                fill: (row) => (beyond(row) ? BAD : ACCENT),
                ...quiet,
            }),
            ruleX([0], {stroke: RULE, ...quiet}),
            ruleX(options.lines, {stroke: BAD, strokeDasharray: "5,3", ...quiet}),
            scale(options.axis, width),
            labels(marginLeft, letters),
        ],
    });
}

// rows: {label, parts: [{name, share, colour}], tip}: shares of a whole, from the left.
export function shares(width, rows, options) {
    const [marginLeft, letters] = labelRoom(
        rows.map((row) => row.label),
        width,
    );
    const pieces = rows.flatMap((row) => {
        let from = 0;
        return row.parts.map((part) => ({
            label: row.label,
            ...part,
            from,
            to: (from += part.share),
        }));
    });
    return draw(width, options.label, {
        height: rows.length * 27 + 52,
        marginLeft,
        marginBottom: 40,
        x: {domain: [0, Math.max(1, ...pieces.map((piece) => piece.to))], label: null},
        y: {...names(rows), padding: 0.24},
        marks: [
            barX(rows, {
                y: "label",
                x1: 0,
                x2: 1,
                ...hit,
                className: "hit",
                insetTop: -3,
                insetBottom: -3,
                title: (row) => `${row.label}\n${row.tip}`,
            }),
            barX(pieces, {
                y: "label",
                x1: "from",
                x2: "to",
                fill: "colour",
                insetRight: 0.5,
                ...quiet,
            }),
            text(
                pieces.filter((piece) => piece.share * (width - marginLeft) > 48),
                {
                    y: "label",
                    x: (piece) => (piece.from + piece.to) / 2,
                    text: (piece) => percent(piece.share),
                    fill: (piece) => piece.ink,
                    fontSize: 11,
                    ...quiet,
                },
            ),
            scale(options.axis, width),
            labels(marginLeft, letters),
        ],
    });
}

// rows: {label, value, floor, other, tip}: a bar; a diamond and a triangle at noise.
export function sizes(width, rows, options) {
    const [marginLeft, letters] = labelRoom(
        rows.map((row) => row.label),
        width,
    );
    const ends = rows.flatMap((row) => [row.value, row.floor, row.other]).filter((x) => x != null);
    const high = Math.max(1e-6, ...ends) * 1.06;
    const low = Math.min(0, ...ends) * 1.06;
    const marginRight = narrow(width) ? 14 : 60;
    return draw(width, options.label, {
        height: rows.length * (rows.length > 16 ? 18 : 24) + 52,
        marginLeft,
        marginRight,
        marginBottom: 40,
        x: {domain: [low, high], label: null},
        y: {...names(rows), padding: 0.28},
        marks: [
            barX(rows, {
                y: "label",
                x1: low,
                x2: high,
                ...hit,
                className: "hit",
                insetTop: -3,
                insetBottom: -3,
                title: (row) => `${row.label}\n${row.tip}`,
            }),
            barX(
                rows.filter((row) => row.value != null),
                {y: "label", x1: 0, x2: "value", fill: ACCENT, fillOpacity: 0.8, ...quiet},
            ),
            ruleX([0], {stroke: RULE, ...quiet}),
            dot(
                rows.filter((row) => row.floor != null),
                {
                    y: "label",
                    x: "floor",
                    symbol: "diamond",
                    r: 4.5,
                    fill: BAD,
                    stroke: "var(--card)",
                    ...quiet,
                },
            ),
            dot(
                rows.filter((row) => row.other != null),
                {
                    y: "label",
                    x: "other",
                    symbol: "triangle",
                    r: 4,
                    fill: "var(--null)",
                    stroke: "var(--card)",
                    ...quiet,
                },
            ),
            !narrow(width) &&
                text(rows, {
                    y: "label",
                    frameAnchor: "right",
                    dx: marginRight - 4,
                    textAnchor: "end",
                    text: (row) => number(row.value),
                    fill: INK,
                    ...quiet,
                }),
            scale(options.axis, width),
            labels(marginLeft, letters),
        ],
    });
}
