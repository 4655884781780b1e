#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Endpoints that are missing, overloaded, broken, silent or restarted: what can be asked again is asked
again, what cannot is counted as missing and never as an outcome, and the lab beside is not disturbed."""
import itertools
import json
import os
import subprocess
import time
import unittest

from consortium import Consortium, free_port, wait_for
from endpoint import Proxy, Server, Subject, certificate, refused_port
from evidence import FINAL, Bundle
from misbehaving import ENDED, HARMLESS, HEALED, Misbehaving

CHAT = "  synthetic-8b: {executor: chat, endpoint: \"%s\", model: synthetic, concurrency: 8, timeout: %s}\n"
SMALL = dict(replicates=2, at_zero=1, seeds="shared", phrasings="[p1, p3]", scenarios=2, temperatures="0.0, 1.0")
CANARIES = 6


def after_probe(answer):
    """An endpoint that answers the probe's canaries and breaks then."""
    asked = itertools.count()
    fine = b'{"choices": [{"message": {"role": "assistant", "content": "MARIGOLD"}, "finish_reason": "stop"}]}'
    return lambda *words: (200, {}, fine) if next(asked) < CANARIES else answer(*words)


def vault_objects(folder):
    """Every object of a lab's vault: records of "RTV1", two sizes, a digest and a zstd frame (worker/vault.c)."""
    for place, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(place, name), "rb") as file:
                data = file.read()
            at = 0
            while data[at:at + 4] == b"RTV1":
                size = int.from_bytes(data[at + 8:at + 12], "big")
                frame = data[at + 44:at + 44 + size]
                yield subprocess.run(["zstd", "-dcq"], input=frame, stdout=subprocess.PIPE, check=True).stdout
                at += 44 + size


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

    def test_every_way_to_misbehave(self):
        """All of them in one campaign: no trial is lost, none is counted twice, and the outcomes are the builtin lab's."""
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            c.write_campaign(**SMALL)
            subject = Subject(c, os.path.join(c.folder, "bench-trial"))
            # What ends an attempt is spread out, so that the worker never sees a row of failures.
            ended = list(ENDED)
            mild = ["closed after a reply"] + list(HEALED) + list(HARMLESS)
            ways = [way for i, mild_way in enumerate(mild) for way in [mild_way] + ended[i:i + 1]] + mild
            server = Misbehaving(subject.port, ways, every=4)
            c.processes.append(server)
            self.lab(c, "uni-b", server.url, "2s")
            self.begin(c, replicates=4, scenarios=4, unit="{trials: 8, attempts: 5, reissue_after: 30s, accept_until: 1h}")
            c.wait("trial", "done", 120)
            self.assertEqual(server.ways, [], "every way was met")
            log = c.labs["uni-b"].process.text()
            for way, (_, words) in ENDED.items():
                self.assertIn(words, log, way)
            failed = log.count("trial failed")
            self.assertEqual(failed, len(ENDED), "what is healed fails no attempt")
            campaign, counted, rows = self.finish(c)
            planned = campaign.planned("uni-a")
            self.assertEqual({n for lab, n in counted if lab == "uni-b"}, planned)
            self.assertEqual({n: (counted["uni-a", n][:3], counted["uni-b", n][:3]) for n in planned
                              if counted["uni-a", n][:3] != counted["uni-b", n][:3]}, {})
            self.assertEqual((rows["uni-b"]["missing"], rows["uni-b"]["counted"]), (0, rows["uni-a"]["counted"]))
            finals = [n for lab, n, status, *_ in Bundle(os.path.join(c.folder, "bundle")).arrivals(campaign)
                      if lab == "uni-b" and status in FINAL]
            self.assertEqual(len(finals), len(set(finals)), "each trial ran to its end once")

    def test_arguments_that_are_no_object(self):
        """What the subject wrote is recorded and answered with an error text; the trial goes on and counts."""
        with Consortium(labs=["uni-a"]) as c:
            c.write_campaign(**SMALL)
            subject = Subject(c, os.path.join(c.folder, "bench-trial"))
            broken = []

            def edit(_, reply):
                for call in reply["choices"][0]["message"].get("tool_calls") or []:
                    call["function"]["arguments"] = ('{"path": "/et', "", "[1]", "null", '"x"')[len(broken) % 5]
                    broken.append(1)
                return reply

            proxy = Proxy(subject.port, edit)
            c.processes.append(proxy)
            self.lab(c, "uni-a", proxy.url)
            self.begin(c)
            c.wait("trial", "done", 60)
            campaign, counted, _ = self.finish(c)
            self.assertGreater(len(broken), 20)
            self.assertEqual({n for _, n in counted}, campaign.planned("uni-a"))
            self.assertLessEqual({trial[0] for trial in counted.values()}, FINAL)
            self.assertNotIn("trial failed", c.labs["uni-a"].process.text())

    def test_several_endpoints(self):
        """One that works is enough: what the others fail at is asked again there, and no attempt is spent."""
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            c.write_campaign(**SMALL)
            bench = os.path.join(c.folder, "bench-trial")
            good, other = Subject(c, bench), Subject(c, bench)
            locked = Server(lambda *_: (401, {}, b'{"error": {"message": "who are you"}}'))
            broken = Server(lambda *_: (500, {}, b'{"error": "out of memory"}'))
            c.processes += [locked, broken]
            urls = [other.url, "http://127.0.0.1:%d/v1" % refused_port(), locked.url, broken.url, good.url]
            lab = c.labs["uni-b"]
            lab.subjects = ("  synthetic-8b: {executor: chat, endpoints: [%s], model: synthetic, concurrency: 8, timeout: 5s}\n"
                            % ", ".join('"%s"' % url for url in urls))
            lab.write()
            self.begin(c, replicates=6, scenarios=4)
            wait_for("some results", lambda: c.lab_status("trial", "uni-b")["final"] > 8)
            other.process.kill()
            c.wait("trial", "done", 90)
            campaign, counted, rows = self.finish(c)
            self.assertEqual(rows["uni-b"]["missing"], 0)
            self.assertEqual([n for n in campaign.planned("uni-a") if counted["uni-a", n][:3] != counted["uni-b", n][:3]], [])
            self.assertNotIn("trial failed", lab.process.text())

    def test_a_proxy_and_further_headers(self):
        """`proxy:` is used and the environment's is not; `headers:` arrive; connections are kept."""
        with Consortium(labs=["uni-a"]) as c:
            c.write_campaign(**SMALL)
            subject = Subject(c, os.path.join(c.folder, "bench-trial"))
            proxy = Proxy(subject.port)
            c.processes.append(proxy)
            lab = c.labs["uni-a"]
            lab.subjects = ("  synthetic-8b: {executor: chat, endpoint: \"http://model.invalid:8000/v1\", model: synthetic, "
                            "proxy: \"http://127.0.0.1:%d\", headers: {X-Project: donated}, concurrency: 4, "
                            "token_limit: both}\n" % proxy.port)
            lab.write()
            path = c.write_campaign(**SMALL)
            lab.start(env={"http_proxy": "http://127.0.0.1:%d" % refused_port(), "no_proxy": "*"})
            c.register(path)
            c.wait_accepted("trial", "uni-a")
            c.act("start", "trial")
            c.wait("trial", "done", 60)
            campaign, counted, _ = self.finish(c)
            self.assertEqual({n for _, n in counted}, campaign.planned("uni-a"))
            self.assertEqual({headers["X-Project"] for _, _, headers, _ in proxy.exchanges}, {"donated"})
            self.assertEqual({headers["Host"] for _, _, headers, _ in proxy.exchanges}, {"model.invalid:8000"})
            for _, _, _, request in proxy.exchanges:
                self.assertEqual(request["max_tokens"], request["max_completion_tokens"])
            self.assertLessEqual(proxy.connections, 4)

    def test_another_model_behind_the_same_address(self):
        """What a swapped model says does not count as the other's: the lab takes a new fingerprint or holds."""
        with Consortium(labs=["uni-a"]) as c:
            c.write_campaign(**SMALL)
            subject = Subject(c, os.path.join(c.folder, "bench-trial"))
            replies = []

            def edit(request, reply):
                replies.append(1)
                reply["model"] = "llama-q8" if len(replies) <= 40 else "llama-q4"
                return reply

            proxy = Proxy(subject.port, edit)
            c.processes.append(proxy)
            self.lab(c, "uni-a", proxy.url)
            self.begin(c, replicates=4)
            lab = c.labs["uni-a"]
            wait_for("the worker to notice", lambda: "answers as model llama-q4 now, and as llama-q8 before" in lab.process.text(), 30)
            self.assertNotIn("trial failed", lab.process.text())
            before = c.lab_status("trial", "uni-a")["final"]
            self.assertLess(before, c.lab_status("trial", "uni-a")["planned"])

    def test_certificates_and_keys(self):
        """An unknown CA is refused before any unit; the key is sent, and stands in no log and no transcript."""
        key = "sk-sesame-0123456789"
        with Consortium(labs=["uni-a"]) as c:
            c.write_campaign(**SMALL)
            secret = os.path.join(c.folder, "key")
            with open(secret, "w") as file:
                file.write(key + "\n")
            os.chmod(secret, 0o600)
            subject = Subject(c, os.path.join(c.folder, "bench-trial"), "--key-file", secret)
            told = []

            def echo(request, reply):
                """A server that repeats the key in what it says, as some do in their errors."""
                reply["choices"][0]["message"]["reasoning"] = "I was given " + key
                told.append(1)
                return reply

            proxy = Proxy(subject.port, echo, certificate=certificate(c.folder))
            c.processes.append(proxy)
            lab = c.labs["uni-a"]
            chat = "  synthetic-8b: {executor: chat, endpoint: \"%s\", model: synthetic%s}\n"
            lab.subjects = chat % (proxy.url, "")
            lab.write()
            self.begin(c)
            wait_for("a word about it", lambda: "subject cannot be used" in lab.process.text(), 40)
            self.assertIn("SSL peer certificate", lab.process.text())
            self.assertEqual((told, c.lab_status("trial", "uni-a")["outstanding"]), ([], 0))
            lab.process.stop()
            lab.subjects = chat % (proxy.url, ", ca_file: %s/ca.pem, key_env: LAB_KEY" % c.folder)
            lab.write()
            lab.start(env={"LAB_KEY": key})
            c.wait("trial", "done", 60)
            campaign, counted, _ = self.finish(c)
            self.assertEqual({n for _, n in counted}, campaign.planned("uni-a"))
            self.assertGreater(len(told), 10)
            lab.process.stop()
            kept = list(vault_objects(lab.folder))
            found = [data for data in kept if b"I was given ****" in data]
            self.assertGreater(len(found), 10, "the transcripts are there")
            self.assertEqual([data for data in kept if key.encode() in data], [])
            for folder, _, files in os.walk(c.folder):
                for name in files:
                    path = os.path.join(folder, name)
                    if path != secret and os.path.isfile(path):
                        with open(path, "rb") as file:
                            self.assertNotIn(key.encode(), file.read(), path)

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
