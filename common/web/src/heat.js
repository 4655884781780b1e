// SPDX-License-Identifier: Apache-2.0
// Heat maps: one colour whose strength is the figure, and the figure written in each cell.
import {axisX, axisY, cell, text} from "@observablehq/plot";
import {draw, INK, labelRoom, SOFT} from "./base.js";
import {number, short} from "./words.js";

// cells: {row, column, value, tip}; options: label, axis, top (the value of full strength), colour.
export function heat(width, cells, options) {
    const rows = [...new Set(cells.map((c) => c.row))];
    const columns = [...new Set(cells.map((c) => c.column))];
    const [marginLeft, letters] = labelRoom(rows, width);
    const room = (width - marginLeft - 8) / columns.length;
    const bottom = options.bottom ?? 0;
    const part = (c) => (c.value - bottom) / (options.top - bottom || 1);
    const strength = (c) => 0.05 + 0.93 * Math.min(1, Math.max(0, part(c)));
    const brief = (x) => (x >= 0 && x < 1 ? x.toFixed(2).slice(1) : x.toPrecision(2));
    const known = cells.filter((c) => c.value != null);
    const size = room < 38 ? 9.5 : 12;
    return draw(width, options.label, {
        height: rows.length * 27 + 50,
        marginLeft,
        marginRight: 4,
        marginTop: 4,
        marginBottom: 42,
        x: {domain: columns, type: "band", padding: 0.03, label: null},
        y: {domain: rows, type: "band", padding: 0.06, label: null},
        opacity: {type: "identity"},
        marks: [
            cell(
                cells.filter((c) => c.value == null),
                {
                    x: "column",
                    y: "row",
                    fill: "none",
                    stroke: "var(--rule)",
                    strokeDasharray: "2,2",
                },
            ),
            cell(known, {
                x: "column",
                y: "row",
                fill: options.colour,
                fillOpacity: strength,
                rx: 2,
                title: (c) => `${c.row}, ${options.axis} ${c.column}\n${c.tip}`,
            }),
            text(known, {
                x: "column",
                y: "row",
                text: (c) => (room < 30 ? brief(c.value) : number(c.value)),
                fill: (c) => (strength(c) > 0.8 ? "var(--card)" : INK),
                fontSize: size,
                fontVariant: "tabular-nums",
                pointerEvents: "none",
            }),
            axisX({
                tickSize: 0,
                label: options.axis,
                labelAnchor: "center",
                labelArrow: "none",
                color: SOFT,
            }),
            axisY({
                tickSize: 0,
                tickFormat: (label) => short(label, letters),
                textAnchor: "start",
                dx: 9 - marginLeft,
                color: INK,
            }),
        ],
    });
}
