#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/demo as people run it: it names the lab that was planted, or nobody; what it publishes is what an
independent recount of its bundle finds; verify accepts that and nothing else; and it leaves nothing running."""
import collections
import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from consortium import AUDIT, BIN, SOURCE, die_with_parent, run, wait_for
from evidence import Bundle, sha256

DEMO = os.path.join(SOURCE, "scripts", "demo")
LABS = ["uni-a", "uni-b", "uni-c", "uni-d", "uni-e"]


def demo(folder, code=0, **env):
    return run("bash", DEMO, folder, code=code, timeout=150,
               env={"RINGTRIAL_BIN": BIN, "DEMO_REPLICATES": "5", **env}, cwd=os.path.dirname(folder))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def processes_of(folder):
    """Pids whose command line names the folder; zombies have none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                if folder.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rt-demo-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.out = os.path.join(cls.folder, "out")
        cls.text = demo(cls.out)
        with open(os.path.join(cls.out, "report.json"), encoding="utf-8") as file:
            cls.report = json.load(file)
        cls.part = cls.report["results"][0]
        cls.bundle = Bundle(os.path.join(cls.out, "bundle"))
        cls.campaign = cls.bundle.campaign()
        with open(os.path.join(cls.out, "labs", "uni-a", "uni-a.invite")) as file:
            cls.log_key = re.search(r'^log: "([^"]+)"', file.read(), re.M).group(1)

    def verify(self, folder, *words):
        return run(AUDIT, "verify", folder, "--log-key", self.log_key, *words, code=None)

    # ---- what it says

    def test_names_the_planted_lab_and_its_stratum(self):
        self.assertEqual([row["lab"] for row in self.part["labs"] if row["odd"]], ["uni-c"])
        row = next(row for row in self.part["labs"] if row["odd"])
        self.assertIn({"key": "canary.system", "value": "ignored", "others": "honoured", "others_agree": True},
                      row["only_here"])
        self.assertIn("uni-c", self.report["finding"]["headline"])
        self.assertIn("canary.system", self.report["finding"]["headline"])
        strata = {lab: f["digest"] for f in self.report["fingerprints"] for lab in f["labs"]}
        self.assertEqual(len({strata[lab] for lab in LABS if lab != "uni-c"} | {strata["uni-c"]}), 2)
        self.assertNotIn(strata["uni-c"], {strata[lab] for lab in LABS if lab != "uni-c"})
        # Each step of the demo said what it is for.
        for words in ("authentic and complete", "removed: uni-c differs", "verify refuses it (exit code 1)",
                      "NOT AUTHENTIC: report", "the same text", "uni-d withdrew", "uni-e joined late", "synthetic"):
            self.assertTrue(words in " ".join(self.text.split()), words)
        self.assertNotIn("\x1b", self.text, "no terminal, no colours")
        self.assertEqual(processes_of(self.out), [])

    def test_participation(self):
        rows = {row["lab"]: row for row in self.report["participation"]["labs"]}
        self.assertEqual([lab for lab in LABS if rows[lab]["joined_late"]], ["uni-e"])
        self.assertEqual({lab: rows[lab]["state"] for lab in LABS},
                         {lab: "withdrew" if lab == "uni-d" else "completed" for lab in LABS})
        self.assertLessEqual(abs(rows["uni-d"]["counted"] * 2 - rows["uni-d"]["planned"]), 192)
        self.assertEqual(sum(rows[lab]["missing"] for lab in LABS if lab != "uni-d"), 0)

    def test_cells_with_their_roles_named_give_the_campaigns_figures(self):
        roles = []
        for row in self.report["factors"]["arms"]:
            roles += ["--inert", "%s=%s" % (row["id"], row["of"])] if row.get("of") else []
        for row in self.report["factors"]["phrasings"]:
            roles += ["--same-as", "%s=%s" % (row["id"], row["same_as"])] if row.get("same_as") else []
        command = (AUDIT, "report", "--csv", os.path.join(self.out, "cells.csv"), "--json")
        named = json.loads(run(*command, "--rater", "rules", *roles))
        part = named["results"][0]
        for figure in ("mean", "this_bench", "scenarios_like_these", "next_lab", "tau"):
            self.assertEqual(part["rate"][figure], self.part["rate"][figure], figure)
            self.assertEqual([row["difference"][figure] for row in part["contrasts"]],
                             [row["difference"][figure] for row in self.part["contrasts"]], figure)
        self.assertNotIn("arms", named["provenance"])
        # Without them it is another rate, and the report says why.
        path = os.path.join(self.folder, "bare.json")
        said = run(*command, "--out", path)
        self.assertIn("no arm is named inert", said)
        with open(path, encoding="utf-8") as file:
            bare = json.load(file)
        self.assertNotEqual(bare["results"][0]["rate"]["mean"], self.part["rate"]["mean"])
        self.assertIn("no --inert", bare["provenance"]["arms"])

    def test_planted_labs_change_what_is_named(self):
        for plant in ("uni-a", "none"):
            out = os.path.join(self.folder, "out-" + plant)
            demo(out, DEMO_PLANT=plant)
            with open(os.path.join(out, "report.json"), encoding="utf-8") as file:
                part = json.load(file)["results"][0]
            self.assertEqual([row["lab"] for row in part["labs"] if row["odd"]], [] if plant == "none" else [plant])
            shutil.rmtree(out)

    def test_estimates_hold_the_planted_truth(self):
        """Each lab's true rate, computed by the worker from its worker.yaml alone, is near its estimate."""
        treatment = {arm["id"] for arm in self.report["factors"]["arms"] if arm["role"] == "treatment"}
        for row in self.part["labs"]:
            with open(os.path.join(self.out, "truth", row["lab"] + ".csv")) as file:
                rates = [float(line["rate"]) for line in csv.DictReader(file) if line["arm"] in treatment]
            true = sum(rates) / len(rates)
            low, high = row["rate"]["this_bench"]
            self.assertLess(abs(row["rate"]["mean"] - true), 2 * (high - low) + 0.02, row["lab"])

    # ---- what it published, counted again

    def test_recount_equals_cells_and_report(self):
        self.assertEqual(self.bundle.root(), self.bundle.checkpoint.root)
        self.assertTrue(self.bundle.checkpoint.signed_by(self.log_key))
        counted = self.bundle.recount(self.campaign)
        ours = collections.Counter()
        for cell, n in self.bundle.cells(self.campaign).items():
            outcome = cell.outcome if cell.status == "ok" else ""
            ours[(cell.subject, cell.arm, cell.scenario, cell.phrasing, "%g" % (cell.temperature / 1e6), cell.lab,
                  "sha256:" + cell.fingerprint.hex(), cell.status, outcome, str(cell.severity))] += n
        theirs = collections.Counter()
        with open(os.path.join(self.out, "cells.csv"), newline="") as file:
            for row in csv.DictReader(file):
                outcome = row["outcome"] if row["status"] == "ok" else ""
                theirs[(row["subject"], row["arm"], row["scenario"], row["phrasing"], row["temperature"], row["lab"],
                        row["fingerprint"], row["status"], outcome, row["severity"])] += int(row["n"])
                self.assertEqual(row["behaviour"] in ("1", "true", "yes"), row["status"] == "ok" and
                                 row["outcome"] in self.campaign.behaviour)
        self.assertEqual(ours, theirs)
        self.assertGreater(len(ours), 500)

        treatment = {arm["id"] for arm in self.report["factors"]["arms"] if arm["role"] == "treatment"}
        for row in self.report["participation"]["labs"]:
            mine = [number for lab, number in counted if lab == row["lab"]]
            self.assertEqual(row["planned"], len(self.campaign.planned(row["lab"])))
            self.assertEqual(row["received"], len(mine))
            self.assertEqual(row["missing"], row["planned"] - len(mine))
            self.assertLessEqual(set(mine), self.campaign.planned(row["lab"]))
        for row in self.part["labs"]:
            mine = [(campaign_arm, trial) for (lab, number), trial in counted.items() if lab == row["lab"]
                    for campaign_arm in [self.campaign.trial(number)[1][1]]]
            in_arms = [trial for arm, trial in mine if arm in treatment]
            self.assertEqual(row["rate"]["n"], len(in_arms))
            self.assertEqual(row["rate"]["k"], sum(t[0] == "ok" and t[1] in self.campaign.behaviour for t in in_arms))

    def test_every_statement_is_signed_by_whom_it_names(self):
        """Results by their lab, closes by their lab, decisions by the operator: against the bundle's last roster."""
        import base64
        import yaml
        with open(os.path.join(self.out, "bundle", "keys", "roster-2.yaml")) as file:
            roster = yaml.safe_load(file)
        public = lambda text: base64.b64decode(text.split(":", 1)[1])[10:]
        labs = {lab["id"]: public(lab["sign"]) for org in roster["organisations"] for lab in org.get("labs", [])}
        people = {role: public(person["sign"]) for org in roster["organisations"] for person in org.get("people", [])
                  for role in person["roles"]}
        kinds = collections.Counter()
        for statement in self.bundle.statements():
            kinds[statement.kind] += 1
            if statement.kind in ("accept", "result", "close", "withdraw"):
                self.assertTrue(statement.signed_by(labs[statement.fields["lab"]]))
                others = [lab for lab in labs if lab != statement.fields["lab"]]
                self.assertFalse(statement.signed_by(labs[others[0]]))
            elif statement.kind == "state":
                self.assertTrue(statement.signed_by(people["operator"]))
            elif statement.kind == "campaign":
                self.assertTrue(statement.signed_by(people["board"]))
            elif statement.kind == "roster":
                self.assertTrue(statement.signed_by(people["root"]))
        self.assertEqual((kinds["accept"], kinds["close"], kinds["withdraw"], kinds["state"]), (5, 4, 1, 2))

    # ---- verify

    def test_verify_accepts_it_and_nothing_else(self):
        self.assertEqual(self.verify(os.path.join(self.out, "bundle"))[0], 0)
        copy = os.path.join(self.folder, "copy")
        shutil.copytree(os.path.join(self.out, "bundle"), copy)
        generator = random.Random(20261120)
        files = sorted(os.path.join(base, name) for top in ("log", "objects")
                       for base, _, names in os.walk(os.path.join(copy, top)) for name in names)
        logs = [path for path in files if os.sep + "log" + os.sep in path]
        for path in logs + generator.sample(files, 25):
            with open(path, "rb") as file:
                data = file.read()
            at = generator.randrange(len(data))
            with open(path, "wb") as file:
                file.write(data[:at] + bytes([data[at] ^ (1 << generator.randrange(8))]) + data[at + 1:])
            code, text = self.verify(copy)
            self.assertEqual(code, 1, "byte %d of %s" % (at, path))
            self.assertRegex(text, r"FAIL")
            with open(path, "wb") as file:
                file.write(data)
        self.assertEqual(self.verify(copy)[0], 0)
        # An object too few, and a file too many.
        victim = generator.choice([path for path in files if os.sep + "objects" + os.sep in path])
        os.rename(victim, victim + ".gone")
        self.assertEqual(self.verify(copy)[0], 1)
        os.rename(victim + ".gone", victim)
        extra = b"nothing names this"
        digest = sha256(extra).hex()
        os.makedirs(os.path.join(copy, "objects", digest[:2]), exist_ok=True)
        with open(os.path.join(copy, "objects", digest[:2], digest[2:]), "wb") as file:
            file.write(extra)
        self.assertEqual(self.verify(copy)[0], 1)

    def test_stock_tools_agree(self):
        bundle = os.path.join(self.out, "bundle")
        run("sha256sum", "--check", "--quiet", "manifest.sha256", cwd=bundle)
        if shutil.which("minisign"):
            run("minisign", "-V", "-q", "-p", "keys/operator.pub", "-m", "manifest.sha256", "-x", "manifest.minisig",
                cwd=bundle)
        with open(os.path.join(bundle, "report.json"), "rb") as a, open(os.path.join(self.out, "report.json"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    # ---- manners

    def test_refuses_a_folder_it_did_not_make(self):
        taken = os.path.join(self.folder, "taken")
        os.mkdir(taken)
        with open(os.path.join(taken, "thesis.txt"), "w") as file:
            file.write("years of work")
        text = demo(taken, code=1)
        self.assertIn("was not made by this demo", text)
        self.assertEqual(os.listdir(taken), ["thesis.txt"])
        self.assertIn("choose one of", demo(os.path.join(self.folder, "none"), code=1, DEMO_PLANT="uni-z"))

    def test_interrupted_it_leaves_nothing_running(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out = os.path.join(self.folder, "interrupted")
            env = {**os.environ, "RINGTRIAL_BIN": BIN, "DEMO_REPLICATES": "400"}
            log = open(out + ".log", "wb")
            process = subprocess.Popen(["bash", DEMO, out], stdout=log, stderr=log, env=env, preexec_fn=die_with_parent,
                                       start_new_session=True)
            try:
                wait_for("the campaign to run", lambda: b"It runs" in read(out + ".log"), 30)
                time.sleep(1)
                self.assertGreaterEqual(len(processes_of(out)), 6)
                # As a terminal does it for Ctrl-C: to everything in the foreground.
                (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
                process.wait(20)
                self.assertEqual(process.returncode, 128 + number)
                self.assertEqual(processes_of(out), [])
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    for pid in processes_of(out):
                        os.kill(pid, signal.SIGKILL)
                log.close()


if __name__ == "__main__":
    unittest.main()
