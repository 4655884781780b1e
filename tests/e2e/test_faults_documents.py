#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents cut short or wrong: every one is refused with the file's name and, where there is one, the
line and the remedy, and nothing changes."""
import os
import re
import shutil
import unittest

from consortium import SOURCE, Consortium, Lab, run, COORDINATOR, WORKER

BAD_DATA = 4


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = Consortium(labs=["uni-a", "uni-b"])
        cls.addClassCleanup(cls.c.close)
        cls.campaign = cls.c.write_campaign(scenarios=2)
        cls.roster = os.path.join(cls.c.folder, "roster.yaml")
        with open(cls.roster, "w") as file:
            file.write(cls.c.coordinator("roster", "show"))
        run(COORDINATOR, "campaign", "check", cls.campaign, "--roster", cls.roster)

    def cuts(self, path, share=1.0, count=24):
        """Copies of a file cut at about `count` places, mid-word, mid-line and at line ends."""
        with open(path, "rb") as file:
            data = file.read().rstrip()
        last = int(len(data) * share)
        places = {last * i // count for i in range(count)} | \
                 {m.start() + 1 for i, m in enumerate(re.finditer(rb"\n", data[:last])) if i % 4 == 0}
        for place in sorted(p for p in places if p < last):
            yield place, data[:place]

    def refused(self, where, file, code, text):
        self.assertEqual(code, BAD_DATA, "%s: exit %s\n%s" % (where, code, text))
        self.assertIn(os.path.basename(file), text, where)
        self.assertNotIn("Assert", text)
        self.assertLess(len(text), 4000)

    def test_truncated_campaign(self):
        path = os.path.join(self.c.folder, "cut.yaml")
        lines = 0
        for place, data in self.cuts(self.campaign):
            with open(path, "wb") as file:
                file.write(data)
            code, text = run(COORDINATOR, "campaign", "check", path, "--roster", self.roster, code=None)
            self.refused("cut at %d" % place, path, code, text)
            lines += bool(re.search(r"cut\.yaml:\d+: ", text))
        self.assertGreater(lines, 10)
        size = self.c.status()["log"]["size"]
        self.assertEqual(self.c.coordinator("campaign", "register", path, code=None)[0], BAD_DATA)
        self.assertEqual(self.c.status()["log"]["size"], size)

    def test_truncated_scenario(self):
        bench = os.path.join(self.c.folder, "bench-trial")
        folder = os.path.join(bench, "scenarios")
        path = os.path.join(folder, sorted(os.listdir(folder))[0])
        with open(path, "rb") as file:
            whole = file.read()
        # Its raters and its own tests come last, and a file with fewer of them is a whole file.
        share = whole.index(b"\nraters:") / len(whole)
        try:
            for place, data in self.cuts(path, share=share, count=16):
                with open(path, "wb") as file:
                    file.write(data)
                code, text = run(COORDINATOR, "campaign", "check", self.campaign, "--roster", self.roster, code=None)
                self.refused("cut at %d" % place, path, code, text)
        finally:
            with open(path, "wb") as file:
                file.write(whole)

    def test_truncated_bench_and_salts(self):
        for name in ("bench.yaml", "salts.yaml"):
            path = os.path.join(self.c.folder, "bench-trial", name)
            with open(path, "rb") as file:
                whole = file.read()
            try:
                data = whole[:len(whole) * 2 // 3].rsplit(b"\n", 1)[0] + b"\n" + whole[len(whole) * 2 // 3:][:7] + b": ["
                with open(path, "wb") as file:
                    file.write(data)
                code, text = run(COORDINATOR, "campaign", "check", self.campaign, "--roster", self.roster, code=None)
                self.refused(name, path, code, text)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), data, "a refused file is left as it is")
            finally:
                with open(path, "wb") as file:
                    file.write(whole)

    def test_truncated_roster(self):
        path = os.path.join(self.c.folder, "roster-cut.yaml")
        with open(self.roster) as file:
            whole = file.read()
        for place, data in self.cuts(self.roster):
            with open(path, "wb") as file:
                file.write(data)
            code, text = run(COORDINATOR, "campaign", "check", self.campaign, "--roster", path, code=None)
            # A cut between two labs leaves a roster that is whole but has fewer of them.
            if code == 0:
                self.assertLess(text.count("\nlab "), 2)
                self.assertTrue(whole.encode()[place - 1:place + 1].strip(b"\n ") == b"" or
                                whole.encode()[place - 1:place] == b"\n" or whole.encode()[place:place + 1] == b"\n", place)
                continue
            # ... or no lab at all, so that the campaign is the one that cannot be.
            self.refused("cut at %d" % place, self.campaign if "no lab takes part" in text else path, code, text)

    def test_truncated_worker(self):
        lab = self.c.labs["uni-a"]
        with open(lab.config, "rb") as file:
            whole = file.read()
        try:
            for place, data in self.cuts(lab.config):
                with open(lab.config, "wb") as file:
                    file.write(data)
                code, text = lab.worker("run", "--until-idle", code=None, timeout=20)
                self.refused("cut at %d" % place, lab.config, code, text)
        finally:
            with open(lab.config, "wb") as file:
                file.write(whole)

    def test_truncated_invitation_and_enrolment(self):
        lab = Lab(self.c, "uni-c")
        enrolment = lab.join()
        size = self.c.status()["log"]["size"]
        for place, data in self.cuts(enrolment, count=12):
            with open(enrolment + ".cut", "wb") as file:
                file.write(data)
            code, text = self.c.coordinator("roster", "admit", enrolment + ".cut", code=None)
            self.refused("cut at %d" % place, enrolment + ".cut", code, text)
        # A change in its middle breaks its own signature.
        with open(enrolment) as file:
            changed = file.read().replace("enrolment: uni-c", "enrolment: uni-d")
        with open(enrolment + ".cut", "w") as file:
            file.write(changed)
        code, text = self.c.coordinator("roster", "admit", enrolment + ".cut", code=None)
        self.assertNotEqual(code, 0)
        self.assertIn("signature", text)
        self.assertEqual(self.c.status()["log"]["size"], size)
        invite = os.path.join(lab.folder, "lab.invite")
        for place, data in self.cuts(invite, count=12):
            with open(invite + ".cut", "wb") as file:
                file.write(data)
            code, text = run(WORKER, "join", invite + ".cut", "--state", os.path.join(self.c.folder, "nobody"),
                             "--no-passphrase", code=None)
            self.refused("cut at %d" % place, invite + ".cut", code, text)
        self.assertFalse(os.path.exists(os.path.join(self.c.folder, "nobody", "keys", "lab.key")))

    def test_errors_name_line_and_remedy(self):
        """The texts people meet most, word for word enough to act on."""
        cases = [("labs: all", "labs: [uni-a, uni-z]", r"broken\.yaml:.*uni-z.*did you mean.*uni-"),
                 ("replicates: 2", "replicates: 0", r"broken\.yaml:\d+: .*replicates"),
                 ("temperatures: [0.0, 0.7]", "temperatures: [0.0, 3.5]", r"broken\.yaml:\d+: .*3\.5"),
                 ("multiplicity: holm", "multiplicity: holmes", r"broken\.yaml:\d+: .*did you mean.*holm"),
                 ("confidence: 0.95", "confidnce: 0.95", r"broken\.yaml:\d+: .*confidnce.*did you mean.*confidence"),
                 ("contrast: [self, other]", "contrast: [self, others]", r"broken\.yaml:\d+: .*others"),
                 ("bench: bench-trial", "bench: bench-tria", r"bench-tria"),
                 ("behaviour: [attempted, resisted, deceived]", "behaviour: [attempted, resistd]",
                  r"broken\.yaml:\d+: .*resistd.*did you mean.*resisted")]
        with open(self.campaign) as file:
            whole = file.read()
        path = os.path.join(self.c.folder, "broken.yaml")
        for before, after, wanted in cases:
            self.assertIn(before, whole)
            with open(path, "w") as file:
                file.write(whole.replace(before, after))
            code, text = run(COORDINATOR, "campaign", "check", path, "--roster", self.roster, code=None)
            self.assertIn(code, (3, BAD_DATA), text)
            self.assertRegex(text, wanted)


if __name__ == "__main__":
    unittest.main()
