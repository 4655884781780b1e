// SPDX-License-Identifier: Apache-2.0
// The look shared by all plots: fonts, margins that fit their labels, colours of the page.
import {plot} from "@observablehq/plot";

export const INK = "var(--ink)";
export const SOFT = "var(--soft)";
export const RULE = "var(--rule)";
export const ACCENT = "var(--accent)";
export const BAD = "var(--bad)";
export const narrow = (width) => width < 560;

const LETTER = 6.6; // pixels of a 12px letter, on average

// Room for the longest label, at most a third of the width: [pixels, letters].
export function labelRoom(labels, width) {
    const longest = Math.max(4, ...labels.map((label) => label.length));
    const letters = Math.min(longest, Math.max(8, Math.floor(width / 3 / LETTER)));
    return [Math.ceil(letters * LETTER) + 14, letters];
}

// [lowest, highest] of numbers, widened by a twentieth and kept within limits.
export function extent(values, [least, most]) {
    const known = values.filter((x) => x != null);
    const low = Math.min(...known),
        high = Math.max(...known);
    const room = (high - low || 0.1) / 20;
    return [Math.max(least, low - room), Math.min(most, high + room)];
}

export function draw(width, label, options) {
    const svg = plot({
        width,
        marginTop: 10,
        marginRight: 16,
        ...options,
        marks: options.marks.filter(Boolean),
        style: {fontFamily: "inherit", fontSize: "12px", overflow: "visible"},
    });
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", label);
    return svg;
}

// Two plots side by side, each under a heading; one below the other where there is no room.
export function pair(width, plots) {
    const each = narrow(width) ? width : Math.floor((width - 24) / 2);
    return plots.map(([heading, make]) => {
        const panel = document.createElement("div");
        const title = document.createElement("h3");
        title.textContent = heading;
        panel.append(title, make(each));
        return panel;
    });
}

// Rows that answer to pointer and keyboard over their whole width; below everything else.
export const hit = {fill: "transparent", ariaHidden: null};
export const quiet = {pointerEvents: "none"};
