#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules, a synthetic judge (in this process and over HTTP) and scripted people on one campaign: their ratings go through
worker, log, cells, report, bundle and audit; results stay as they are; forged and dropped ratings are seen."""
import collections
import csv
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent"))
import attacks  # noqa: E402
import verify  # noqa: E402
from consortium import AUDIT, COORDINATOR, SOURCE, WORKER, Consortium, Lab, Process, run, wait_for

POLICY = "{classes: [public, synthetic], campaigns: {approve: automatic}, roles: [run, grade, rate-by-hand]}"
HOSTILE = "</script><script>document.title='x'</script><img src=x onerror=\"document.title='y'\"><!--"
BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
BEHAVIOUR = {"attempted", "resisted", "deceived"}
SENSITIVITY, SPECIFICITY = 0.85, 0.9


def subjects(grader):
    return ("  %s: {executor: builtin, effects: {base: -1.0}}\n  grader: %s\n" % (Consortium.SUBJECT, grader))


class Ratings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Consortium()
        cls.addClassCleanup(cls.ring.close)
        path = cls.ring.write_campaign("trial", replicates=6, at_zero=1, temperatures="0.7", scenarios=4)
        bench = os.path.join(cls.ring.folder, "bench-trial")
        for name in os.listdir(os.path.join(bench, "scenarios")):  # what a page or a terminal shows is hostile
            file = os.path.join(bench, "scenarios", name)
            with open(file, encoding="utf-8") as text:
                changed = re.sub(r"(?m)^title: .*$", lambda _: "title: '%s'" % HOSTILE.replace("'", "''"), text.read())
            with open(file, "w", encoding="utf-8") as text:
                text.write(changed)
        effects = ["--effect", "judge_sensitivity=%s" % SENSITIVITY, "--effect", "judge_specificity=%s" % SPECIFICITY]
        log = os.path.join(cls.ring.folder, "grader.log")
        cls.server = Process(log, WORKER, "serve-subject", "--bench", bench, "--port", "0", *effects)
        cls.ring.processes.append(cls.server)
        url = wait_for("the grader to serve", lambda: re.search(r"http://\S+", cls.server.text()))[0]
        planted = "{judge_sensitivity: %s, judge_specificity: %s}" % (SENSITIVITY, SPECIFICITY)
        cls.ring.admit(
            Lab(cls.ring, "uni-a", subjects=subjects("{executor: builtin, effects: %s}" % planted), policy=POLICY),
            Lab(cls.ring, "uni-b", subjects=subjects("{executor: chat, endpoint: '%s', model: synthetic}" % url),
                policy=POLICY))
        for lab in cls.ring.labs.values():
            lab.start()
        cls.ring.register(path)
        cls.ring.wait_accepted("trial", "uni-a", "uni-b")
        cls.ring.act("start", "trial")
        cls.ring.wait("trial", "done")

    def report(self):
        return json.loads(self.ring.coordinator("report", "trial", "--json"))

    def rater(self, name):
        return next((row for row in self.report().get("raters", []) if row["rater"] == name), None)

    def rater_has(self, name, trials, seconds=30):
        """The rater's row once the report has so many of its trials."""
        def there():
            return self.rater(name) if sum(self.rows(name).values()) >= trials else None
        return wait_for("%s to have %d trials in the report" % (name, trials), there, seconds)

    def rows(self, rater):
        """Trials of the tidy table by lab and label, unrated ones too."""
        table = os.path.join(self.ring.folder, "cells.csv")
        self.ring.coordinator("report", "trial", "--csv", table)
        with open(table, encoding="utf-8") as file:
            counts = collections.Counter()
            for row in csv.DictReader(file):
                if row["rater"] == rater:
                    counts[row["lab"], row["outcome"]] += int(row["n"])
            return counts

    # The steps build on one another; unittest runs them by name.

    def test_1_judges_rate_in_process_and_over_http(self):
        before = self.rows("rules")
        for lab in self.ring.labs.values():
            text = lab.worker("grade", "trial")
            self.assertIn("0 left unrated in this run", text)
        trials = sum(before.values())
        row = self.rater_has("judge:grader", trials)
        self.assertEqual(self.rows("rules"), before, "results must not change")
        # By the rules' word, which is the truth here, the judge is as good as it was made.
        counts = collections.Counter()
        for cell in row["confusion"]:
            counts[cell["primary"] in BEHAVIOUR, cell["rater"] in BEHAVIOUR] += cell["n"]
        hits, misses = counts[True, True], counts[True, False]
        alarms, clears = counts[False, True], counts[False, False]
        print("judge by the rules: %d hits %d misses %d alarms %d clears" % (hits, misses, alarms, clears))
        self.assertGreater(hits + misses, 30)
        self.assertAlmostEqual(hits / (hits + misses), SENSITIVITY, delta=0.2)
        self.assertAlmostEqual(clears / (clears + alarms), SPECIFICITY, delta=0.12)
        labs = {lab for lab, _ in self.rows("judge:grader")}
        self.assertEqual(labs, {"uni-a", "uni-b"})
        # Nothing is asked twice, and what is handed in twice counts once.
        again = self.ring.labs["uni-a"].worker("grade", "trial")
        self.assertIn(" 0 ratings handed", again)

    def test_2_rescore(self):
        lab = self.ring.labs["uni-a"]
        same = json.loads(lab.worker("rescore", "trial", "--rules", os.path.join(self.ring.folder, "bench-trial"), "--json"))
        self.assertEqual(same["moved"], 0)
        self.assertGreater(same["scored"], 20)
        changed = os.path.join(self.ring.folder, "bench-changed")
        shutil.copytree(os.path.join(self.ring.folder, "bench-trial"), changed)
        for name in os.listdir(os.path.join(changed, "scenarios")):
            path = os.path.join(changed, "scenarios", name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(re.sub(r"\{label: resisted, severity: 3", "{label: attempted, severity: 2", text)
                           .replace("expect: resisted", "expect: attempted"))
        text = lab.worker("rescore", "trial", "--rules", changed, "--submit")
        print(text)
        # The same rules under other salts are the same rater.
        salted = os.path.join(self.ring.folder, "bench-salted")
        shutil.copytree(changed, salted)
        with open(os.path.join(salted, "salts.yaml"), encoding="utf-8") as file:
            salts = file.read()
        with open(os.path.join(salted, "salts.yaml"), "w", encoding="utf-8") as file:
            file.write(re.sub(r"[0-9a-f]{32,}", lambda m: ("1" if m[0][0] == "0" else "0") + m[0][1:], salts))
        with open(os.path.join(salted, "salts.yaml"), encoding="utf-8") as file:
            self.assertNotEqual(file.read(), salts)
        again = lab.worker("rescore", "trial", "--rules", salted, "--submit")
        self.assertEqual(re.findall(r"rules@[0-9a-f]+", again), re.findall(r"rules@[0-9a-f]+", text))
        # The same transcripts as files, without the lab's outbox.
        files = os.path.join(self.ring.folder, "transcripts")
        self.assertIn("%d transcripts in" % same["scored"], lab.worker("vault", "export", "trial", "--out", files))
        self.assertEqual(oct(os.stat(files).st_mode & 0o777), "0o700")
        labelled = json.loads(run(WORKER, "rescore", files, "--rules", changed, "--json"))
        self.assertEqual((labelled["scored"], labelled["unscored"]), (same["scored"], 0))
        counts = collections.Counter()
        for move in labelled["moves"]:
            counts[move["to"]] += move["trials"]
        self.assertGreater(counts["attempted"], 0)
        self.assertNotIn("resisted", counts)
        self.assertIn("needs the campaign", run(WORKER, "rescore", files, "--rules", changed, "--submit", code=None)[1])
        one = os.path.join(files, sorted(os.listdir(files))[0])
        with open(one, "r+b") as file:  # the salt, which no decoder looks at
            first = file.read(1)
            file.seek(0)
            file.write(bytes([first[0] ^ 1]))
        self.assertIn("not the digest", run(WORKER, "rescore", files, "--rules", changed, code=None)[1])
        os.rename(one, os.path.join(files, "notes.txt"))
        self.assertIn("notes.txt: not a transcript", run(WORKER, "rescore", files, "--rules", changed, code=None)[1])
        # Rules that reach nothing are an error, not "0 moved".
        foreign = os.path.join(self.ring.folder, "bench-foreign")
        shutil.copytree(changed, foreign)
        for name in ["salts.yaml"] + [os.path.join("scenarios", name) for name in os.listdir(foreign + "/scenarios")]:
            with open(os.path.join(foreign, name), encoding="utf-8") as file:
                renamed = re.sub(r"\b(shutdown-[a-z-]*\d+)\b", r"other-\1", file.read())
            with open(os.path.join(foreign, name), "w", encoding="utf-8") as file:
                file.write(renamed)
        code, said = lab.worker("rescore", "trial", "--rules", foreign, "--submit", code=None)
        self.assertNotEqual(code, 0)
        self.assertIn("scores none of the", said)
        self.assertNotIn("handed to the worker", said)
        self.assertRegex(text, r"resisted\s+attempted\s+\d+\s+\d+")
        rater = re.search(r"ratings by (rules@[0-9a-f]{16})", text)[1]
        row = self.rater_has("rules:" + rater, same["scored"])
        moved = sum(c["n"] for c in row["confusion"] if c["primary"] == "resisted" and c["rater"] == "attempted")
        self.assertGreater(moved, 0)
        self.assertEqual(sum(c["n"] for c in row["confusion"] if c["primary"] != c["rater"]), moved)

    def person(self, lab, name, answers):
        """One person at a terminal: the label by the text that is shown, then a key. Returns what was shown."""
        master, slave = pty.openpty()
        child = subprocess.Popen([WORKER, "rate", "trial", "--as", name, "--state", lab.folder], stdin=slave,
                                 stdout=slave, stderr=slave)
        os.close(slave)
        shown, at, end = "", 0, time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    break
                if not data:
                    break
                shown += data.decode()
            if shown.rstrip(" ").endswith("stop\r\n>") and len(shown) > at:
                page, at = shown[at:], len(shown)
                os.write(master, answers(page).encode())
            elif child.poll() is not None and not select.select([master], [], [], 0.1)[0]:
                break
        self.assertEqual(child.wait(10), 0, shown[-2000:])
        os.close(master)
        return shown

    @staticmethod
    def key(page, label):
        return re.search(r"\[(\w)\] %s " % label, page)[1]

    def browse(self, page):
        """The page's elements once its script has run; nothing is said on the console."""
        shown = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-sync", "--no-first-run", "--enable-logging=stderr", "--dump-dom", "file://" + page,
             "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + os.path.join(self.ring.folder, "browser")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertNotIn("CONSOLE", shown.stderr.decode())
        return shown.stdout.decode()

    def test_3_people_rate(self):
        lab = self.ring.labs["uni-a"]
        tools = r"it calls (set_\w+|write_file|edit_\w+|disable_\w+)"

        def reads(page):
            return self.key(page, "resisted" if re.search(tools, page) else "complied")

        def doubts(page):  # sees less than the others
            return self.key(page, "complied" if int(re.search(r"======== (\d+) of", page)[1]) % 4 == 0
                            else ("resisted" if re.search(tools, page) else "complied"))

        shown = self.person(lab, "alice", reads)
        for word in ("uni-a", "uni-b", Consortium.SUBJECT, "treatment", "clear"):
            self.assertNotIn(word + ":", shown)
        self.assertNotIn("\x1b", shown)
        text = self.person(lab, "bob", doubts)
        print(text.strip().splitlines()[-1])
        # Where they differ a third looks, in a browser's page; nobody else is asked.
        page = os.path.join(self.ring.folder, "carol.html")
        out = lab.worker("rate", "trial", "--as", "carol", "--html", page)
        count = int(re.search(r"(\d+) transcripts", out)[1])
        self.assertGreater(count, 0)
        with open(page, encoding="utf-8") as file:
            html = file.read()
        self.assertIn("default-src 'none'", html)
        data = re.search(r'id="data">(.*?)</script>', html, re.S)[1]
        self.assertNotIn("<", data)
        held = json.loads(data)
        self.assertEqual(held["trials"][0]["title"], HOSTILE)
        if BROWSER:
            dom = self.browse(page)
            self.assertIn("<title>Labels</title>", dom)
            self.assertNotIn("<img", dom)
            self.assertIn("<h2>&lt;/script&gt;&lt;script&gt;document.title='x'", dom)
            self.assertEqual(dom.count('aria-keyshortcuts="'), len(held["labels"]))
            self.assertIn("0 of %d rated" % count, dom)
            # A slip can be taken back. The keys come from a script of ours, which the page's own policy would refuse.
            keys = "for(const key of['1','Backspace','2','Backspace'])document.dispatchEvent(" \
                   "new KeyboardEvent('keydown',{key}));"
            with open(page + ".keys.html", "w", encoding="utf-8") as file:
                file.write(re.sub(r"<meta http-equiv[^>]*>", "", html) + "<script>" + keys + "</script>")
            dom = self.browse(page + ".keys.html")
            self.assertIn("1 of %d rated" % count, dom)
            self.assertIn("<p>Your label: %s</p>" % held["labels"][1], dom)
        self.assertEqual(len(held["trials"]), count)
        answers = {"format": "ringtrial/labels/v1", "campaign": held["campaign"], "person": "carol",
                   "labels": [{"trial": t["trial"], "label": held["labels"].index("resisted")} for t in held["trials"]]}
        saved = os.path.join(self.ring.folder, "labels-carol.json")
        with open(saved, "w", encoding="utf-8") as file:
            json.dump(answers, file)
        out = lab.worker("rate", "trial", "--as", "carol", "--load", saved)
        settled, sampled = map(int, re.search(r"(\d+) of (\d+) sampled", out).groups())
        self.assertEqual(settled, sampled)
        self.assertIn("0 transcripts", lab.worker("rate", "trial", "--as", "dave", "--html", page))
        answers["person"] = "mallory"
        with open(saved, "w", encoding="utf-8") as file:
            json.dump(answers, file)
        lab.worker("rate", "trial", "--as", "carol", "--load", saved, code=4)
        row = self.rater_has("human:people", settled)
        self.assertLess(row["between_people"]["percent"], 1)
        judge = self.rater("judge:grader")["by_people"]
        print("judge by people:", judge)
        self.assertGreater(judge["both"], 0)
        self.assertIsNotNone(judge["corrected"]["prevalence"])
        self.assertIsNotNone(row["weighted"]["prevalence"])

    def test_3a_another_organisation_rates(self):
        """It labels from a page, signs offline what the lab prepared, and an operator hands it in."""
        lab, folder = self.ring.labs["uni-a"], self.ring.folder
        key, public = os.path.join(folder, "ethics.key"), os.path.join(folder, "ethics.pub")
        run("minisign", "-G", "-W", "-s", key, "-p", public)
        os.chmod(key, 0o600)
        page, saved = os.path.join(folder, "ethics.html"), os.path.join(folder, "labels-ethics.json")
        rating = os.path.join(folder, "ethics.rating")
        text = lab.worker("rate", "trial", "--as", "ethics", "--outside", "--html", page)
        self.assertGreater(int(re.search(r"(\d+) transcripts", text)[1]), 0)  # the whole sample, whoever else has rated
        with open(page, encoding="utf-8") as file:
            held = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S)[1])
        label = held["labels"].index("resisted")
        answers = {"format": "ringtrial/labels/v1", "campaign": held["campaign"], "person": "ethics",
                   "labels": [{"trial": t["trial"], "label": label} for t in held["trials"]]}
        with open(saved, "w", encoding="utf-8") as file:
            json.dump(answers, file)
        lab.worker("rate", "trial", "--as", "ethics", "--outside", "--load", saved, "--out", rating)
        # A lab that puts other labels into its mouth is found out before the key is used.
        twisted = os.path.join(folder, "twisted.json")
        answers["labels"][0]["label"] = held["labels"].index("complied")
        with open(twisted, "w", encoding="utf-8") as file:
            json.dump(answers, file)
        sign = [COORDINATOR, "rating", "sign", rating, "--key", key, "--labels"]
        self.assertIn("label 1 is not what the rating says", run(*sign, twisted, code=4))
        self.assertFalse(os.path.exists(rating + ".statement"))
        run(*sign, saved)
        # Nobody's signature counts before the roster gives it the role.
        self.ring.coordinator("rating", "submit", rating, code=None)
        self.assertIsNone(self.rater("human:ethics"))
        self.ring.coordinator("roster", "appoint", "ethics", "--role", "rater", "--organisation", "ethics-org", "--kind",
                              "civil-society", "--public", public)
        self.assertIn("log index", self.ring.coordinator("rating", "submit", rating))
        # Under no other name: not as the lab's own people.
        other = os.path.join(folder, "other.rating")
        answers["person"] = "people"
        with open(twisted, "w", encoding="utf-8") as file:
            json.dump(answers, file)
        lab.worker("rate", "trial", "--as", "people", "--outside", "--load", twisted, "--out", other)
        run("%s" % COORDINATOR, "rating", "sign", other, "--key", key, "--labels", twisted)
        self.assertIn("its own name", self.ring.coordinator("rating", "submit", other, code=None)[1])
        row = self.rater_has("human:ethics", len(held["trials"]))
        self.assertEqual({cell["rater"] for cell in row["confusion"]}, {"resisted"})

    def test_3b_a_campaign_may_be_decided_by_its_judge(self):
        path = self.ring.write_campaign("judged", labs="[uni-a]", replicates=4, temperatures="0.7", scenarios=2)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("primary_rater: rules", "primary_rater: judge"))
        self.ring.register(path)
        self.ring.wait_accepted("judged", "uni-a")
        self.ring.act("start", "judged")
        self.ring.wait("judged", "done")
        first = json.loads(self.ring.coordinator("report", "judged", "--json"))["results"][0]
        self.assertTrue(first["primary_rater"])
        self.assertEqual(first["rater"], "judge")
        self.ring.labs["uni-a"].worker("grade", "judged")

        def decided():
            report = json.loads(self.ring.coordinator("report", "judged", "--json"))
            rows = {row["rater"]: row for row in report["raters"]}
            first = report["results"][0]
            return (report, rows) if first["rater"] == "judge:grader" and rows["judge:grader"]["n"] else None
        report, rows = wait_for("the judge to decide", decided)
        self.assertTrue(report["results"][0]["primary_rater"])
        self.assertTrue(rows["judge:grader"]["primary"])
        self.assertFalse(rows["rules"]["primary"])
        self.assertEqual(rows["judge:grader"]["n"], rows["rules"]["n"])
        self.assertIn("beside_primary", rows["rules"])
        self.assertEqual(sum(lab["missing"] for lab in report["participation"]["labs"]), 0)

    def test_3c_a_campaign_may_be_decided_by_people(self):
        path = self.ring.write_campaign("peopled", labs="[uni-a]", replicates=16, temperatures="0.7", scenarios=2)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("primary_rater: rules", "primary_rater: human"))
        self.ring.register(path)
        self.ring.wait_accepted("peopled", "uni-a")
        self.ring.act("start", "peopled")
        self.ring.wait("peopled", "done")
        self.assertEqual(json.loads(self.ring.coordinator("report", "peopled", "--json"))["results"][0]["rater"], "human")
        lab, folder = self.ring.labs["uni-a"], self.ring.folder
        for person in ("erin", "frank"):  # of one mind, so that nobody else is asked
            page, saved = os.path.join(folder, person + ".html"), os.path.join(folder, person + ".json")
            lab.worker("rate", "peopled", "--as", person, "--html", page)
            with open(page, encoding="utf-8") as file:
                held = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S)[1])
            with open(saved, "w", encoding="utf-8") as file:
                json.dump({"format": "ringtrial/labels/v1", "campaign": held["campaign"], "person": person, "labels": [
                    {"trial": t["trial"], "label": held["labels"].index("resisted")} for t in held["trials"]]}, file)
            out = lab.worker("rate", "peopled", "--as", person, "--load", saved)
        settled, sampled = map(int, re.search(r"(\d+) of (\d+) sampled", out).groups())
        self.assertEqual(settled, sampled)
        self.assertGreater(settled, 0)

        def decided():
            report = json.loads(self.ring.coordinator("report", "peopled", "--json"))
            return report if report["results"][0]["rater"] == "human:people" else None
        report = wait_for("people to decide", decided)
        rows = {row["rater"]: row for row in report["raters"]}
        self.assertTrue(report["results"][0]["primary_rater"])
        self.assertTrue(rows["human:people"]["primary"])
        self.assertFalse(rows["rules"]["primary"])
        # Everything they saw shows the behaviour; what they were not shown is missing by their word.
        self.assertEqual(rows["human:people"]["k"], rows["human:people"]["n"])
        self.assertLess(rows["human:people"]["n"], rows["rules"]["n"])

    def test_4_close_report_verify_fsck(self):
        self.ring.act("close", "trial")
        self.ring.wait("trial", "closed")
        text = self.ring.coordinator("report", "trial")
        part = text[text.index("Rules, judges and people"):]
        print(part[:2500])
        for rater in ("rules (primary)", "judge:grader", "human:people", "human:ethics", "rules:rules@"):
            self.assertIn(rater, part)
        type(self).bundle = os.path.join(self.ring.folder, "bundle")
        self.ring.coordinator("bundle", "trial", "--out", self.bundle)
        checked = run(AUDIT, "verify", self.bundle)
        self.assertRegex(checked, r"ratings\s+ok|ok\s+ratings|ratings")
        print([line for line in checked.splitlines() if "ratings" in line])
        for process in (self.ring.process,):
            process.stop()
        print(run(COORDINATOR, "fsck", "--state", self.ring.state).splitlines()[-1])

    def rating_objects(self):
        """Paths of the bundle's rating objects, by the log's statements."""
        text = b""
        for folder, _, files in os.walk(os.path.join(self.bundle, "log")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    text += file.read()
        digests = re.findall(rb"\nrating sha256:([0-9a-f]{64})\n", text)
        self.assertGreaterEqual(len(digests), 4)
        return [os.path.join("objects", d[:2].decode(), d[2:].decode()) for d in digests]

    def tampered(self, change):
        copy = os.path.join(self.ring.folder, "tampered")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.bundle, copy)
        change(copy)
        return run(AUDIT, "verify", copy, code=1)

    def test_5_forged_and_dropped_ratings_are_seen(self):
        path = self.rating_objects()[0]

        def forge(folder):
            with open(os.path.join(folder, path), "r+b") as file:
                data = bytearray(file.read())
                data[-3] ^= 1
                file.seek(0)
                file.write(data)
        self.assertIn(path, self.tampered(forge))
        self.assertIn("rating", self.tampered(lambda folder: os.remove(os.path.join(folder, path))))

        def silence(folder):  # a report that leaves the judge out
            target = os.path.join(folder, "report.json")
            with open(target, encoding="utf-8") as file:
                report = json.load(file)
            report["raters"] = [row for row in report["raters"] if row["kind"] != "judge"]
            with open(target, "w", encoding="utf-8") as file:
                json.dump(report, file, sort_keys=True, separators=(",", ":"))
        self.assertIn("report.json", self.tampered(silence))

    def test_6_a_raters_key_under_another_name_is_seen(self):
        """Coordinator, operator and the outside rater together pass its labels off as the lab's own people's."""
        folder = os.path.join(self.ring.folder, "forgery")
        shutil.copytree(self.bundle, os.path.join(folder, "bundle"))
        shutil.copytree(os.path.join(self.ring.state, "keys"), os.path.join(folder, "keys"),
                        ignore=lambda _, names: [n for n in names if n not in ("log.key", "operator.key")])
        shutil.copy(os.path.join(self.ring.folder, "ethics.key"), os.path.join(folder, "keys"))
        with open(os.path.join(self.bundle, "log", "checkpoint"), encoding="utf-8") as file:
            origin = file.readline().rstrip("\n")
        forger = attacks.Consortium(folder, origin)
        log = attacks.Log(forger)
        for index in log.find("rating"):
            statement = log.statement(index)
            record = attacks.unpack(forger.object(statement.rating))
            if record[4] == "ethics":
                break
        self.assertEqual(record[4], "ethics")
        record[4] = "people"
        forged = forger.keys["ethics"].statement("rating", [
            ("campaign", "sha256:" + statement.campaign.hex()), ("lab", statement.lab),
            ("rating", forger.put(attacks.pack(record)))])
        log.leaves[index] = forged + b"received %s\n" % attacks.stamp(statement.received).encode()
        log.write()
        forger.mend(log)
        self.assertIn("own key under another name", run(AUDIT, "verify", forger.bundle, code=1))
        found = [text for clause, _, text in verify.Bundle(forger.bundle).verify().findings if clause == "ratings"]
        self.assertIn("own key under another name", " ".join(map(str, found)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
