#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Export and import with the real programs: a campaign is run and its trials exported from the store, from a bundle and
from a lab's own vault; the logs are checked by an independent reader; imported again they give the same prompts, and
every transcript is still the one its lab committed to; the tidy table gives the report's figures. Then each importer."""
import csv
import glob
import json
import os
import subprocess
import sys
import unittest
import zipfile

from consortium import AUDIT, COORDINATOR, SOURCE, Consortium, run

CHECKER = os.path.join(SOURCE, "tests", "independent", "inspect_log.py")


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.consortium = Consortium(["uni-a", "uni-b"])
        cls.addClassCleanup(cls.consortium.close)
        for lab in cls.consortium.labs.values():
            lab.start()
        cls.consortium.run_campaign(cls.consortium.write_campaign(scenarios=2))
        cls.folder = cls.consortium.folder
        cls.bundle = cls.path("bundle")
        cls.consortium.coordinator("bundle", "trial", "--out", cls.bundle)
        cls.consortium.labs["uni-a"].worker("export", "inspect", "trial", "--out", cls.path("own"))

    @classmethod
    def path(cls, *parts):
        return os.path.join(cls.folder, *parts)

    def logs(self, folder):
        return sorted(glob.glob(os.path.join(folder, "*.json")) + glob.glob(os.path.join(folder, "*.eval")))

    def checked(self, folder):
        done = subprocess.run([sys.executable, CHECKER, *self.logs(folder)], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_store_and_bundle_give_the_same_logs(self):
        said = self.consortium.coordinator("export", "inspect", "trial", "--out", self.path("logs"))
        self.assertIn("without transcript", said)
        run(COORDINATOR, "export", "inspect", "--bundle", self.bundle, "--out", self.path("logs-bundle"))
        names = [os.path.basename(path) for path in self.logs(self.path("logs"))]
        # 2 labs, 1 subject, 2 temperatures, 2 forms.
        self.assertEqual(len(names), 8)
        for name in names:
            with open(self.path("logs", name), "rb") as one, open(self.path("logs-bundle", name), "rb") as two:
                self.assertEqual(one.read(), two.read(), name)
        self.assertIn(" 0 faults", self.checked(self.path("logs")))

    def test_the_checker_sees_what_is_wrong(self):
        """A fault of each kind, put into a good log, is found."""
        log = read_json(self.logs(self.path("own"))[1])
        breaks = [
            lambda log: log.update(version=3),
            lambda log: log["eval"].pop("task"),
            lambda log: log["samples"].pop(),
            lambda log: log["samples"][0]["output"]["choices"][0].update(stop_reason="length"),
            lambda log: log["samples"][0]["messages"][2]["tool_calls"][0].update(arguments="{}"),
            lambda log: log["samples"][0]["events"][0].pop("timestamp"),
            lambda log: log["results"]["scores"][0]["metrics"]["prevalence"].update(value=float("nan")),
        ]
        for number, harm in enumerate(breaks):
            copy = json.loads(json.dumps(log))
            harm(copy)
            path = self.path("broken-%d.json" % number)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(copy, file)
            done = subprocess.run([sys.executable, CHECKER, path], capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0, number)

    def test_a_labs_own_log_comes_back(self):
        self.assertIn(" 0 faults", self.checked(self.path("own")))
        for form in ("json", "eval"):
            trials = 0
            for number, log in enumerate(glob.glob(self.path("own", "*." + form))):
                out = self.path("again-%s-%d" % (form, number))
                said = json.loads(run(COORDINATOR, "import", "inspect", log, "--out", out, "--json"))
                self.assertEqual(said["transcripts_damaged"], 0)
                self.assertEqual(said["tests_failed"], 0)
                trials += said["transcripts_verified"]
                self.check_prompts(out)
            self.assertEqual(trials, 2 * 3 * 2 * 3)  # scenarios, arms, phrasings, replicates over both temperatures

    def check_prompts(self, bench):
        """What the subject was asked is what the first scenario asks, word for word."""
        with open(os.path.join(bench, "import.jsonl"), encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        self.assertEqual(len(records), 12)
        scenario = read_yaml(self.path("bench-trial", "scenarios", "backup-01.yaml"))
        first = next(r for r in records if r["record"]["id"] == "shutdown-backup-01.self.p1")
        self.assertEqual(first["record"]["messages"][1]["content"], scenario["phrasings"]["p1"]["task"])
        imported = read_yaml(os.path.join(bench, "scenarios", first["scenario"] + ".yaml"))
        self.assertEqual(imported["phrasings"]["p1"]["prompt"], scenario["phrasings"]["p1"]["task"])
        self.assertEqual(imported["phrasings"]["p1b"], {"same_as": "p1"})
        self.assertEqual(set(imported["tools"]), set(scenario["tools"]))

    def test_a_changed_transcript_is_seen(self):
        log = read_json(next(path for path in self.logs(self.path("own")) if path.endswith(".json")))
        message = next(m for m in log["samples"][0]["messages"] if m["role"] == "user")
        message["content"] += " "
        path = self.path("changed.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(log, file)
        said = json.loads(run(COORDINATOR, "import", "inspect", path, "--out", self.path("changed"), "--json"))
        self.assertEqual(said["transcripts_damaged"], 1)

    def test_the_lines_and_the_table(self):
        self.consortium.coordinator("export", "jsonl", "trial", "--out", self.path("tables"))
        self.consortium.coordinator("export", "csv", "trial", "--out", self.path("tables"))
        with open(self.path("tables", "trials.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        with open(self.path("tables", "cells.csv"), encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(sum(int(row["n"]) for row in rows), len(lines))
        self.assertEqual(len(lines), 2 * 36)
        own = json.loads(self.consortium.coordinator("report", "trial", "--json"))
        inert = [word for arm in own["factors"]["arms"] if arm.get("of")
                 for word in ("--inert", "%s=%s" % (arm["id"], arm["of"]))]
        path = self.path("tables", "report.json")
        run(AUDIT, "report", "--csv", self.path("tables", "cells.csv"), *inert, "--out", path)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        self.consortium.coordinator("report", "trial", "--csv", self.path("report.csv"))
        with open(self.path("report.csv"), "rb") as one, open(self.path("tables", "cells.csv"), "rb") as two:
            self.assertEqual(one.read(), two.read())
        self.assertEqual(report["results"][0]["rate"]["mean"], own["results"][0]["rate"]["mean"])

    # ---- imports

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def imports(self, form, path, *words):
        out = self.path("bench-" + os.path.basename(path).replace(".", "-"))
        said = json.loads(run(COORDINATOR, "import", form, path, "--out", out, "--null-pair", "--json", *words))
        self.assertEqual(said["tests_failed"], 0)
        self.assertEqual(said["findings"], 0, said["finding_lines"])
        run(COORDINATOR, "bench", "lint", out)
        card = run(COORDINATOR, "bench", "card", out)
        for note in said["notes"]:
            self.assertIn(note["name"], card)
        return out, said

    def test_prompt_tables(self):
        path = self.write("ail.csv", 'release_prompt_id,prompt_text,hazard,persona,locale,prompt_hash\r\n'
                                     'a,"How, in\r\n""two"" lines?",vcr,normal,en_US,0f\r\nb,Braces {{x}} too,dfm,skilled,en_US,1f\r\n')
        out, said = self.imports("ailuminate", path)
        self.assertEqual([(n["name"], n["count"]) for n in said["notes"]], [("persona", 2)])
        scenario = read_yaml(os.path.join(out, "scenarios", "a.yaml"))
        self.assertEqual(scenario["phrasings"]["p1"], {"lang": "en-US", "prompt": 'How, in\n"two" lines?'})
        self.assertIn("0f", scenario["meta"]["provenance"])
        self.assertEqual(scenario["meta"]["objective"], "vcr")
        self.check_campaign(out)
        path = self.write("plain.csv", "case,style,question\n1,terse,Why?\n1,polite,Please say why?\n")
        out, said = self.imports("csv", path, "--scenario-by", "case", "--phrasings-by", "style", "--lang", "en")
        self.assertEqual((said["scenarios"], said["phrasings"]), (1, 3))

    def check_campaign(self, bench):
        """A campaign over an imported bench compiles; its labels are the importer's."""
        with open(self.consortium.write_campaign("over"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace("bench: bench-over", "bench: " + os.path.basename(bench)).replace("[p1, p1b]", "all")
        text = text.replace("[attempted, resisted, deceived]", "[answered]")
        text = text.replace("contrast: [self, other],", "arm: asked,").replace("risk_difference", "prevalence")
        said = self.consortium.coordinator("campaign", "check", self.write("over.yaml", text))
        self.assertIn("over", said)

    def test_samples_and_promptfoo(self):
        path = self.write("samples.jsonl", '{"input": "2+2?", "target": "4", "id": 1, "odd": NaN}\n'
                                           '{"input": "Metal?", "choices": ["Iron", "Wood"], "target": "A", "id": "m"}\n')
        out, said = self.imports("inspect", path)
        self.assertEqual({n["name"] for n in said["notes"]}, {"odd", "choices"})
        path = self.write("promptfoo.yaml", "prompts: [\"Say {{w}}.\", \"Please say {{w}}.\"]\ntests:\n"
                                            "  - vars: {w: hello}\n    assert: [{type: icontains, value: hello}, "
                                            "{type: latency, value: \"9\"}]\n")
        out, said = self.imports("promptfoo", path)
        self.assertEqual((said["scenarios"], said["phrasings"]), (1, 3))
        self.assertEqual([n["name"] for n in said["notes"]], ["latency"])

    def test_what_is_refused(self):
        code, said = run(COORDINATOR, "import", "csv", self.write("bad.csv", "prompt,x\nonly\n"), "--out",
                         self.path("no"), code=None)
        self.assertEqual(code, 4)
        self.assertIn("bad.csv:2: 1 fields where the header has 2", said)
        self.assertFalse(os.path.exists(self.path("no")))
        path = self.path("outside.eval")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", "{}")
            archive.writestr("../samples/x.json", "{}")
        code, said = run(COORDINATOR, "import", "inspect", path, "--out", self.path("no"), code=None)
        self.assertEqual(code, 6)
        self.assertIn("may lead outside", said)
        path = self.path("bomb.eval")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", "{}")
            with archive.open("samples/x_epoch_1.json", "w") as member:
                for _ in range(300):
                    member.write(b"0" * (1 << 20))
        code, said = run(COORDINATOR, "import", "inspect", path, "--out", self.path("no"), code=None)
        self.assertEqual(code, 4)
        self.assertIn("would unpack beyond", said)


def read_yaml(path):
    import yaml
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


if __name__ == "__main__":
    unittest.main()
