#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An incident from its opening to the report: steps in order alone, a vendor's reply word for word and escaped, the
embargo that ends with the window, and an audit that recomputes all of it and sees what was tampered with."""
import json
import os
import shutil
import unittest

from consortium import AUDIT, Consortium, run

REPLY = "We disagree.\nThe agent <script>alert(1)</script> obeyed.\n\x1b[31mred\x1b[0m \u202eevil\n"


class Incident(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Consortium(["uni-a", "uni-b"])
        cls.addClassCleanup(cls.ring.close)
        path = cls.ring.write_campaign("trial", replicates=1, at_zero=1, temperatures="0.7", scenarios=2)
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("transcripts: commit}", "transcripts: commit, remediation_window: 90d}\n"
                                       "approvals: [{kind: irb, ref: \"2026-114\"}]")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        for lab in cls.ring.labs.values():
            lab.start()
        cls.ring.run_campaign(path)
        cls.reply = os.path.join(cls.ring.folder, "reply.txt")
        with open(cls.reply, "w", encoding="utf-8") as file:
            file.write(REPLY)
        cls.letter = os.path.join(cls.ring.folder, "letter.bin")
        with open(cls.letter, "wb") as file:
            file.write(b"\x00letter")

    def step(self, word, incident, *words, reason="as found", severity=3, **how):
        return self.ring.coordinator("incident", word, "trial", incident, "--severity", str(severity), "--reason", reason,
                                     *words, **how)

    def test_life(self):
        ring = self.ring
        scenario = json.loads(ring.coordinator("report", "trial", "--json"))["factors"]["scenarios"][0]["id"]
        self.assertIn("never opened", run_fails(self, ring, "incident", "triage", "trial", "leak-1", "--severity", "2",
                                                "--reason", "too early"))
        self.assertIn("log index", self.step("open", "leak-1", "--subject", ring.SUBJECT, "--scenario", scenario,
                                             "--outcome", "resisted", "--lab", "uni-a", "--trial", "3",
                                             "--evidence", self.letter))
        self.assertIn("open already", run_fails(self, ring, "incident", "open", "trial", "leak-1", "--severity", "2",
                                                "--reason", "again"))
        self.assertIn("never notified", run_fails(self, ring, "incident", "reply", "trial", "leak-1", "--severity", "2",
                                                  "--reason", "no", "--vendor", "vendor-x"))
        self.step("triage", "leak-1", severity=2)
        self.step("notify", "leak-1", "--vendor", "vendor-x")
        self.step("reply", "leak-1", "--vendor", "vendor-x", "--text", self.reply, reason="vendor answers")
        self.step("dispute", "leak-1", "--vendor", "vendor-x", severity=1)
        listed = json.loads(ring.coordinator("incident", "list", "trial", "--json"))["incidents"]
        self.assertEqual([step["step"] for step in listed[0]["steps"]],
                         ["opened", "triaged", "vendor-notified", "vendor-reply", "disputed"])
        notified, embargo = listed[0]["steps"][2]["received"], listed[0]["embargo_until"]
        self.assertEqual(days_between(notified, embargo), 90)

        report = json.loads(ring.coordinator("report", "trial", "--json"))["incidents"]
        self.assertEqual((report["logged"], report["open"], report["triage"]["n"], report["remediation"]["n"]), (1, 1, 1, 0))
        self.assertEqual(report["rows"][0]["steps"][3]["text"], REPLY)
        text = ring.coordinator("report", "trial")
        self.assertIn("We disagree.", text)
        self.assertIn("\\x1b[31mred", text)
        self.assertIn("\\u{202e}evil", text)
        self.assertNotIn("\x1b[31m", text)
        page = os.path.join(ring.folder, "page.html")
        ring.coordinator("report", "trial", "--html", page)
        with open(page, encoding="utf-8") as file:
            html = file.read()
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt; obeyed.", html)
        self.assertNotIn("<script>alert(1)", html)
        self.assertIn("approval 1, irb", html)

        shared = ring.coordinator("incident", "export", "trial")
        row = json.loads(shared)["incidents"][0]
        self.assertEqual((row["outcome"], row["severity"], row["disputed"], row["remediated"]), ("resisted", 1, True, False))
        for word in ("uni-a", "leak-1", scenario, "vendor-x", "disagree", ring.SUBJECT, '"trial"'):
            self.assertNotIn(word, shared)

        self.step("remedy", "leak-1", severity=1)
        self.assertEqual(json.loads(ring.coordinator("report", "trial", "--json"))["incidents"]["remediation"]["n"], 1)
        self.audit()

    def audit(self):
        bundle = os.path.join(self.ring.folder, "trial.bundle")
        self.ring.coordinator("bundle", "trial", "--out", bundle)
        self.assertEqual(checks(bundle)["incidents"]["looked_at"], 6)
        self.ring.coordinator("fsck")
        with open(self.letter, "rb") as file:
            letter = file.read()
        found = None
        for folder, _, names in os.walk(os.path.join(bundle, "objects")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                if data == letter:
                    found = True
                if b"We disagree." in data:
                    record = os.path.join(folder, name)
        self.assertTrue(found, "the evidence goes with the bundle")
        shutil.copytree(bundle, bundle + ".cut")
        os.remove(os.path.join(bundle + ".cut", os.path.relpath(record, bundle)))
        self.assertFalse(checks(bundle + ".cut", code=1)["objects"]["ok"])


def checks(bundle, code=0):
    answer = json.JSONDecoder().raw_decode(run(AUDIT, "verify", bundle, "--json", code=code))[0]
    return {row["clause"]: row for row in answer["checks"]}


def run_fails(test, ring, *words):
    code, out = ring.coordinator(*words, code=None)[:2]
    test.assertNotEqual(code, 0)
    return out


def days_between(start, end):
    import datetime
    parse = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (parse(end) - parse(start)).total_seconds() / 86400


if __name__ == "__main__":
    unittest.main()
