// SPDX-License-Identifier: Apache-2.0
// Draws the report's charts from the JSON in the page, each above its table. What the JSON lacks
// has no chart; without scripts the page keeps all its figures in tables.
import {heatMaps, phrasingPairs, scenarioSpread} from "./factors.js";
import {addChart, start} from "./frame.js";
import {effectForests, mandelChart, rateForest} from "./labs.js";
import {missingChart, missingMaps} from "./missing.js";
import {severityChart, varianceChart} from "./parts.js";
import {useScores} from "./words.js";

const OF_A_PART = [
    effectForests,
    heatMaps,
    phrasingPairs,
    scenarioSpread,
    rateForest,
    mandelChart,
    varianceChart,
    severityChart,
];

function main() {
    const report = JSON.parse(document.getElementById("report-data").textContent);
    const several = (key) => new Set(report.results.map((part) => part[key])).size > 1;
    const subjects = several("subject"),
        raters = several("rater");
    const about = (part) =>
        [subjects && part.subject, raters && `rated by ${part.rater}`].filter(Boolean).join(", ");
    useScores(report.study.measure);
    const specs = [missingChart(report), ...missingMaps(report)];
    for (const part of report.results)
        for (const make of OF_A_PART)
            for (const spec of [make(part)].flat())
                specs.push(spec && {...spec, about: about(part)});
    start();
    for (const spec of specs.filter(Boolean)) addChart(spec);
    document.documentElement.dataset.ready = Math.round(performance.now());
}

main();
