// SPDX-License-Identifier: Apache-2.0
// Who sent what: every planned trial of a lab is in one of these pieces.
import {axisX, axisY, cell} from "@observablehq/plot";
import {shares} from "./bars.js";
import {draw, INK, labelRoom, SOFT} from "./base.js";
import {legend} from "./frame.js";
import {count, lines, percent, short} from "./words.js";

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
            "A bar is all that a lab was to run; what is neither an outcome nor a model's own " +
            "failure is missing from every figure below.",
        draw: (width) => [
            legend(used.map(([, name, className]) => [className, name])),
            shares(width, rows, {label: "Trials by lab", axis: "share of planned trials"}),
        ],
    };
}

const ALL_SHOWN = 80,
    MOST_SHOWN = 120;

// "self, p1 at 0.7", as the table's first column says it.
function namesOf(groups) {
    const arms = new Set(groups.map((group) => group.arm)).size > 1;
    return groups.map((group) => {
        if (group.scenario != null) return group.scenario;
        const words = [group.subject, arms && group.arm, group.phrasing].filter(Boolean);
        return `${words.join(", ")} at ${group.temperature}`;
    });
}

// All groups of a small map; of a large one those with something missing.
function shownGroups({groups, planned, missing}) {
    const all = groups.map((_, g) => g);
    if (groups.length <= ALL_SHOWN) return all;
    return all
        .filter((g) => missing[g].some((n) => n > 0) || planned[g].some((n) => n === 0))
        .slice(0, MOST_SHOWN);
}

function mapCells(map, labs, names, shown) {
    return shown.flatMap((g) =>
        labs.map((lab, l) => {
            const name = names[g];
            const planned = map.planned[g][l],
                missing = map.missing[g][l];
            return {
                row: name,
                column: lab,
                planned,
                share: planned ? missing / planned : null,
                tip: lines(
                    `${name}, ${lab}`,
                    planned
                        ? `missing ${count(missing)} of ${count(planned)} ` +
                              `(${percent(missing / planned)})`
                        : "0 planned here",
                ),
            };
        }),
    );
}

function drawMap(width, cells, labs, rows) {
    const [marginLeft, letters] = labelRoom(rows, width);
    const room = (width - marginLeft - 8) / labs.length;
    const each = rows.length > 24 ? 15 : 22;
    const longest = Math.max(...labs.map((lab) => lab.length));
    const turned = longest * 6.6 > room - 4;
    return draw(width, "Missing trials", {
        height: rows.length * each + (turned ? Math.min(120, longest * 6.2 + 24) : 34),
        marginLeft,
        marginRight: 4,
        marginTop: 4,
        marginBottom: turned ? Math.min(116, longest * 6.2 + 20) : 30,
        x: {domain: labs, type: "band", padding: 0.04, label: null},
        y: {domain: rows, type: "band", padding: 0.08, label: null},
        opacity: {type: "identity"},
        marks: [
            cell(
                cells.filter((c) => c.planned > 0),
                {
                    x: "column",
                    y: "row",
                    fill: (c) => (c.share > 0 ? "var(--c-5)" : "var(--c-1)"),
                    fillOpacity: (c) => (c.share > 0 ? 0.35 + 0.65 * c.share : 0.16),
                    rx: 2,
                    title: "tip",
                },
            ),
            cell(
                cells.filter((c) => !c.planned),
                {
                    x: "column",
                    y: "row",
                    fill: "transparent",
                    stroke: "var(--rule)",
                    strokeDasharray: "2,2",
                    title: "tip",
                },
            ),
            axisX({tickSize: 0, color: SOFT, label: null, tickRotate: turned ? -60 : 0}),
            axisY({
                tickSize: 0,
                label: null,
                tickFormat: (label) => short(label, letters),
                textAnchor: "start",
                dx: 9 - marginLeft,
                color: INK,
            }),
        ],
    });
}

const MAPS = [
    ["by_scenario", "Missing trials by scenario and lab", "Missing trials, scenario by scenario"],
    [
        "by_prompt_and_configuration",
        "Missing trials by prompt, configuration and lab",
        "Missing trials, prompt and configuration",
    ],
];

// Nothing to draw where every lab ran everything.
export function missingMaps({missing_map: maps, participation}) {
    const labs = participation.labs.map((lab) => lab.lab);
    return MAPS.map(([key, caption, title]) => {
        const map = maps[key];
        if (!map.groups_with_missing && !map.groups_not_at_every_lab) return null;
        const names = namesOf(map.groups);
        const shown = shownGroups(map);
        const rows = shown.map((g) => names[g]);
        const cells = mapCells(map, labs, names, shown);
        return {
            kind: "map",
            section: "participation",
            caption,
            title,
            read:
                "One field is one lab's trials of one group of conditions: pale is complete, the " +
                "stronger the colour the more is missing, a dashed field was never planned. A " +
                "column says it is the lab, a row that it is the prompt." +
                (rows.length < names.length ? " Complete groups are left out." : ""),
            draw: (width) => drawMap(width, cells, labs, rows),
        };
    });
}
