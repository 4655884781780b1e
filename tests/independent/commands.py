#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`diff` and `compare` on bundles that somebody else's hands have changed: commands.py --audit A --sample S"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from attacks import Consortium, Log  # noqa: E402

AUDIT, SAMPLE = sys.argv[2], sys.argv[4]


def run(*arguments):
    done = subprocess.run([AUDIT, *arguments, "--json"], capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout)


def main():
    with tempfile.TemporaryDirectory(prefix="ringtrial-commands-") as work:
        subprocess.run([SAMPLE, work], check=True)
        honest = os.path.join(work, "bundle")
        code, same = run("diff", honest, honest)
        assert code == 0 and not any(same[name] for name in ("leaves", "objects", "counts", "figures")), same

        # Shorter by the last lab's end: the longer one goes on where the other stops.
        other = os.path.join(work, "other")
        os.mkdir(other)
        shutil.copytree(honest, os.path.join(other, "bundle"))
        shutil.copytree(os.path.join(work, "keys"), os.path.join(other, "keys"))
        changed = Consortium(other)
        log = Log(changed)
        size = len(log.leaves)
        log.leaves.pop()
        log.write()
        code, shorter = run("diff", honest, changed.bundle)
        assert code == 1 and [row["at"] for row in shorter["leaves"]] == [f"log index {size - 1}"], shorter["leaves"]
        assert shorter["leaves"][0]["b"] == "" and not shorter["objects"] and not shorter["counts"]
        assert any(row["at"] == "provenance.log size" for row in run("diff", honest, changed.bundle, "-n", "1000")[1]["figures"])

        # A result left out: the histories part there, and the counts of that lab differ.
        log = Log(Consortium(work))
        index = log.find("result", "lab-a")[0]
        del log.leaves[index]
        log.consortium = changed
        log.write()
        code, forked = run("diff", honest, changed.bundle, "-n", "1000")
        assert code == 1 and forked["leaves"][0]["at"] == f"log index {index}" and forked["leaves"][0]["b"], forked["leaves"]
        assert forked["counts"] and all(",lab-a," in row["at"] for row in forked["counts"]), forked["counts"]
        assert "NOT AUTHENTIC" in forked["verdict_b"] and forked["verdict_a"] == "authentic and complete"

        # One trial: every lab's results, and of each lab one counts.
        code, trial = run("compare", honest, "17")
        assert code == 0 and len({row["lab"] for row in trial["results"]}) >= 3, trial  # lab-c left early
        for lab in {row["lab"] for row in trial["results"]}:
            assert sum(row["counts"] for row in trial["results"] if row["lab"] == lab) == 1, trial
        assert subprocess.run([AUDIT, "compare", changed.bundle, "17"], capture_output=True).returncode == 1
        assert subprocess.run([AUDIT, "compare", honest, "100000"], capture_output=True).returncode == 2
    print("diff and compare: as they should")


if __name__ == "__main__":
    main()
