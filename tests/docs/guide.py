#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pieces of docs/BENCHES.md: each YAML block, put into the scenario that `bench new` writes in place of the keys it
has, must be read by `bench lint` (whose tests may then fail: they are the old ones). Usage: guide.py SOURCE_DIR BIN_DIR"""
import os
import re
import subprocess
import sys
import tempfile


def top_level(text):
    """{key: its lines} of a block-style mapping, in order."""
    parts, key = {}, None
    for line in text.splitlines(keepends=True):
        match = re.match(r"([a-z_]+):", line)
        if match:
            key = match.group(1)
            parts[key] = ""
        if key and not line.startswith("#"):
            parts[key] += line
    return parts


def main():
    source, binaries = sys.argv[1:3]
    coordinator = os.path.join(binaries, "ringtrial-coordinator")
    with open(os.path.join(source, "docs", "BENCHES.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```yaml\n(.*?)^```$", file.read(), re.M | re.S)
    faults = 0 if len(blocks) >= 8 else 1
    with tempfile.TemporaryDirectory(prefix="ringtrial-guide-") as work:
        for number, block in enumerate(blocks):
            folder = os.path.join(work, f"piece-{number}")
            subprocess.run([coordinator, "bench", "new", folder], check=True, stdout=subprocess.DEVNULL, timeout=60)
            path = os.path.join(folder, "scenarios", "first.yaml")
            with open(path, encoding="utf-8") as file:
                parts = top_level(file.read())
            parts.update(top_level(block))
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(parts.values()))
            done = subprocess.run([coordinator, "bench", "lint", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=60)
            if done.returncode not in (0, 1):
                print(f"docs/BENCHES.md, piece {number + 1}:\n{block}{done.stdout.decode()}")
                faults += 1
    print(f"{len(blocks)} pieces, {faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
