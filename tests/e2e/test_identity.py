#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Same weights? A lab whose server changes model while a campaign runs is held, told why, goes on once an
operator says so, and its trials stand in two strata; `probe` finds what a server does wrong; reference samples
tell a template that drops the system prompt from one that does not; changed weights stop the worker."""
import json
import os
import re
import unittest

from consortium import AUDIT, WORKER, Consortium, Process, run, wait_for
from endpoint import Subject
from evidence import Bundle

CHAT = "  synthetic-8b: {executor: chat, endpoint: \"%s\", model: synthetic, concurrency: 2}\n"


class Changed(unittest.TestCase):
    def test_changed_model_holds_the_lab(self):
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            path = c.write_campaign(replicates=400, at_zero=1, seeds="shared", phrasings="[p1]", scenarios=2,
                                    temperatures="1.0")
            bench = os.path.join(c.folder, "bench-trial")
            first = Subject(c, bench)
            c.labs["uni-b"].subjects = CHAT % first.url
            for lab in c.labs.values():
                lab.write()
                lab.start()
            c.register(path)
            c.wait_accepted("trial", *c.labs)
            c.act("start", "trial")
            wait_for("results of uni-b", lambda: c.lab_status("trial", "uni-b")["final"] > 10, 60)
            first.process.stop()
            second = Process(os.path.join(c.folder, "second.log"), WORKER, "serve-subject", "--bench", bench,
                             "--port", str(first.port), "--model", "synthetic-quantised")
            c.processes.append(second)
            wait_for("the hold", lambda: "held" in (c.lab_status("trial", "uni-b").get("held") or ""), 90)
            self.assertIn("changed", c.coordinator("explain", "trial"))
            reasons = {row["lab"]: row["held"] for row in json.loads(c.coordinator("explain", "trial", "--json"))}
            self.assertIn("changed", reasons["uni-b"])
            wait_for("the lab's own word", lambda: "the model is declared; changed: synthetic-8b: identity"
                     in c.labs["uni-b"].worker("status"), 10)
            self.assertIn("the model is hashed", c.labs["uni-a"].worker("status"))
            wait_for("uni-a", lambda: "every trial" in (c.lab_status("trial", "uni-a").get("held") or ""), 60)
            done = c.lab_status("trial", "uni-b")["final"]
            self.assertLess(done, c.lab_status("trial", "uni-a")["final"], "a held lab is dealt nothing new")

            # A restart forgets neither the hold nor what the lab was served by.
            c.process.kill()
            c.serve()
            self.assertIn("held", c.lab_status("trial", "uni-b")["held"])
            self.assertIn("contradicts", c.coordinator("campaign", "lift", "trial", "uni-a", "--reason", "a mistake",
                                                       code=4))
            c.coordinator("campaign", "lift", "trial", "uni-b", "--reason", "quantised on purpose")
            c.wait("trial", "done", 120)
            c.act("close", "trial")
            c.wait("trial", "closed", 30)
            log_key = c.coordinator_keys()["log"]
            self.check_bundle(c, log_key)
            c.process.stop()
            c.coordinator("fsck")

    def check_bundle(self, c, log_key):
        folder = os.path.join(c.folder, "bundle")
        c.coordinator("bundle", "trial", "--out", folder)
        run(AUDIT, "verify", folder, "--log-key", log_key)
        leaves = [(s.kind, s.fields) for s in Bundle(folder).statements() if s.kind in ("hold", "lift")]
        self.assertEqual([kind for kind, _ in leaves], ["hold", "lift"])
        self.assertEqual({fields["lab"] for _, fields in leaves}, {"uni-b"})
        self.assertIn("synthetic-8b: the serving fingerprint's identity changed", leaves[0][1]["reason"])
        with open(os.path.join(folder, "report.json")) as file:
            report = json.load(file)
        strata = {}
        for fingerprint in report["fingerprints"]:
            for lab in fingerprint["labs"]:
                strata.setdefault(lab, []).append(json.dumps(fingerprint))
        self.assertEqual(len(strata["uni-a"]), 1)
        self.assertGreaterEqual(len(strata["uni-b"]), 2, "a stratum for each model")
        self.assertEqual([any("synthetic-quantised" in s for s in strata[lab]) for lab in ("uni-a", "uni-b")],
                         [False, True])


class Probe(unittest.TestCase):
    def setUp(self):
        self.c = Consortium(labs=["uni-a"])
        self.c.__enter__()
        self.addCleanup(lambda: self.c.__exit__(None, None, None))
        self.lab = self.c.labs["uni-a"]

    def serve(self, *words):
        subject = Subject(self.c, self.bench(), *words)
        self.lab.subjects = CHAT % subject.url
        self.lab.write()
        return subject

    def bench(self):
        if not os.path.isdir(os.path.join(self.c.folder, "bench-trial")):
            self.c.write_campaign(scenarios=1)
        return os.path.join(self.c.folder, "bench-trial")

    def probe(self, *words, code=0):
        text = self.lab.worker("probe", "synthetic-8b", "--json", *words, code=code)
        answer, _ = json.JSONDecoder().raw_decode(text[text.index("{"):])  # the verdict in words follows
        return answer, {check["check"]: check["verdict"] for check in answer["checks"]}

    def test_verdicts(self):
        self.serve()
        answer, verdicts = self.probe()
        for check in ("reachable", "listed", "answers", "system", "seed", "temperature", "tools", "usage", "limit",
                      "deterministic", "concurrent"):
            self.assertEqual(verdicts[check], "ok", check)
        self.assertLessEqual(answer["requests"], 70)
        self.assertTrue(answer["fit"])
        for check in answer["checks"]:  # a check that is passed means nothing and needs no remedy
            self.assertEqual(bool(check["means"]), check["verdict"] in ("warn", "fail"), check)
        self.serve("--quirk", "seed,tools", "--drop-system")
        answer, verdicts = self.probe(code=1)
        self.assertEqual([verdicts[k] for k in ("seed", "tools", "system", "answers")],
                         ["warn", "fail", "fail", "ok"])
        self.serve("--quirk", "temperature")
        _, verdicts = self.probe(code=1)
        self.assertEqual(verdicts["temperature"], "fail")
        self.serve("--model", "other")
        _, verdicts = self.probe(code=1)
        self.assertEqual(verdicts["listed"], "fail")

    def test_unreachable(self):
        subject = self.serve()
        subject.process.stop()
        answer, verdicts = self.probe("--timeout", "2s", code=3)
        self.assertEqual(verdicts["reachable"], "fail")

    def test_reference(self):
        sample = os.path.join(self.c.folder, "reference.json")
        self.serve()
        self.probe("--make-reference", sample)
        answer, _ = self.probe("--reference", sample)
        self.assertEqual(answer["identity"], "behavioural")
        self.serve("--drop-system")
        answer, _ = self.probe("--reference", sample, code=1)
        self.assertLess(answer["reference"]["p"], 0.01)
        self.assertEqual(answer["identity"], "declared")

    def test_weights(self):
        subject = Subject(self.c, self.bench())
        model = os.path.join(self.c.folder, "model")
        os.makedirs(model)
        with open(os.path.join(model, "model.safetensors"), "wb") as file:
            file.write(os.urandom(100000))
        self.lab.subjects = "  other: {executor: builtin}\n"
        self.lab.write()
        self.lab.worker("subject", "add", "synthetic-8b", "--endpoint", subject.url, "--model", "synthetic",
                        "--weights", model)
        answer, _ = self.probe()
        self.assertEqual([answer["identity"], answer["weights"]], ["hashed", "same"])
        listed = re.search(r"weights (sha256:[0-9a-f]{64})$", self.lab.worker("subject", "list"), re.M)
        self.assertIn("where the campaign's `weights` is " + listed[1], self.lab.worker("probe", "synthetic-8b"))
        with open(os.path.join(model, "model.safetensors"), "r+b") as file:
            file.write(b"other")
        self.assertIn("model.safetensors has other contents", self.lab.worker("subject", "check", code=1))
        answer, _ = self.probe(code=1)
        self.assertIn("has other contents", answer["weights"])


if __name__ == "__main__":
    unittest.main()
