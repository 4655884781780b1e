#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP, mirrors and witnesses with the real programs: what is served when, a mirror that grows with the log and verifies,
witnesses that cosign it, and a coordinator whose state was copied and that then signs two histories of one log."""
import base64
import glob
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import unittest

from consortium import AUDIT, COORDINATOR, Consortium, Lab, Process, free_port, run, wait_for


class Web:
    """GET from one coordinator."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, method="GET", token=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_accept_encoding=True)
        if token:
            connection.putheader("Authorization", "Bearer " + token)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        if body:
            connection.send(body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), data

    def get(self, path, **how):
        return self.ask(path, **how)[2]

    def code(self, path, **how):
        return self.ask(path, **how)[0]

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port


class Served(Consortium):
    """A consortium whose coordinator serves HTTP too."""

    def __init__(self, *labs):
        self.web = Web(free_port())
        super().__init__(labs)

    def serve(self, env=None, wait=True):
        self.process = Process(self.log, COORDINATOR, "serve", "--state", self.state, "--http",
                               "127.0.0.1:%d" % self.web.port, env=env)
        self.processes.append(self.process)
        if wait:
            wait_for("the coordinator to serve", self.answers)
        return self.process

    def token(self, name="operator"):
        with open(os.path.join(self.state, "keys", name + ".token")) as file:
            return file.read().strip()

    def vkey(self):
        return self.coordinator_keys()["log"]


def audit(*words, code=0):
    return run(AUDIT, *words, code=code)


def verify(*words):
    """Exit code and text. Mirrors are this program's own: the second verifier knows bundles."""
    done = subprocess.run([AUDIT, "verify", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def root_of(hashes):
    """RFC 6962, said again here."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\1" + root_of(hashes[:split]) + root_of(hashes[split:])).digest()


def entries(data):
    leaves = []
    while data:
        size = int.from_bytes(data[:2], "big")
        leaves.append(data[2:2 + size])
        data = data[2 + size:]
    return leaves


def tile_path(index):
    parts = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        parts.insert(0, "x%03d" % (index % 1000))
    return "/".join(parts)


def object_path(digest):
    return "/objects/%s/%s" % (digest[:2], digest[2:])


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ring = Served("uni-a", "uni-b")
        cls.addClassCleanup(cls.ring.close)
        cls.web = cls.ring.web
        for lab in cls.ring.labs.values():
            lab.start()

    def read_log(self):
        origin, size, root = self.web.get("/log/checkpoint").decode().split("\n")[:3]
        leaves = []
        for index in range(0, int(size), 256):
            width = min(256, int(size) - index)
            leaves += entries(self.web.get("/log/tile/entries/" + tile_path(index // 256) +
                                           (".p/%d" % width if width < 256 else "")))
        self.assertEqual(len(leaves), int(size))
        self.assertEqual(root_of([leaf_hash(leaf) for leaf in leaves]), base64.b64decode(root))
        return leaves

    def test_1_forms(self):
        status, headers, page = self.web.ask("/")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        for kind in ("style", "script"):
            text = re.search(b"<%s>(.*?)</%s>" % (kind.encode(), kind.encode()), page, re.S).group(1)
            digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
            self.assertIn("%s-src 'sha256-%s'" % (kind, digest), headers["content-security-policy"])
        for name in ("x-content-type-options", "x-frame-options", "referrer-policy"):
            self.assertIn(name, headers)
        for path in ("/log", "/log/", "/log/../log/checkpoint", "/%6cog/checkpoint", "/log/tile/0/1", "/log/tile/0/000.p/256",
                     "/log/tile/9/000", "/log/tile/0/999", "/objects/zz/00", "/api/v1/campaigns/", "/api/v1/campaigns/../x",
                     "/metrics/", "//metrics", "/keys/operator.token", "/" + "x" * 4000, object_path("00" * 32)):
            self.assertEqual(self.web.code(path), 404, path)
        self.assertEqual(self.web.code("/", method="POST", body=b"x" * 100), 405)
        self.assertEqual(self.web.code("/metrics", method="DELETE"), 405)
        status, headers, body = self.web.ask("/log/checkpoint", method="HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(self.web.code("/", token="rt1_" + "0" * 64), 401)
        text = self.web.get("/metrics").decode()
        self.assertTrue(text.endswith("# EOF\n"))
        self.assertRegex(text, r"(?m)^ringtrial_log_leaves \d+$")
        self.assertRegex(text, r"(?m)^ringtrial_http_bad_method_total 2$")
        # A request line that never ends costs its connection and nothing else.
        with socket.create_connection(("127.0.0.1", self.web.port)) as hostile:
            hostile.sendall(b"GET /" + b"a" * 60000)
            hostile.settimeout(20)
            self.assertIn(hostile.recv(100)[:12], (b"", b"HTTP/1.1 414", b"HTTP/1.1 431", b"HTTP/1.1 400", b"HTTP/1.1 413"))
        self.assertEqual(self.web.code("/log/checkpoint"), 200)

    def test_2_blind_until_closed(self):
        ring, web = self.ring, self.web
        ring.register(ring.write_campaign(scenarios=2))
        ring.wait_accepted("trial", "uni-a", "uni-b")
        ring.act("start", "trial")
        ring.wait("trial", "done")
        leaves = self.read_log()
        pairs = [tuple(line.split()[1:]) for leaf in leaves if leaf.startswith(b"ringtrial/v1 result\n")
                 for line in leaf.decode().split("\n") if line.startswith("pair ")]
        self.assertTrue(pairs)
        unit, result = (word.split(":")[1] for word in pairs[0])
        plan = next(re.search(r"\ncampaign sha256:([0-9a-f]+)", leaf.decode()).group(1) for leaf in leaves
                    if leaf.startswith(b"ringtrial/v1 campaign\n"))
        roster = re.search(r"\nroster sha256:([0-9a-f]+)", leaves[0].decode()).group(1)
        auditor = ring.coordinator("http", "token", "auditor-1") and ring.token("auditor-1")

        def seen(token=None):
            return [web.code(path, token=token) for path in
                    (object_path(roster), object_path(plan), object_path(result), object_path(unit),
                     object_path(unit).replace("objects", "units"), "/api/v1/campaigns/trial/report")]

        self.assertEqual(seen(), [200, 200, 403, 403, 403, 403])
        self.assertEqual(seen(auditor), [200] * 6)
        self.assertEqual(hashlib.sha256(web.get(object_path(result), token=auditor)).hexdigest(), result)
        self.assertEqual(web.ask(object_path(result), token=auditor)[1]["cache-control"], "no-store")
        os.remove(os.path.join(ring.state, "keys", "auditor-1.token"))
        self.assertEqual(seen(auditor), [401] * 6)
        def progress():
            return json.loads(web.get("/api/v1/campaigns/trial")).get("labs", [])  # none: not shown yet

        wait_for("the progress to be shown",
                 lambda: progress() and all(lab["final"] == lab["planned"] > 0 for lab in progress()))
        self.assertEqual({key for lab in progress() for key in lab}, {"lab", "state", "planned", "final", "units"})
        self.assertIn("held", json.loads(web.get("/api/v1/campaigns/trial", token=ring.token()))["labs"][0])
        # The same rule for what is written out: without a token nobody gets more than progress.
        own = os.path.join(ring.state, "keys", "operator.token")
        os.rename(own, own + ".away")
        text = ring.coordinator("export", "csv", "trial", "--out", os.path.join(ring.folder, "x"), code=6)
        self.assertIn("has not closed", text)
        self.assertIn("has not closed", ring.coordinator("report", "trial", code=6))
        os.rename(own + ".away", own)
        ring.coordinator("export", "csv", "trial", "--out", os.path.join(ring.folder, "x"))
        before = audit("mirror", web.url, os.path.join(ring.folder, "m"), "--log-key", ring.vkey())
        self.assertIn("may not be seen yet", before)
        ring.act("close", "trial")
        ring.wait("trial", "closed")
        self.assertEqual(seen(), [200] * 6)
        report = json.loads(web.get("/api/v1/campaigns/trial/report"))
        self.assertEqual(report, json.loads(ring.coordinator("report", "trial", "--json")))

    def test_3_mirror_grows(self):
        ring, mirror = self.ring, os.path.join(self.ring.folder, "m")
        text = audit("mirror", self.web.url, mirror)
        self.assertRegex(text, r"leaves, [1-9]\d* new; [1-9]\d* objects")
        self.assertNotIn("may not be seen", text)
        self.assertRegex(audit("mirror", self.web.url, mirror), r" 0 new; 0 objects")
        with open(os.path.join(mirror, "log", "checkpoint"), "rb") as file:
            self.assertEqual(file.read(), self.web.get("/log/checkpoint"))
        bundle = os.path.join(ring.folder, "bundle")
        ring.coordinator("bundle", "trial", "--out", bundle)
        for path in glob.glob(os.path.join(bundle, "log", "**"), recursive=True) + \
                glob.glob(os.path.join(bundle, "objects", "**"), recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as one, open(path.replace(bundle, mirror), "rb") as two:
                    self.assertEqual(one.read(), two.read(), path)
        # Another log's key, a second at work, an interrupted run's remains, a damaged tile.
        other = ring.vkey().replace("127.0.0.1/log", "127.0.0.2/log")
        self.assertIn("ringtrial-audit:", audit("mirror", self.web.url, mirror, "--log-key", other, code=4))
        stray = os.path.join(mirror, "log", "tile", "entries", "x001", "x002", "003")
        os.makedirs(os.path.dirname(stray))
        with open(stray, "w") as file:
            file.write("x")
        audit("mirror", self.web.url, mirror)
        self.assertFalse(os.path.exists(os.path.join(mirror, "log", "tile", "entries", "x001")))
        broken = os.path.join(ring.folder, "broken")
        shutil.copytree(mirror, broken)
        tile = glob.glob(os.path.join(broken, "log", "tile", "0", "**"), recursive=True)[-1]
        with open(tile, "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        self.assertIn("does not hold", audit("mirror", self.web.url, broken, code=4))

    def test_4_verify_a_mirror(self):
        code, text = verify(os.path.join(self.ring.folder, "m"), "--log-key", self.ring.vkey())
        self.assertEqual(code, 5, text)
        self.assertNotIn("FAIL", text.replace("FAIL  complete", ""))
        copy = os.path.join(self.ring.folder, "copy")
        shutil.copytree(os.path.join(self.ring.folder, "m"), copy)
        victim = max(glob.glob(os.path.join(copy, "objects", "*", "*")), key=os.path.getsize)
        with open(victim, "ab") as file:
            file.write(b"x")
        self.assertEqual(verify(copy)[0], 1)

    def test_5_witness(self):
        ring, folder = self.ring, os.path.join(self.ring.folder, "w")
        out = os.path.join(ring.folder, "cosigned")
        note = audit("witness", self.web.url, folder, "--log-key", ring.vkey(), "--name", "auditor.test/w", "--out", out)
        self.assertIn("— auditor.test/w ", note)
        with open(os.path.join(folder, "witness.vkey")) as file:
            witness = file.read().strip()
        policy = os.path.join(ring.folder, "policy")
        bundle = os.path.join(ring.folder, "cosigned-bundle")
        shutil.copytree(os.path.join(ring.folder, "m"), bundle)
        with open(policy, "w") as file:
            file.write("log %s\nwitness w %s\nquorum w\n" % (ring.vkey(), witness))
        # Without the cosignature the quorum is not met; with it, it is.
        self.assertEqual(verify(bundle, "--policy", policy)[0], 6)
        with open(out) as file, open(os.path.join(bundle, "log", "checkpoint"), "w") as to:
            to.write(file.read())
        code, text = verify(bundle, "--policy", policy)
        self.assertRegex(text, r"(?m)^ok +trust")


class Cosigned(unittest.TestCase):
    """A lab's own witness, listed in the roster: its cosignatures are published and go into bundles."""

    def test_cosigned(self):
        ring = Served("uni-a")
        self.addCleanup(ring.close)
        folder, kept = ring.folder, os.path.join(ring.state, "cosigned")
        witness = ["witness", ring.web.url, os.path.join(folder, "w"), "--log-key", ring.vkey()]
        audit(*witness, "--name", "uni-b.test/w")
        with open(os.path.join(folder, "w", "witness.vkey")) as file:
            vkey = file.read().strip()
        lab = Lab(ring, "uni-b")
        invite = os.path.join(lab.folder, "lab.invite")
        ring.coordinator("roster", "invite", "uni-b", "--out", invite)
        lab.worker("join", invite, "--no-passphrase", "--serves", ring.SUBJECT, "--cosigner", vkey)
        lab.write()
        ring.coordinator("roster", "admit", os.path.join(lab.folder, "uni-b.enrolment"))
        self.assertIn(vkey, ring.coordinator("roster", "show"))
        ring.labs["uni-b"] = lab
        for each in ring.labs.values():
            each.start()
        ring.run_campaign(ring.write_campaign(scenarios=1))
        os.mkdir(kept)
        audit(*witness, "--out", os.path.join(kept, "uni-b"))
        audit("witness", ring.web.url, os.path.join(folder, "stranger"), "--log-key", ring.vkey(), "--name", "x.test/x",
              "--out", os.path.join(kept, "stranger"))
        with open(os.path.join(kept, "uni-b"), "rb") as file, open(os.path.join(kept, "broken"), "wb") as to:
            to.write(file.read().replace(b"uni-b.test", b"uni-c.test"))
        note = ring.web.get("/log/checkpoint").decode()
        self.assertEqual([line.split(" ")[1] for line in note.split("\n\n")[1].strip().split("\n")],
                         ["127.0.0.1/log", "uni-b.test/w"])
        bundle, policy = os.path.join(folder, "bundle"), os.path.join(folder, "policy")
        ring.coordinator("bundle", "trial", "--out", bundle)
        with open(os.path.join(bundle, "log", "checkpoint")) as file:
            self.assertEqual(file.read(), note)
        with open(policy, "w") as file:
            file.write("log %s\nwitness w %s\nquorum w\n" % (ring.vkey(), vkey))
        self.assertIn("authentic and complete", run(AUDIT, "verify", bundle, "--policy", policy))
        os.rename(kept, kept + ".away")
        plain = os.path.join(folder, "plain")
        ring.coordinator("bundle", "trial", "--out", plain)
        self.assertEqual(verify(plain, "--policy", policy)[0], 6)


class TwoHistories(unittest.TestCase):
    """The state is copied, as a restored backup is, and both copies go on under one key."""

    def test_fork(self):
        ring = Served("uni-a")
        self.addCleanup(ring.close)
        folder = ring.folder
        ring.process.stop()
        other_state, other = os.path.join(folder, "other"), Web(free_port())
        shutil.copytree(ring.state, other_state, ignore=shutil.ignore_patterns("admin.sock"))
        ring.serve()
        forked = Process(os.path.join(folder, "other.log"), COORDINATOR, "serve", "--state", other_state, "--listen",
                         "tcp://127.0.0.1:%d" % free_port(), "--http", "127.0.0.1:%d" % other.port)
        ring.processes.append(forked)
        wait_for("the other to serve", lambda: "serving" in forked.text())
        key, here, there = ring.vkey(), ring.web.url, other.url

        def witness(name, url, *words, code=0):
            return audit("witness", url, os.path.join(folder, name), "--log-key", key, "--name", "w.test/" + name, *words,
                         code=code)

        # While they are the same, both are cosigned and nobody can tell them apart.
        witness("w1", here, "--against", there)
        witness("w2", there)
        audit("mirror", here, os.path.join(folder, "m1"), "--log-key", key)
        # Each history gets a leaf of its own, then one of them another.
        path = ring.write_campaign("one", scenarios=1)
        ring.register(path)
        second = ring.write_campaign("two", scenarios=1)
        run(COORDINATOR, "campaign", "register", second, "--state", other_state)
        size = {url: int(web.get("/log/checkpoint").split(b"\n")[1]) for url, web in ((here, ring.web), (there, other))}
        self.assertEqual(size[here], size[there])
        # Each witness sees its own log grow, as it should, and cosigns it.
        witness("w1", here)
        witness("w2", there)
        # One that is shown both refuses the second and keeps the proof: two roots at one size.
        text = witness("w1", there, code=1)
        self.assertIn("fork of the log", text)
        # Memories of two witnesses laid side by side say the same, without asking the log for the other's tiles.
        memory = glob.glob(os.path.join(folder, "w2", "*.checkpoint"))[0]
        self.assertIn("fork", witness("w1", here, "--against", memory, code=1))
        # A mirror of the one does not become one of the other, whatever the sizes are.
        audit("mirror", here, os.path.join(folder, "m1"))
        kept = open(os.path.join(folder, "m1", "log", "checkpoint"), "rb").read()
        self.assertIn("fork", audit("mirror", there, os.path.join(folder, "m1"), code=1))
        third = ring.write_campaign("three", scenarios=1)
        run(COORDINATOR, "campaign", "register", third, "--state", other_state)
        self.assertIn("fork", audit("mirror", there, os.path.join(folder, "m1"), code=1))
        self.assertIn("fork", witness("w1", there, code=1))
        # The shorter history shown to who knows the longer is a rollback, or more.
        self.assertRegex(witness("w2", there), "w.test/w2")
        self.assertRegex(witness("w2", here, code=1), "rollback|fork")
        self.assertEqual(open(os.path.join(folder, "m1", "log", "checkpoint"), "rb").read(), kept)
        self.check_evidence(os.path.join(folder, "m1.evidence"))
        # The witness' memory is still of the first history.
        own = open(glob.glob(os.path.join(folder, "w1", "*.checkpoint"))[0], "rb").read()
        self.assertEqual(own.split(b"\n")[:3], kept.split(b"\n")[:3])

    def check_evidence(self, folder):
        """Two notes of one log; where the sizes differ, the proof from another root than the one signed."""
        files = sorted(glob.glob(os.path.join(folder, "fork-*.txt")))
        self.assertEqual(len(files), 2)
        proofs = 0
        for path in files:
            text = open(path).read()
            parts = re.split(r"(?m)^==== .*\n", text)
            first, second = parts[1].split("\n"), parts[2].split("\n")
            self.assertEqual(first[0], second[0])
            if len(parts) < 4:
                self.assertEqual(first[1], second[1])
                self.assertNotEqual(first[2], second[2])
                continue
            self.assertNotEqual(first[2], parts[3].strip())
            proof = [base64.b64decode(line) for line in parts[4].split()]
            self.assertTrue(self.consistent(int(first[1]), int(second[1]), base64.b64decode(parts[3]),
                                            base64.b64decode(second[2]), proof))
            proofs += 1
        self.assertEqual(proofs, 1)

    @staticmethod
    def consistent(first, second, first_root, second_root, proof):
        """RFC 9162, 2.1.4.2."""
        proof = list(proof)
        if first & (first - 1) == 0:
            proof.insert(0, first_root)
        fn, sn = first - 1, second - 1
        while fn & 1:
            fn, sn = fn >> 1, sn >> 1
        fr = sr = proof.pop(0)
        node = lambda left, right: hashlib.sha256(b"\1" + left + right).digest()
        for c in proof:
            if sn == 0:
                return False
            if fn & 1 or fn == sn:
                fr, sr = node(c, fr), node(c, sr)
                while fn and not fn & 1:
                    fn, sn = fn >> 1, sn >> 1
            else:
                sr = node(sr, c)
            fn, sn = fn >> 1, sn >> 1
        return sn == 0 and fr == first_root and sr == second_root

    def test_race(self):
        """Many at once at one witness, half shown each history: all that is cosigned is of one."""
        ring = Served("uni-a")
        self.addCleanup(ring.close)
        folder = ring.folder
        ring.process.stop()
        other_state, other = os.path.join(folder, "other"), Web(free_port())
        shutil.copytree(ring.state, other_state, ignore=shutil.ignore_patterns("admin.sock"))
        ring.serve()
        forked = Process(os.path.join(folder, "other.log"), COORDINATOR, "serve", "--state", other_state, "--listen",
                         "tcp://127.0.0.1:%d" % free_port(), "--http", "127.0.0.1:%d" % other.port)
        ring.processes.append(forked)
        wait_for("the other to serve", lambda: "serving" in forked.text())
        key = ring.vkey()
        ring.register(ring.write_campaign("one", scenarios=1))
        run(COORDINATOR, "campaign", "register", ring.write_campaign("two", scenarios=1), "--state", other_state)
        for turn in range(3):
            place = os.path.join(folder, "race-%d" % turn)
            started = [subprocess.Popen([AUDIT, "witness", (ring.web, other)[i % 2].url, place, "--log-key", key, "--name",
                                         "w.test/race"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                       for i in range(12)]
            done = [(p.communicate(timeout=60)[0].decode(), p.returncode) for p in started]
            roots = {text.split("\n")[2] for text, code in done if code == 0}
            self.assertEqual(len(roots), 1, done)
            self.assertEqual(sum(code == 1 for _, code in done), 6, done)
            self.assertEqual(len(glob.glob(os.path.join(place, "evidence", "fork-*"))), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
