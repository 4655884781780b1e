#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is given out, when and to whom: an edited roster signed offline by keys of the stock minisign, an embargo that
bundles and public reports obey until the data committee's threshold releases, releases taken back, redacted bundles that
verify as far as they go, and a revoked lab that comes back with a new key."""
import datetime
import json
import os
import shutil
import subprocess
import unittest

from consortium import AUDIT, COORDINATOR, Consortium, Lab, run

PEOPLE = [("committee-1", "data-committee", "uni-x", "university"), ("committee-2", "data-committee", "forum", "civil-society"),
          ("committee-3", "data-committee", "uni-x", "university"), ("chair", "steering", "forum", "civil-society")]


class Disclosure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Consortium(["uni-a", "uni-b"])
        cls.addClassCleanup(cls.ring.close)
        cls.keys = {}
        for name, _, _, _ in PEOPLE:  # the stock program makes the keys; ours sign with them
            secret, public = (os.path.join(cls.ring.folder, name + end) for end in (".key", ".pub"))
            subprocess.run(["minisign", "-G", "-W", "-s", secret, "-p", public], check=True, stdout=subprocess.DEVNULL)
            with open(public, encoding="utf-8") as file:
                cls.keys[name] = (secret, file.read().splitlines()[1])
        cls.appoint()
        path = cls.ring.write_campaign("trial", replicates=1, at_zero=1, temperatures="0.7", scenarios=2)
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("commit}", "commit, embargo_until: 2099-01-01, remediation_window: 90d}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        for lab in cls.ring.labs.values():
            lab.start()
        cls.ring.run_campaign(path)

    @classmethod
    def appoint(cls):
        """An edited roster: people of two kinds of organisation, and a threshold that asks for both."""
        import yaml
        ring = cls.ring
        roster = yaml.safe_load(ring.coordinator("roster", "show"))
        roster["thresholds"]["release"] = {"role": "data-committee", "sign": 2, "from": 2}
        for org in ("uni-x", "forum"):
            roster["organisations"].append({
                "id": org, "kind": next(kind for _, _, of, kind in PEOPLE if of == org), "interests": [{"funds": "nothing"}],
                "people": [{"id": name, "roles": [role], "sign": "minisign:" + cls.keys[name][1]}
                           for name, role, of, _ in PEOPLE if of == org]})
        edited, statement = os.path.join(ring.folder, "next.yaml"), os.path.join(ring.folder, "next.statement")
        with open(edited, "w", encoding="utf-8") as file:
            yaml.safe_dump(roster, file, sort_keys=False)
        ring.coordinator("roster", "update", edited, "--out", statement)
        code, out = ring.coordinator("roster", "update", edited, "--statement", statement, code=None)
        assert code, "a roster without signatures: " + out
        run(COORDINATOR, "roster", "sign", statement, "--key", os.path.join(ring.state, "keys", "root.key"))
        assert "in force" in ring.coordinator("roster", "update", edited, "--statement", statement)

    def path(self, name):
        return os.path.join(self.ring.folder, name)

    def refused(self, *words):
        code, out = self.ring.coordinator(*words, code=None)
        self.assertNotEqual(code, 0, out)
        return out

    def sign(self, statement, *names):
        for name in names:
            run(COORDINATOR, "release", "sign", statement, "--key", self.keys[name][0])

    def request(self, grant, what="results", *words):
        statement = self.path(grant + ".statement")
        self.ring.coordinator("release", "request", "trial", grant, "--what", what, "--purpose", "replication",
                              "--out", statement, *words)
        return statement

    def verdict(self, bundle, code):
        answer = json.JSONDecoder().raw_decode(run(AUDIT, "verify", bundle, "--json", code=code))[0]
        return {row["clause"]: row for row in answer["checks"]}

    def test_1_embargo_and_release(self):
        ring = self.ring
        self.assertIn("embargo until 2099", self.refused("bundle", "trial", "--out", self.path("early")))
        self.assertIn("embargo until 2099", self.refused("report", "trial", "--public"))
        self.assertIn("no organisation", self.refused("bundle", "trial", "--out", self.path("early"), "--for", "nobody"))
        self.assertIn("embargo", self.refused("bundle", "trial", "--out", self.path("early"), "--for", "forum"))

        statement = self.request("press")
        self.assertIn("threshold", self.signed_and_refused(statement, "committee-1"))
        self.sign(statement, "committee-3")  # two keys, one kind of organisation
        self.assertIn("threshold", self.refused("release", "grant", statement))
        out = run(COORDINATOR, "release", "sign", statement, "--key", self.keys["committee-1"][0], code=None)[1]
        self.assertIn("signed it already", out)
        self.sign(statement, "committee-2")
        ring.coordinator("release", "grant", statement)
        self.assertIn("in force", ring.coordinator("release", "list", "trial"))
        page = self.path("public.html")
        ring.coordinator("report", "trial", "--public", "--html", page)
        with open(page, encoding="utf-8") as file:
            self.assertIn("results to everyone until no end, for: replication", file.read())
        ring.coordinator("bundle", "trial", "--out", self.path("released"))
        self.assertEqual(self.verdict(self.path("released"), 0)["incidents"]["looked_at"], 1)

        self.refused("release", "revoke", "trial", "other", "--reason", "none such", "--key", self.keys["committee-1"][0])
        self.refused("release", "revoke", "trial", "press", "--reason", "not mine", "--key", self.keys["chair"][0])
        ring.coordinator("release", "revoke", "trial", "press", "--reason", "asked to wait", "--key",
                         self.keys["committee-1"][0])
        self.assertIn("embargo until 2099", self.refused("report", "trial", "--public"))
        self.assertIn("revoked", ring.coordinator("release", "list", "trial"))

        over = self.request("past", "results", "--until", "2020-01-01")
        self.sign(over, "committee-1", "committee-2")
        ring.coordinator("release", "grant", over)
        self.assertIn("embargo", self.refused("report", "trial", "--public"))
        to_forum = self.request("forum-only", "results", "--to", "forum")
        self.sign(to_forum, "committee-1", "committee-2")
        ring.coordinator("release", "grant", to_forum)
        ring.coordinator("bundle", "trial", "--out", self.path("forum"), "--for", "forum")
        self.assertIn("embargo", self.refused("report", "trial", "--public"))
        self.verdict(self.path("forum"), 0)

    def signed_and_refused(self, statement, name):
        self.sign(statement, name)
        return self.refused("release", "grant", statement)

    def test_2_redaction(self):
        bundle, ring = self.path("redacted"), self.ring
        operators = next(org["id"] for org in ring.roster()["organisations"]
                         if any("operator" in person["roles"] for person in org.get("people", [])))
        self.assertIn("2 objects were left out", ring.coordinator("bundle", "trial", "--out", bundle, "--for", operators,
                                                                  "--redact", "scenarios"))
        rows = self.verdict(bundle, 5)
        self.assertEqual([clause for clause, row in rows.items() if not row["ok"]], ["whole"])
        self.assertEqual(len(rows["whole"]["findings"]), 2)
        with open(os.path.join(bundle, "redacted.txt"), encoding="utf-8") as file:
            listed = file.read()
        digest = listed.split()[0]
        self.assertFalse(os.path.exists(os.path.join(bundle, "objects", digest[:2], digest[2:])))
        # The list excuses nothing but scenarios, and nothing that is there.
        for name, change in (("more", lambda text: text + "%s  zzz/more\n" % ("0" * 64)), ("none", lambda text: ""),
                             ("form", lambda text: text.replace("  ", " ", 1)), ("less", lambda text: text.splitlines(True)[0])):
            copy = bundle + "." + name
            shutil.copytree(bundle, copy)
            with open(os.path.join(copy, "redacted.txt"), "w", encoding="utf-8") as file:
                file.write(change(listed))
            rows = self.verdict(copy, 1)
            self.assertTrue(not rows["layout"]["ok"] or not rows["objects"]["ok"], name)
        result = os.path.join(bundle + ".result")  # a result cannot be left out
        shutil.copytree(bundle, result)
        for folder, _, names in os.walk(os.path.join(result, "objects")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    head = file.read(24)
                if head.startswith(b"ringtrial/v1 unit"):
                    victim = path
        gone = "".join(os.path.relpath(victim, os.path.join(result, "objects")).split(os.sep))
        os.remove(victim)
        with open(os.path.join(result, "redacted.txt"), "a", encoding="utf-8") as file:
            file.write("%s  units/x\n" % gone)
        rows = self.verdict(result, 1)
        self.assertFalse(rows["layout"]["ok"] and rows["units"]["ok"])

    def test_4_our_keys_in_minisign(self):
        keys, message = os.path.join(self.ring.state, "keys"), self.path("message.txt")
        with open(message, "w", encoding="utf-8") as file:
            file.write("signed by the stock program\n")
        subprocess.run(["minisign", "-S", "-W", "-s", os.path.join(keys, "operator.key"), "-m", message], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        subprocess.run(["minisign", "-V", "-q", "-p", os.path.join(keys, "operator.pub"), "-m", message], check=True)

    def test_3_a_lab_comes_back(self):
        ring = self.ring
        lab = ring.labs["uni-b"]
        first = next(key for key in labs_of(ring) if key["id"] == "uni-b")["sign"]
        lab.process.stop()
        os.rename(lab.folder, lab.folder + ".old")
        again = Lab(ring, "uni-b")
        enrolment = again.join()
        self.assertIn("revoke its key first", self.refused("roster", "admit", enrolment))
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
        ring.coordinator("roster", "revoke", "uni-b", "--reason", "rotated", "--at", soon, "--at-index", "9000")
        ring.coordinator("roster", "admit", enrolment)
        second = next(key for key in labs_of(ring) if key["id"] == "uni-b")["sign"]
        self.assertNotEqual(first, second)
        row = ring.roster()["revoked"][0]
        self.assertEqual((row["key"], row["successor"], row["at_index"], row["reason"]), (first, second, 9000, "rotated"))


def labs_of(ring):
    return [lab for org in ring.roster()["organisations"] for lab in org.get("labs", [])]


if __name__ == "__main__":
    unittest.main()
