#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report page in a real browser: charts with the right number of marks, nothing on the console, no network.

Each check is also shown a page that it must refuse, so that none passes because it looks at nothing."""
import html.parser
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

AUDIT = os.path.join(os.environ["RINGTRIAL_BIN"], "ringtrial-audit")
BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
MOST_BYTES = 1_500_000
MOST_MS = 1000
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--disable-default-apps", "--disable-extensions",
         "--window-size=1280,900", "--enable-logging=stderr",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
HOSTILE = "</script><script>document.title='x'</script><!--"


def study(path, labs, scenarios, phrasings, temperatures, arms=("self",), trials=4):
    """Counts with a lab that stands apart, a phrasing that matters and a missing cell."""
    draw = random.Random(4)
    with open(path, "w", encoding="utf-8") as out:
        out.write("lab,arm,scenario,phrasing,temperature,severity,n\n")
        for lab, arm, scenario, phrasing, temperature in itertools.product(
                range(len(labs)), arms, range(scenarios), range(phrasings), temperatures):
            if (lab == 1 and scenario == 0 and phrasing == 0) or (lab == 3 and scenario == 5):
                continue
            rate = 0.2 + 0.3 * (lab == 2) + 0.1 * (phrasing == 1) + 0.1 * (arm == "self") + 0.05 * temperature
            counts = [0] * 5
            for _ in range(trials):
                counts[draw.randrange(1, 5) if draw.random() < rate else 0] += 1
            for severity, n in enumerate(counts):
                if n:
                    out.write(f"{labs[lab]},{arm},s{scenario:02},p{phrasing},{temperature},{severity},{n}\n")


def report(folder, name, *options, sigma="0.03"):
    page, figures = f"{folder}/{name}.html", f"{folder}/{name}.json"
    subprocess.run([AUDIT, "report", "--csv", f"{folder}/{name}.csv", "--severity-from", "2", "--sigma-pt", sigma,
                    "--html", page, "-o", figures, *options], check=True, stdout=subprocess.DEVNULL)
    with open(figures, encoding="utf-8") as file:
        return page, json.load(file)


class Page(html.parser.HTMLParser):
    """The elements of a dumped page: the marks of each chart, and what each chart says about itself."""

    def __init__(self, text):
        super().__init__()
        self.charts, self.tables, self.ready, self.chart, self.within = [], 0, None, None, None
        self.named, self.levels, self.loose = 0, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        if tag == "html" and "data-ready" in has:
            self.ready = float(has["data-ready"])
        if tag == "figure":
            self.chart = None
            if "data-chart" in has:
                self.chart = {"kind": has["data-chart"], "label": has.get("aria-label", ""), "marks": [], "caption": ""}
                self.charts.append(self.chart)
        if tag == "table":
            self.tables += 1
            self.named += bool(has.get("aria-label"))
        if tag == "caption":
            self.named += 1
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "th" and has.get("scope") not in ("row", "col"):
            self.loose.append(tag)
        if has.get("tabindex") == "0" and not has.get("aria-label"):
            self.loose.append(tag)
        if self.chart and "data-mark" in has:
            self.chart["marks"].append((has.get("aria-label", ""), has.get("tabindex")))
        self.within = tag

    def handle_data(self, data):
        if self.chart and self.within == "figcaption":
            self.chart["caption"] += data

    def handle_endtag(self, tag):
        if tag == "figure":
            self.chart = None
        self.within = None

    def count(self, kind):
        return sum(len(chart["marks"]) for chart in self.charts if chart["kind"] == kind)


def asked_by_pages(log):
    """Addresses that a page asked for; what the browser wants for itself has no origin as its initiator."""
    with open(log, encoding="utf-8") as file:
        text = file.read()
    try:
        events = json.loads(text)["events"]
    except json.JSONDecodeError:  # the browser ended before it wrote the last bracket
        events = json.loads(text[:text.rindex("},\n")] + "}]}")["events"]
    wants = [event.get("params") or {} for event in events]
    return sorted({want["url"] for want in wants if "url" in want and want.get("initiator", "not an origin") !=
                   "not an origin" and not want["url"].startswith("file:")})


def browse(path, *flags):
    """(page, console lines, addresses asked for) of a page opened from disk."""
    with tempfile.TemporaryDirectory(prefix="rt-page-") as profile:
        log = f"{profile}/net.json"
        run = subprocess.run([BROWSER, *FLAGS, f"--user-data-dir={profile}/profile", f"--log-net-log={log}", *flags,
                              "--dump-dom", f"file://{path}"], capture_output=True, text=True, timeout=60, check=True)
        asked = asked_by_pages(log)
    console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    return Page(run.stdout), console, asked


def edited(page, name, change):
    with open(page, encoding="utf-8") as file:
        before = file.read()
    after = change(before)
    assert after != before, f"{name}: nothing to edit"
    path = f"{os.path.dirname(page)}/{name}.html"
    with open(path, "w", encoding="utf-8") as file:
        file.write(after)
    return path


def expected(figures):
    """How many marks each kind of chart has, from the figures alone."""
    marks = {"missing": sum(1 for lab in figures["participation"]["labs"] if lab["planned"])}
    maps = figures["missing_map"].values()
    marks["map"] = sum(len(groups["groups"]) * len(figures["participation"]["labs"]) for groups in maps
                       if groups["groups_with_missing"] or groups["groups_not_at_every_lab"])
    for part in figures["results"]:
        pairs = [pair for pair in part["phrasings_compared"]["comparisons"] if pair["difference"] is not None]
        null_pairs = sum(pair["null_pair"] for pair in pairs)
        grid = part["by_phrasing_and_temperature"]
        labs = sum(lab["rate"]["mean"] is not None for lab in part["labs"])
        kinds = {
            "heat": sum((row["rate"]["mean"] is not None) + (row["precision"]["s_L"] is not None) for row in grid)
            if len(grid) > 1 else 0,
            "pairs": min(12, len(pairs) - null_pairs) + null_pairs,
            "scenarios": sum(row["spread"] is not None for row in part["sensitivity"]["by_scenario"]),
            "forest": labs + 1 + (part["rate"]["next_lab"] is not None) if labs else 0,
            "mandel": sum((lab["mandel_h"] is not None) + (lab["mandel_k"] is not None) for lab in part["labs"]),
            "variance": sum(any(c["percent"] is not None for c in row["components"])
                            for row in part["variance_components"]),
            "severity": sum(row["n"] > 0 for row in part["severity"]["rows"]) if part["severity"]["graded"] else 0,
            "effect": sum(len(c["labs"]) + 1 + (c["difference"]["next_lab"] is not None) for c in part["contrasts"]
                          if "temperature" not in c and len(c["labs"]) > 1),
        }
        for kind, count in kinds.items():
            marks[kind] = marks.get(kind, 0) + count
    return marks


def check_charts(page, figures):
    for kind, count in expected(figures).items():
        assert page.count(kind) == count, f"{kind}: {page.count(kind)} marks, {count} expected"
    for chart in page.charts:
        assert chart["label"].startswith("Chart. "), chart["kind"]
        assert len(chart["caption"]) > 40, f"{chart['kind']} does not say how to read it"
        stops = [tab for _, tab in chart["marks"] if tab == "0"]
        assert len(stops) == 1, f"{chart['kind']}: {len(stops)} tab stops"
        for label, _ in chart["marks"]:
            assert re.search(r"\d", label) and "undefined" not in label and "NaN" not in label, label
        if chart["kind"] in ("forest", "heat", "pairs", "effect"):
            for label, _ in chart["marks"]:
                assert re.search(r"\bn \d", label) and " to " in label, f"{chart['kind']}: {label}"


def check_reading_order(page):
    """What a screen reader goes by: names of tables, headings without gaps, cells with a scope, stops with a name."""
    assert page.named == page.tables > 0, f"{page.tables - page.named} tables without a name"
    assert page.levels[0] == 1 and page.levels.count(1) == 1, page.levels
    assert all(after - before <= 1 for before, after in zip(page.levels, page.levels[1:])), page.levels
    assert not page.loose, page.loose[:5]


def large_study(folder):
    study(f"{folder}/large.csv", [f"lab-{i}" for i in range(8)], 40, 5, [0, 0.3, 0.7, 1, 1.3])
    page, figures = report(folder, "large", "--same-as", "p4=p0")
    size = os.path.getsize(page)
    with open(page, encoding="utf-8") as file:
        if 'id="report-data"' not in file.read():
            print("page: this build has no charts (RT_WEB=OFF)")
            sys.exit(77)
    assert size < MOST_BYTES, f"the page has {size} bytes"
    looks = []
    while len(looks) < 5 and not any(seen.ready and seen.ready < MOST_MS for seen, _, _ in looks):
        looks.append(browse(page))
        assert not looks[-1][1], looks[-1][1]
        assert not looks[-1][2], looks[-1][2]
    check_charts(looks[0][0], figures)
    check_reading_order(looks[0][0])
    kinds = {chart["kind"] for chart in looks[0][0].charts}
    assert kinds >= {"missing", "map", "heat", "pairs", "scenarios", "forest", "mandel", "variance"}, kinds
    ready = min(seen.ready for seen, _, _ in looks)
    assert ready < MOST_MS, f"drawn after {ready} ms"
    marks = sum(len(chart["marks"]) for chart in looks[0][0].charts)
    print(f"8 x 40 x 5 x 5: {size} bytes, {len(looks[0][0].charts)} charts, {marks} marks, drawn after {ready:.0f} ms")
    return page, looks[0][0]


def other_widths(page, figures):
    seen, console, _ = browse(page, "--window-size=500,900")
    assert not console, console
    check_charts(seen, figures)


def policy_holds(page, usual):
    changed = edited(page, "changed", lambda text: text.replace("<script>/*!", "<script>/*?", 1))
    seen, console, _ = browse(changed)
    assert not seen.charts and any("Content Security Policy" in line for line in console), console
    assert seen.tables == usual.tables > 10, f"without its script the page has {seen.tables} of {usual.tables} tables"
    inserted = edited(page, "inserted", lambda text: text.replace(
        "</header>", '<img src="http://127.0.0.1:9/a.png"><script>document.title="x"</script></header>', 1))
    seen, console, asked = browse(inserted)
    assert seen.charts and console and not asked, (console, asked)
    print(f"policy: a changed script, an inserted one, an image from elsewhere: refused; {seen.tables} tables stay")


def checks_can_fail(page):
    image = '<img src="http://127.0.0.1:9/a.png">'
    open_page = edited(page, "open", lambda text: re.sub(
        r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</header>", image + "</header>", 1))
    _, _, asked = browse(open_page)
    assert asked == ["http://127.0.0.1:9/a.png"], asked
    broken = edited(open_page, "broken", lambda text: text.replace('"labs":', '"lobs":'))
    _, console, _ = browse(broken)
    assert console, "an error on the console is not seen"
    nameless, _, _ = browse(edited(page, "nameless", lambda text: re.sub("<caption>.*?</caption>", "", text, count=1)))
    assert nameless.named == nameless.tables - 1, "a table without a name is not seen"


def scores(folder):
    """Continuous values: the same page of means, with neither shares nor events."""
    draw = random.Random(5)
    with open(f"{folder}/scores.csv", "w", encoding="utf-8") as out:
        out.write("lab,arm,scenario,phrasing,temperature,value\n")
        for lab, arm, scenario, phrasing, temperature, _ in itertools.product(
                range(5), ("self", "other"), range(6), range(3), (0.5, 1), range(3)):
            value = 40 + 2 * lab + 3 * (arm == "self") + phrasing + scenario + temperature * draw.gauss(0, 1)
            out.write(f"lab-{lab},{arm},s{scenario},p{phrasing},{temperature},{value:.4f}\n")
    page, figures = report(folder, "scores", "--inert", "other=self", sigma="2")
    assert figures["study"]["measure"] == "score"
    seen, console, asked = browse(page)
    assert not console and not asked, (console, asked)
    check_charts(seen, figures)
    labels = [label for chart in seen.charts for label, _ in chart["marks"]]
    assert labels and not any(", k " in label for label in labels), labels
    assert seen.count("forest") == 7 and seen.count("effect") == 7 and seen.count("severity") == 0
    print("scores: means drawn, no counts of events")


def small_studies(folder):
    study(f"{folder}/small.csv", ["only"], 1, 1, [0])
    page, figures = report(folder, "small")
    seen, console, asked = browse(page)
    assert not console and not asked, (console, asked)
    check_charts(seen, figures)
    study(f"{folder}/hostile.csv", ["lab-0", '"' + HOSTILE + '"', "a" * 60], 3, 2, [0.5, 1], ("self", "other"))
    page, figures = report(folder, "hostile", "--inert", "other=self")
    seen, console, asked = browse(page)
    assert not console and not asked, (console, asked)
    check_charts(seen, figures)
    assert seen.count("severity") >= 5, "no chart of severities"
    assert seen.count("effect") >= 4, "no chart of the inert arm"
    labels = [label for chart in seen.charts if chart["kind"] == "forest" for label, _ in chart["marks"]]
    assert any(label.startswith(HOSTILE) for label in labels), labels
    other_widths(page, figures)
    print("small and hostile studies: drawn, and quiet")


def main():
    if not BROWSER:
        print("page: no chromium here; scripts/setup --browser installs it")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="rt-page-") as folder:
        page, usual = large_study(folder)
        policy_holds(page, usual)
        checks_can_fail(page)
        scores(folder)
        small_studies(folder)
    print("ok")


main()
