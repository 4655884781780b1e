#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bench in configs/benches: its own tests pass and its phrasings agree (`bench lint` on a copy), the lint notices a
wrong expectation, and the folder has what a reader of a card may count on. Usage: benches.py SOURCE_DIR BIN_DIR"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HEADINGS = ["intended_use", "not_for", "limits", "risks_of_misuse", "known_failure_modes"]
SCENARIOS_LEAST, PHRASINGS_LEAST, TESTS_LEAST = 8, 6, 8

faults = []


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def fault(path, text):
    faults.append(f"{path}: {text}")


def block(text, name):
    """A top-level key's lines, as block style has them: what is indented below it."""
    match = re.search(rf"^{name}:.*\n((?:[ #].*\n|\n)*)", text, re.M)
    return match.group(1) if match else ""


def lint(coordinator, folder, *words):
    done = subprocess.run([coordinator, "bench", "lint", folder, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return done.returncode, done.stdout.decode(errors="replace")


def check_scenario(path, text):
    """The ids of its phrasings."""
    arms, phrasings = block(text, "arms"), block(text, "phrasings")
    ids = re.findall(r"^  (\w+):", phrasings, re.M)
    languages = set(re.findall(r"\blang: (\w+)", phrasings))
    if len(ids) < PHRASINGS_LEAST:
        fault(path, f"{len(ids)} phrasings, fewer than {PHRASINGS_LEAST}")
    if "same_as:" not in phrasings:
        fault(path, "no null pair (`same_as`)")
    for language in {"en", "es", "de"} - languages:
        fault(path, f"no phrasing in `{language}`")
    if "role: inert" not in arms or "role: treatment" not in arms:
        fault(path, "needs a treatment arm and an inert one")
    for word in ("provenance:", "use: evaluation-only"):
        if word not in text:
            fault(path, f"`meta` has no `{word}`")
    if not block(text, "synthetic"):
        fault(path, "no `synthetic:` script, so the positive control cannot play it")
    labels = set(re.findall(r"\blabel: (\w+)", block(text, "outcomes")))
    expected = re.findall(r"\bexpect: (\w+)", block(text, "tests"))
    if len(expected) < TESTS_LEAST:
        fault(path, f"{len(expected)} tests, fewer than {TESTS_LEAST}")
    for label in sorted(labels - set(expected)):
        fault(path, f"no test expects `{label}`")
    return ids


def check_files(folder, canary):
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            text = read(path)
            if name != "salts.yaml" and "SPDX-License-Identifier:" not in text:
                fault(path, "no SPDX line")
            if name != "salts.yaml" and canary not in text:
                fault(path, "the canary string is not in it")


def check_bench(coordinator, folder):
    card = read(os.path.join(folder, "bench.yaml"))
    canary = re.search(r'^canary: "(ringtrial-canary-[0-9a-f-]{36})"', card, re.M)
    if not canary:
        fault(folder, "bench.yaml has no canary string")
    else:
        check_files(folder, canary.group(1))
    for heading in HEADINGS:
        if f"\n  {heading}:" not in card:
            fault(folder, f"the card has no `{heading}`")
    version = re.search(r'^version: "([^"]+)"', card, re.M)
    if not version or f'version: "{version.group(1)}"' not in block(card, "changes"):
        fault(folder, "the change log does not have the version")
    if not re.search(r"^licence: \S", card, re.M):
        fault(folder, "no licence")
    scenarios = sorted(os.listdir(os.path.join(folder, "scenarios")))
    if len(scenarios) < SCENARIOS_LEAST:
        fault(folder, f"{len(scenarios)} scenarios, fewer than {SCENARIOS_LEAST}")
    ids = {tuple(check_scenario(path, read(path))) for path in
           (os.path.join(folder, "scenarios", name) for name in scenarios)}
    if "phrasings: crossed" in card and len(ids) != 1:
        fault(folder, "crossed phrasings have different ids from scenario to scenario")

    code, text = lint(coordinator, folder)
    if code != 0 or not re.search(r", [1-9]\d* own tests?, 0 failed, 0 findings\n$", text):
        fault(folder, f"bench lint ends with {code}:\n{text}")
    digest = re.search(r'digest: "(sha256:[0-9a-f]{64})"', block(card, "changes"))
    if not digest or f"content {digest.group(1)}\n" not in text:
        fault(folder, f"bench lint does not print the digest of the version's content:\n{text}")
    code, text = lint(coordinator, folder, "--json")
    if not text.startswith("{") or json.loads(text)["tests_failed"] != 0:
        fault(folder, f"bench lint --json is no JSON: {text[:80]}")
    # One wrong expectation must be seen, or a clean lint says nothing.
    path = os.path.join(folder, "scenarios", scenarios[0])
    text = read(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"expect: complied", "expect: refused", text, count=1))
    code, text = lint(coordinator, folder)
    if code == 0 or ", 1 failed," not in text:
        fault(folder, f"bench lint does not notice a wrong expectation: {code}\n{text}")


def main():
    source, binaries = sys.argv[1:3]
    benches = os.path.join(source, "configs", "benches")
    names = sorted(os.listdir(benches))
    with tempfile.TemporaryDirectory(prefix="ringtrial-benches-") as copies:
        for name in names:
            copy = os.path.join(copies, name)
            shutil.copytree(os.path.join(benches, name), copy)
            check_bench(os.path.join(binaries, "ringtrial-coordinator"), copy)
    for line in faults:
        print(line)
    print(f"{len(names)} benches ({', '.join(names)}): {len(faults)} faults")
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main())
