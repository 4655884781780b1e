#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lab whose policy.roles has `grade` judges by itself once its trials are in: within its budgets, going on where it was
after kill -9, and before `run --until-idle` ends. A lab without that role judges nothing."""
import collections
import csv
import glob
import json
import os
import re
import time
import unittest

from consortium import WORKER, Consortium, Lab, Process, wait_for

ROLES = "{classes: [public, synthetic], campaigns: {approve: automatic}, roles: [run%s]%s}"


class Grading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Consortium()
        cls.addClassCleanup(cls.ring.close)
        path = cls.ring.write_campaign("trial", replicates=12, at_zero=1, temperatures="0.7", scenarios=4)
        bench = os.path.join(cls.ring.folder, "bench-trial")
        cls.grader = Process(os.path.join(cls.ring.folder, "grader.log"), WORKER, "serve-subject", "--bench", bench,
                             "--port", "0")
        cls.ring.processes.append(cls.grader)
        url = wait_for("the grader to serve", lambda: re.search(r"http://\S+", cls.grader.text()))[0]
        subjects = "  %s: {executor: builtin}\n  grader: {executor: chat, endpoint: '%s', model: synthetic, concurrency: 2}\n"
        cls.ring.admit(*[Lab(cls.ring, name, subjects=subjects % (Consortium.SUBJECT, url), policy=ROLES % (role, ""))
                         for name, role in (("uni-a", ", grade"), ("uni-b", ""))])
        for lab in cls.ring.labs.values():
            lab.start()
        cls.ring.register(path)
        cls.ring.wait_accepted("trial", "uni-a", "uni-b")
        cls.ring.act("start", "trial")
        cls.ring.wait("trial", "done")

    def rated(self, rater="judge:grader"):
        """Trials with a word of that rater, by lab."""
        table = os.path.join(self.ring.folder, "cells.csv")
        self.ring.coordinator("report", "trial", "--csv", table)
        counts = collections.Counter()
        with open(table, encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["rater"] == rater:
                    counts[row["lab"]] += int(row["n"])
        return counts

    def journal_path(self, lab):
        """Its name has the campaign's digest in it; None before the first answer."""
        found = glob.glob(os.path.join(lab.folder, "state", "ratings", "trial.%s.judge.grader.jsonl" % ("[0-9a-f]" * 64)))
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def journal(self, lab):
        """Trials the judge has spoken about, each once."""
        path = self.journal_path(lab)
        if not path:
            return []
        with open(path, encoding="utf-8") as file:
            trials = [json.loads(line).get("trial") for line in file if line.endswith("\n")]
        trials = [trial for trial in trials if trial is not None]
        self.assertEqual(len(trials), len(set(trials)), "a trial was judged twice")
        return trials

    def used(self, lab):
        return json.loads(lab.worker("status", "--json"))["usage"]["requests_today"]

    def test_1_judges_by_itself(self):
        all_in = self.rated("rules")
        wait_for("uni-a to grade", lambda: self.rated()["uni-a"] == all_in["uni-a"], 60, 0.5)
        self.assertEqual(self.rated()["uni-b"], 0)
        wait_for("uni-a to say so", lambda: " graded " in self.ring.labs["uni-a"].process.text())
        # Nothing is left: the judge's server is not even asked its canaries again.
        said = len(self.journal(self.ring.labs["uni-a"]))
        requests = self.used(self.ring.labs["uni-a"])
        self.ring.labs["uni-a"].process.stop()
        self.ring.labs["uni-a"].start()
        log = self.ring.labs["uni-a"].process
        wait_for("a look after the restart", lambda: log.text().count(" graded ") >= 2, 30)
        self.assertEqual(len(self.journal(self.ring.labs["uni-a"])), said)
        self.assertEqual(self.used(self.ring.labs["uni-a"]), requests)

    def test_2_within_the_day_and_after_a_crash(self):
        lab = self.ring.labs["uni-b"]
        lab.process.stop()
        before = self.used(lab)
        lab.policy = ROLES % (", grade", ", per_day: {requests: %d}" % (before + 10))
        lab.write()
        lab.start()
        wait_for("ten answers", lambda: len(self.journal(lab)) >= 10, 40)
        time.sleep(8)  # several looks
        self.assertEqual(len(self.journal(lab)), 10)
        self.assertEqual(self.used(lab), before + 10)
        self.assertTrue(lab.process.running())
        # By hand it is no more than by itself.
        self.assertIn("policy.per_day.requests", lab.worker("grade", "trial", code=6))
        lab.process.stop()
        lab.policy = ROLES % (", grade", "")
        lab.write()
        # kill -9 whenever it has said some more, and again, until everything is judged.
        total, said, kills = self.rated("rules")["uni-b"], 10, 0
        while kills < 2:
            lab.start()
            wait_for("more answers", lambda: len(self.journal(lab)) > said, 40)
            lab.process.kill()
            said, kills = len(self.journal(lab)), kills + 1
        lab.start()
        wait_for("uni-b to grade", lambda: self.rated()["uni-b"] == total, 60, 0.5)

    def test_3_until_idle_waits_for_it(self):
        lab = self.ring.labs["uni-a"]
        lab.process.stop()
        os.remove(self.journal_path(lab))  # as if it had never judged
        self.ring.labs["uni-b"].process.stop()
        for name in ("uni-a", "uni-b"):
            self.ring.labs[name].start()
        self.ring.act("close", "trial")
        self.ring.wait("trial", "closed")
        lab.process.stop()
        if self.journal_path(lab):
            os.remove(self.journal_path(lab))
        process = lab.start("--until-idle")
        self.assertEqual(process.wait(60), 0)
        self.assertGreater(len(self.journal(lab)), 20)
        left = [name for name in os.listdir(os.path.join(lab.folder, "state", "ratings")) if name.endswith(".rating")]
        self.assertEqual(left, [], "what was handed in is sent before it ends")


if __name__ == "__main__":
    unittest.main(verbosity=2)
