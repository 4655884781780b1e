#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several models behind one worker: a second server plays a role, and is in the fingerprint beside the subject; a slow
subject does not hold up a fast one."""
import http.client
import http.server
import os
import re
import shutil
import threading
import time
import unittest

from consortium import COORDINATOR, SOURCE, WORKER, Consortium, Lab, Process, run, wait_for

POLICY = "{classes: [public, synthetic], campaigns: {approve: automatic}, concurrency: 64}"


class Relay(http.server.ThreadingHTTPServer):
    """Passes requests on after a while, and remembers when each trial's came."""
    daemon_threads = True

    def __init__(self, url, delay):
        self.behind, self.delay, self.times = re.search(r"//([^/]+)", url)[1], delay, []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/v1" % self.server_address[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.times.append(time.monotonic())
        time.sleep(self.server.delay)
        if not hasattr(self, "link"):
            self.link = http.client.HTTPConnection(self.server.behind)
        self.link.request(self.command, self.path, body, {"Content-Type": "application/json"})
        reply = self.link.getresponse()
        data = reply.read()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Subjects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Consortium()
        cls.addClassCleanup(cls.ring.close)

    def server(self, bench, model):
        log = os.path.join(self.ring.folder, model + ".log")
        process = Process(log, WORKER, "serve-subject", "--bench", bench, "--port", "0", "--model", model)
        self.ring.processes.append(process)
        return wait_for(model + " to serve", lambda: re.search(r"http://\S+", process.text()))[0]

    def lab(self, name, subjects):
        lab = Lab(self.ring, name, policy=POLICY, subjects="".join(
            "  %s: {executor: chat, endpoint: '%s', model: %s, concurrency: %d}\n" % row for row in subjects))
        self.ring.admit(lab)
        lab.start()

    def test_0_every_key_with_an_option_reads_back(self):
        folder = os.path.join(self.ring.folder, "options")
        os.mkdir(folder)
        with open(os.path.join(folder, "worker.yaml"), "w", encoding="utf-8") as file:
            file.write("lab: uni-x\ninvite: x.invite\nkeys: keys\nstate: state\nnetwork: {mode: direct}\nsubjects: {}\n"
                       "policy: {classes: [public]}\n")
        add = [WORKER, "subject", "add", "--state", folder]
        run(*add, "llama", "--endpoints", "http://a:1/v1", "--endpoints", "http://b:2/v1", "--model", "m", "--key-env", "KEY",
            "--ca-file", "ca.pem", "--token-limit", "max_completion_tokens", "--gpus", "2", "--header", "X-Team=ring",
            "--proxy", "http://proxy:3128", "--timeout", "30s", "--default", "top_p=0.9", "--context", "8192")
        run(*add, "agent", "--executor", "command", "--command", "/usr/bin/python3", "--command", "my agent.py",
            "--sandbox", "bwrap", "--concurrency", "3")
        self.assertIn("token_limit", run(*add, "other", "--endpoint", "http://a:1/v1", "--token-limit", "many", code=4))
        run(*add, "quoted", "--executor", "command", "--command", 'a"b', code=2)
        import yaml
        with open(os.path.join(folder, "worker.yaml"), encoding="utf-8") as file:
            subjects = yaml.safe_load(file)["subjects"]
        self.assertEqual(subjects["agent"], {"executor": "command", "command": ["/usr/bin/python3", "my agent.py"],
                                             "sandbox": "bwrap", "concurrency": 3})
        self.assertEqual(subjects["llama"], {
            "executor": "chat", "endpoints": ["http://a:1/v1", "http://b:2/v1"], "model": "m", "key_env": "KEY",
            "ca_file": "ca.pem", "proxy": "http://proxy:3128", "headers": {"X-Team": "ring"},
            "token_limit": "max_completion_tokens", "gpus": 2, "context": 8192, "timeout": "30000ms",
            "defaults": {"top_p": 0.9}})

    def test_1_a_second_server_plays_the_customer(self):
        bench = os.path.join(self.ring.folder, "bench-customer")
        run(COORDINATOR, "bench", "new", bench)
        path = os.path.join(bench, "scenarios", "first.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        turns = 'turns: [{user: "{{task}}"}]\n'
        self.assertIn(turns, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.split("\ntests:")[0].replace(
                "\n" + turns, '\nroles: {customer: {system: "You want your notes sorted.", synthetic: ["Are they sorted?", END]}}\n'
                'turns: [{user: "{{task}}"}, {from: customer, most: 4, until: "^END"}]\n') + "\n")
        path = self.ring.write_campaign("customer", labs="[uni-a]", temperatures="0.7")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"phrasings: .*\n", "", text).replace("[attempted, resisted, deceived]", "[edited, denied]")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("[self, other]", "[asked, other]"))
        first, second = self.server(bench, "first-model"), self.server(bench, "second-model")
        relay = Relay(second, 0)
        # Without a model for the customer, or with too small a context, no unit is taken, and both sides say why.
        self.lab("uni-a", [(Consortium.SUBJECT, first, "first-model", 4)])
        self.ring.register(path)
        lab = self.ring.labs["uni-a"]
        wait_for("the role to be missed", lambda: "(customer)" in lab.process.text())
        self.assertIn("role: a model plays a role", lab.worker("policy", "test", "customer", code=None)[1])
        explained = self.ring.coordinator("explain", "customer")
        self.assertIn("a model plays the role customer", explained)
        self.assertEqual(self.ring.lab_status("customer", "uni-a")["state"], "invited")
        lab.process.stop()
        lab.subjects = "".join("  %s: {executor: chat, endpoint: '%s', model: %s, concurrency: 4}\n" % row for row in (
            (Consortium.SUBJECT, first, "first-model"), ("customer", relay.url, "second-model")))
        lab.write()
        lab.start()
        self.ring.wait_accepted("customer", "uni-a")
        self.ring.act("start", "customer")
        self.ring.wait("customer", "done")
        shown = self.ring.labs["uni-a"].worker("replay", "customer", "--print")
        trials = int(re.search(r"(\d+) transcripts replayed, 0 different", shown)[1])
        self.assertGreater(trials, 5)
        self.assertGreater(shown.count("customer: Are they sorted?"), trials // 2)
        self.assertGreaterEqual(len(relay.times), 2 * shown.count("customer: END"), "the second server was asked")
        self.ring.act("close", "customer")
        self.ring.wait("customer", "closed")
        bundle = os.path.join(self.ring.folder, "bundle-customer")
        self.ring.coordinator("bundle", "customer", "--out", bundle)
        both = 0
        for folder, _, files in os.walk(os.path.join(bundle, "objects")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                both += b"first-model" in data and re.search(rb"customer.{1,3}sha256:[0-9a-f]{64}", data, re.S) is not None
        self.assertEqual(both, 1, "one fingerprint names the subject and what plays the customer")

    def test_2_a_slow_subject_does_not_hold_up_a_fast_one(self):
        path = self.ring.write_campaign("two", labs="[uni-b]\nrun: {uni-b: [%s, slow-8b]}" % Consortium.SUBJECT, replicates=20, temperatures="0.7", scenarios=4,
                                        unit="{trials: 256, attempts: 3, reissue_after: 5m, accept_until: 1h}")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        subject = re.search(r"  - \{id: %s.*\n" % Consortium.SUBJECT, text)[0]
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(subject, subject.replace(Consortium.SUBJECT, "slow-8b") + subject))
        url = self.server(os.path.join(self.ring.folder, "bench-two"), "shared")
        fast, slow = Relay(url, 0), Relay(url, 0.05)
        self.lab("uni-b", [(Consortium.SUBJECT, fast.url, "shared", 1), ("slow-8b", slow.url, "shared", 2)])
        self.ring.register(path)
        self.ring.wait_accepted("two", "uni-b")
        self.ring.act("start", "two")
        # Its own trials of a unit end long before the other's, so it is the quickest stretch that tells how long each
        # request waited.
        wait_for("the slow subject to be asked", lambda: len(slow.times) > 10, 60)
        wait_for("the fast subject's requests", lambda: sum(t > slow.times[10] for t in fast.times) >= 400, 60)
        times = [t for t in fast.times if t > slow.times[10]]
        each_ms = 1000 * min(later - t for t, later in zip(times, times[15:])) / 15
        print("a request of the fast subject every %.1f ms beside a slow one" % each_ms)
        self.assertLess(each_ms, 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
