#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of docs/schema against the files they are for, with Debian's python3-jsonschema as the validator: what
our own reader takes they take, and broken files both refuse. Usage: schema.py SOURCE_DIR BIN_DIR"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import yaml

faults = []


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: dates are texts, and only true and false are truth values."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))

# A change to a bench that neither may take: file, pattern, replacement.
BROKEN = [
    ("scenario", r"^turns:", "turn:"),
    ("scenario", r"severity: 3", "severity: 9"),
    ("scenario", r"role: inert", "role: idle"),
    ("scenario", r"^arms:", "extra: 1\narms:"),
    ("scenario", r"type: string", "type: text"),
    ("scenario", r"class: public", "class: Public Data"),
    ("scenario", r"(limits: \{turns: )\d+", r"\g<1>many"),
    ("bench", r"behaviour: true", "behaviour: maybe"),
    ("bench", r"^version:.*\n", ""),
    ("bench", r"phrasings: crossed", "phrasings: twisted"),
]


def errors(schema, path):
    with open(path, encoding="utf-8") as file:
        document = yaml.load(file, Loader=Loader)
    return [f"{'/'.join(map(str, error.path))}: {error.message}"[:200]
            for error in jsonschema.Draft7Validator(schema).iter_errors(document)]


def lint(binaries, folder):
    return subprocess.run([os.path.join(binaries, "ringtrial-coordinator"), "bench", "lint", folder],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


def check_valid(schema, kind, path):
    found = errors(schema, path)
    if found:
        faults.append(f"{path} is no {kind}: {found[0]}")


def check_broken(schemas, binaries, bench, work):
    for number, (kind, pattern, new) in enumerate(BROKEN):
        folder = os.path.join(work, f"broken-{number}")
        shutil.copytree(bench, folder)
        path = os.path.join(folder, "bench.yaml") if kind == "bench" else \
            sorted(glob.glob(os.path.join(folder, "scenarios", "*.yaml")))[0]
        with open(path, encoding="utf-8") as file:
            text, changes = re.subn(pattern, new, file.read(), count=1, flags=re.M)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if changes != 1:
            faults.append(f"{pattern} is not in {path}")
        if not errors(schemas[kind], path):
            faults.append(f"the schema takes {pattern} -> {new!r}")
        if lint(binaries, folder).returncode != 4:
            faults.append(f"bench lint takes {pattern} -> {new!r}")


def main():
    source, binaries = sys.argv[1:3]
    schemas = {}
    for path in glob.glob(os.path.join(source, "docs", "schema", "*.json")):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        schemas[os.path.splitext(os.path.basename(path))[0]] = schema
    benches = sorted(glob.glob(os.path.join(source, "configs", "benches", "*")))
    for bench in benches:
        check_valid(schemas["bench"], "bench", os.path.join(bench, "bench.yaml"))
        for path in glob.glob(os.path.join(bench, "scenarios", "*.yaml")):
            check_valid(schemas["scenario"], "scenario", path)
    check_valid(schemas["campaign"], "campaign", os.path.join(source, "configs", "demo", "campaign.yaml"))
    with tempfile.TemporaryDirectory(prefix="ringtrial-schema-") as work:
        check_broken(schemas, binaries, benches[-1], work)
        fresh = os.path.join(work, "fresh-bench")
        subprocess.run([os.path.join(binaries, "ringtrial-coordinator"), "bench", "new", fresh], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        done = lint(binaries, fresh)
        if done.returncode != 0:
            faults.append(f"bench lint refuses what bench new wrote: {done.stdout.decode()}")
        check_valid(schemas["bench"], "bench", os.path.join(fresh, "bench.yaml"))
        check_valid(schemas["scenario"], "scenario", os.path.join(fresh, "scenarios", "first.yaml"))
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
