#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Endpoints that are missing, overloaded, broken, silent or restarted: what can be asked again is asked
again, what cannot is counted as missing and never as an outcome, and the lab beside is not disturbed."""
import itertools
import json
import os
import time
import unittest

from consortium import Consortium, free_port, wait_for
from endpoint import Server, Subject
from evidence import Bundle

CHAT = "  synthetic-8b: {executor: chat, endpoint: \"%s\", model: synthetic, concurrency: 8, timeout: %s}\n"
SMALL = dict(replicates=2, at_zero=1, seeds="shared", phrasings="[p1, p3]", scenarios=2, temperatures="0.0, 1.0")
CANARIES = 6


def after_probe(answer):
    """An endpoint that answers the probe's canaries and breaks then."""
    asked = itertools.count()
    fine = b'{"choices": [{"message": {"role": "assistant", "content": "MARIGOLD"}, "finish_reason": "stop"}]}'
    return lambda *words: (200, {}, fine) if next(asked) < CANARIES else answer(*words)


class Endpoints(unittest.TestCase):
    def lab(self, c, name, url, timeout="5s"):
        c.labs[name].subjects = CHAT % (url, timeout)
        c.labs[name].write()

    def begin(self, c, **design):
        path = c.write_campaign(**{**SMALL, **design})
        for lab in c.labs.values():
            lab.start()
        c.register(path)
        c.wait_accepted("trial", *c.labs)
        c.act("start", "trial")

    def finish(self, c):
        """Close; the campaign and what the bundle counts."""
        c.act("close", "trial")
        c.wait("trial", "closed", 30)
        folder = os.path.join(c.folder, "bundle")
        c.coordinator("bundle", "trial", "--out", folder)
        bundle = Bundle(folder)
        campaign = bundle.campaign()
        with open(os.path.join(folder, "report.json")) as file:
            report = json.load(file)
        rows = {row["lab"]: row for row in report["participation"]["labs"]}
        return campaign, bundle.recount(campaign), rows

    def test_faults_that_pass(self):
        """Every kind of fault now and then: the outcomes are the builtin lab's all the same."""
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            c.write_campaign(**SMALL)
            faults = "429:4,429date:1,408:2,500:4,503:3,400:1,garbage:2,html:1,empty:1,huge:1,close:2,hang:2"
            subject = Subject(c, os.path.join(c.folder, "bench-trial"), "--fault", faults, "--fault-every", "9")
            self.lab(c, "uni-b", subject.url, "2s")
            self.begin(c)
            c.wait("trial", "done", 90)
            campaign, counted, rows = self.finish(c)
            planned = campaign.planned("uni-a")
            self.assertEqual({n for lab, n in counted if lab == "uni-b"}, planned)
            different = {n: (counted["uni-a", n][:3], counted["uni-b", n][:3]) for n in planned
                         if counted["uni-a", n][:3] != counted["uni-b", n][:3]}
            self.assertEqual(different, {})
            self.assertEqual((rows["uni-b"]["missing"], rows["uni-a"]["missing"]), (0, 0))

    def test_missing_endpoint(self):
        """Nothing listens: no unit is taken, the log says which URL, and it goes on once something does."""
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            port = free_port()
            self.lab(c, "uni-b", "http://127.0.0.1:%d/v1" % port)
            self.begin(c)
            lab = c.labs["uni-b"]
            wait_for("a word about the endpoint", lambda: "subject cannot be used" in lab.process.text())
            self.assertIn("127.0.0.1:%d" % port, lab.process.text())
            wait_for("uni-a", lambda: c.lab_status("trial", "uni-a")["final"] == c.lab_status("trial", "uni-a")["planned"])
            row = c.lab_status("trial", "uni-b")
            self.assertEqual((row["final"], row["tentative"], row["outstanding"]), (0, 0, 0))
            self.assertIn("uni-b", c.coordinator("explain", "uni-b"))
            Subject(c, os.path.join(c.folder, "bench-trial"), "--port", str(port))
            c.wait("trial", "done", 60)
            self.assertEqual(self.finish(c)[2]["uni-b"]["missing"], 0)

    def test_endpoint_goes_away_and_comes_back(self):
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            c.write_campaign(**SMALL)
            bench = os.path.join(c.folder, "bench-trial")
            port = free_port()
            subject = Subject(c, bench, "--port", str(port))
            self.lab(c, "uni-b", subject.url)
            self.begin(c, replicates=12, unit="{trials: 8, attempts: 3, reissue_after: 30s, accept_until: 1h}")
            wait_for("some results", lambda: c.lab_status("trial", "uni-b")["final"] > 8)
            subject.process.kill()
            time.sleep(1)
            Subject(c, bench, "--port", str(port))
            c.wait("trial", "done", 90)
            campaign, counted, rows = self.finish(c)
            self.assertEqual(rows["uni-b"]["missing"], 0)
            for n in campaign.planned("uni-a"):
                self.assertEqual(counted["uni-a", n][:3], counted["uni-b", n][:3])

    def test_endpoints_that_never_work(self):
        """500, garbage and 429 for ever, and silence: attempts end, trials are missing, none is an outcome."""
        endless = {"uni-b": lambda *_: (500, {}, b'{"error": {"message": "out of memory", "type": "server_error"}}'),
                   "uni-c": lambda *_: (200, {}, b'{"choices": [{"message": {"content": "never'),
                   "uni-d": lambda *_: (429, {"Retry-After": "0"}, b'{"error": "slow down"}'),
                   "uni-e": lambda *_: None}
        with Consortium(labs=["uni-a"] + list(endless)) as c:
            for name, answer in endless.items():
                server = Server(after_probe(answer) if name != "uni-e" else answer)
                c.processes.append(server)
                self.lab(c, name, server.url, "1s")
            self.begin(c, phrasings="[p1]", scenarios=1, replicates=1, temperatures="1.0",
                       unit="{trials: 8, attempts: 2, reissue_after: 30s, accept_until: 1h}")
            wait_for("uni-a", lambda: c.lab_status("trial", "uni-a")["final"] == 3, 30)

            def over(name):
                """All attempts used up; or no answer to the probe, so that no unit is taken at all."""
                row = c.lab_status("trial", name)
                self.assertEqual(row["final"], 0, (name, row))
                return row["exhausted"] == row["planned"] or (
                    row["tentative"] == 0 and "subject cannot be used" in c.labs[name].process.text())

            for name in endless:
                wait_for(name + " to give up", lambda: over(name), 60)
            campaign, counted, rows = self.finish(c)
            self.assertEqual(rows["uni-a"]["missing"], 0)
            for name in endless:
                self.assertEqual((rows[name]["counted"], rows[name]["missing"]), (0, 3), name)
                self.assertEqual(rows[name]["instrument_failures"] + rows[name]["not_returned"], 3)
                for (lab, _), trial in counted.items():
                    self.assertTrue(lab != name or trial[0] in ("error", "timeout"))

    def test_a_hanging_endpoint_does_not_hold_the_worker(self):
        """SIGTERM ends a worker within seconds while its endpoint is silent."""
        with Consortium(labs=["uni-a"]) as c:
            asked = []
            server = Server(lambda *_: asked.append(1))
            c.processes.append(server)
            self.lab(c, "uni-a", server.url, "30s")
            self.begin(c)
            wait_for("a request", lambda: asked)
            start = time.monotonic()
            code = c.labs["uni-a"].process.stop(15)
            self.assertEqual(code, 0)
            self.assertLess(time.monotonic() - start, 5)


if __name__ == "__main__":
    unittest.main()
