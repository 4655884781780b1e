#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tamper matrix: mutants of a bundle, each put before both verifiers, which must both refuse it.

    tamper.py --audit ringtrial-audit --sample sample_bundle [--count N] [--seed S] [--work DIR]

First every file of the bundle with every operation, with its manifest as it was and with one that the operator made and
signed anew; then attacks by a coordinator who writes and signs the whole log again, the operator helping; then more of
both, at random, until there are N. An attack has to be refused for more than its report, page or manifest, which an
attacker could compute again. What the small verifier does not look at is counted apart and never as agreement.
"""
import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from attacks import ATTACKS, Consortium, Log  # noqa: E402
from verify import Bundle  # noqa: E402

MENDABLE = {"report", "page", "manifest", "complete"}
STATISTICS = {"report.json", "report.html"}  # the small verifier computes their counts, not what follows from them


def text_lines(data):
    return data.split(b"\n")


def flip(dice, data):
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:]


def truncate(dice, data):
    return data[:dice.randrange(len(data))]


def grow(dice, data):
    return data + bytes([dice.choice([0, 10, 32, dice.randrange(256)])])


def reorder(dice, data):
    """Two lines, two hashes, two leaves or two runs of bytes change places."""
    parts = text_lines(data)
    glue = b"\n"
    if len(parts) < 3 or b"\0" in data:
        glue, width = b"", 32 if len(data) % 32 == 0 and len(data) > 32 else max(1, len(data) // 8)
        parts = [data[i:i + width] for i in range(0, len(data), width)]
    a, b = dice.randrange(len(parts)), dice.randrange(len(parts))
    parts[a], parts[b] = parts[b], parts[a]
    return glue.join(parts)


class Matrix:
    def __init__(self, audit, consortium, seed):
        self.audit, self.consortium, self.dice = audit, consortium, random.Random(seed)
        self.bundle = consortium.bundle
        self.honest = {path: consortium.read(path) for path in consortium.files()}
        self.made, self.counts, self.wrong = 0, collections.Counter(), []
        self.only_one = 0

    # -- both verifiers

    def ours(self, receipts):
        command = [self.audit, "verify", "--json", self.bundle] + (["--receipts", receipts] if receipts else [])
        run = subprocess.run(command, capture_output=True, text=True)
        failed = {check["clause"] for check in json.loads(run.stdout)["checks"] if not check["ok"]} if run.stdout else set()
        return run.returncode, failed - {"trust"}

    def theirs(self, receipts):
        bundle = Bundle(self.bundle, receipts).verify()
        failed = {clause for clause, _, _ in bundle.findings}
        return 1 if failed else 5 if bundle.incomplete else 0, failed

    def judge(self, what, attack=False, receipts=None, statistics=False):
        """Both must refuse; an attack for something that cannot be mended."""
        self.made += 1
        self.counts[what.split(" ")[0]] += 1
        (first, clauses), (second, others) = self.ours(receipts), self.theirs(receipts)
        if statistics and second == 0:
            self.only_one += 1
            second = 1
        right = first == second == 1
        if attack:
            right = right and clauses - MENDABLE and others - MENDABLE
        if not right:
            self.wrong.append(f"{what}: ringtrial-audit {first} {sorted(clauses)}, verify.py {second} {sorted(others)}")
            print("WRONG", self.wrong[-1], flush=True)

    # -- files

    def file_mutant(self, path, operation, resign):
        data, extra, other = self.honest[path], None, None
        if operation in ("flip", "truncate", "grow", "reorder"):
            change = {"flip": flip, "truncate": truncate, "grow": grow, "reorder": reorder}[operation]
            new = change(self.dice, data)
            if new == data:
                return
            self.consortium.write(path, new)
        elif operation == "delete":
            self.consortium.remove(path)
        elif operation == "duplicate":
            extra = self.other_name(path)
            self.consortium.write(extra, data)
        else:
            other = self.dice.choice([name for name in self.honest if self.honest[name] != data])
            self.consortium.write(path, self.honest[other])
            self.consortium.write(other, data)
        if resign and not path.startswith("manifest."):
            self.consortium.manifest()
        touched = {path, other} - {None}
        self.judge(f"{operation} {path} {'resigned' if resign else ''}",
                   statistics=resign and operation not in ("delete", "duplicate") and touched <= STATISTICS)
        if extra:
            self.consortium.remove(extra)
        for name in touched | {"manifest.sha256", "manifest.minisig"}:
            self.consortium.write(name, self.honest[name])

    def other_name(self, path):
        """A name that a bundle could have and this one does not."""
        match = re.fullmatch(r"(objects/../)(.*)", path)
        if match:
            return match.group(1) + "".join(self.dice.choice("0123456789abcdef") for _ in range(62))
        match = re.fullmatch(r"(log/tile/.*\.p/)(\d+)", path)
        if match:
            return match.group(1) + str(self.dice.choice([n for n in range(1, 256) if n != int(match.group(2))]))
        return self.dice.choice([path + ".2", "keys/roster-9.yaml", "receipts/copy.tlog-proof"])

    # -- the log

    def attack(self, name):
        log = Log(self.consortium)
        receipts = ATTACKS[name](self.consortium, log, self.dice)
        if receipts is None:
            return
        log.write()
        self.consortium.mend(log)
        folder = None
        if receipts:
            folder = tempfile.mkdtemp(dir=os.path.dirname(self.bundle))
            for i, text in enumerate(receipts):
                with open(os.path.join(folder, f"{i}.tlog-proof"), "wb") as file:
                    file.write(text)
        self.judge(f"{name}", attack=True, receipts=folder)
        if folder:
            shutil.rmtree(folder)
        self.restore()

    def restore(self):
        for path in self.consortium.files():
            if path not in self.honest:
                self.consortium.remove(path)
        for path, data in self.honest.items():
            self.consortium.write(path, data)

    # -- all

    OPERATIONS = ["flip", "truncate", "delete", "duplicate", "swap", "reorder", "grow"]

    def run(self, count):
        for _ in range(2):
            for name in ATTACKS:
                self.attack(name)
        for path in sorted(self.honest):
            for operation in self.OPERATIONS:
                for resign in (False, True):
                    if self.made < count:
                        self.file_mutant(path, operation, resign)
        while self.made < count:
            if self.dice.random() < 0.5:
                self.attack(self.dice.choice(list(ATTACKS)))
            else:
                self.file_mutant(self.dice.choice(sorted(self.honest)), self.dice.choice(self.OPERATIONS),
                                 self.dice.random() < 0.5)
        first, second = self.ours(None)[0], self.theirs(None)[0]
        if (first, second) != (0, 0):
            self.wrong.append(f"the honest bundle, put back: {first}, {second}")
            print("WRONG", self.wrong[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audit", required=True)
    parser.add_argument("--sample", required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work")
    options = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=options.work or memory, prefix="ringtrial-tamper-") as work:
        subprocess.run([options.sample, work], check=True)
        matrix = Matrix(options.audit, Consortium(work), options.seed)
        if (matrix.ours(None)[0], matrix.theirs(None)[0]) != (0, 0):
            print("the honest bundle is refused:", matrix.ours(None), matrix.theirs(None))
            return 1
        matrix.run(options.count)
    for what, made in sorted(matrix.counts.items()):
        print(f"{made:8d}  {what}")
    print(f"{matrix.made} mutants, {len(matrix.wrong)} undetected or disagreed on (seed {options.seed}); {matrix.only_one} of "
          "them changed statistics of a report under a manifest signed anew, which only ringtrial-audit recomputes")
    return 1 if matrix.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
