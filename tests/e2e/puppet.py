# SPDX-License-Identifier: Apache-2.0
"""A lab of our own making, by the protocol's page alone: it can keep every rule and break any of them."""
import base64
import os
import subprocess
import sys
import time

from consortium import PEER, SOURCE, Failed, die_with_parent, run
from evidence import Checkpoint, Key, Proof, Statement, leaf_hash, named, pack, sha256, statement, tree_root, unpack

sys.path.insert(0, os.path.join(SOURCE, "tests", "independent"))
import arithmetic  # noqa: E402

HELLO, WELCOME, WANT, UNIT, RESULT, RECEIPT, RETURN, PULSE, FETCH, PART, SUBMIT, OFFER, NOTICE, ADMIN, REPLY, ERROR = \
    range(1, 17)


class Peer:
    """A transport connection under remote control (tests/integration/peer)."""

    def __init__(self, consortium, key_file=None, server=None):
        server = server or consortium.coordinator_keys()["curve"]
        words = [PEER, consortium.address, server] + ([key_file] if key_file else [])
        self.popen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      preexec_fn=die_with_parent)
        consortium.processes.append(self)

    def running(self):
        return self.popen.poll() is None

    def kill(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()

    def ask(self, line):
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()
        answer = self.popen.stdout.readline()
        if not answer:
            raise Failed("rt-peer ended")
        return answer.rstrip("\n")

    def send(self, frame):
        return self.ask("send " + frame.hex()) == "sent"

    def send_parts(self, *frames):
        return self.ask("parts " + " ".join(frame.hex() for frame in frames)) == "sent"

    def receive(self, ms=5000):
        answer = self.ask("recv %d" % ms)
        return bytes.fromhex(answer[6:].replace(" ", "")) if answer.startswith("frame ") else None

    def event(self, ms=5000):
        answer = self.ask("event %d" % ms)
        return answer[6:] if answer.startswith("event ") else None

    def wait_event(self, *wanted, ms=5000):
        """The first of these events, or None at the deadline."""
        end = time.monotonic() + ms / 1000
        while time.monotonic() < end:
            event = self.event(max(1, int((end - time.monotonic()) * 1000)))
            if event in wanted:
                return event
        return None


class Puppet:
    """A whole lab in Python: same constructor and join() as consortium.Lab, played message by message."""

    def __init__(self, consortium, name):
        self.consortium, self.name = consortium, name
        self.folder = os.path.join(consortium.folder, name)
        os.mkdir(self.folder, 0o700)
        self.log = os.path.join(self.folder, "none")
        self.key = Key(os.urandom(32))
        self.instance = os.urandom(16)
        self.curve_file = os.path.join(self.folder, "curve.key")
        self.peer, self.waiting, self.leaves = None, [], []

    def join(self):
        import nacl.public
        secret = nacl.public.PrivateKey.generate()
        self.curve = "rt-curve:" + base64.b64encode(bytes(secret.public_key)).decode()
        with open(os.open(self.curve_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("rt-curve-secret:%s\n%s\n" % (base64.b64encode(bytes(secret)).decode(), self.curve))
        invite = os.path.join(self.folder, "lab.invite")
        self.consortium.coordinator("roster", "invite", self.name, "--out", invite)
        with open(invite, "rb") as file:
            answers = sha256(file.read())
        body = ("ringtrial: 1\nenrolment: %s\nconsortium: %s\nsign: \"%s\"\ncurve: \"%s\"\nclasses: [public, synthetic]\n"
                "serves: [%s]\nmade: %s\ninvite: %s\n" % (
                    self.name, self.consortium.status()["log"]["origin"] and self.consortium.roster()["roster"],
                    self.key.text, self.curve, self.consortium.SUBJECT,
                    time.strftime("%Y-%m-%d", time.gmtime()), named(answers))).encode()
        path = os.path.join(self.folder, self.name + ".enrolment")
        with open(path, "wb") as file:
            file.write(body + b"signature: " + base64.b64encode(self.key.sign("enrolment", body)) + b"\n")
        return path

    # ---- messages

    def dial(self):
        self.waiting = []
        self.peer = Peer(self.consortium, self.curve_file)
        return self

    def send(self, *message):
        if not self.peer.send(pack(list(message))):
            raise Failed("%s cannot send" % self.name)

    def expect(self, *types, ms=3000):
        """The next message of one of these types; others wait their turn."""
        for i, message in enumerate(self.waiting):
            if message[0] in types:
                return self.waiting.pop(i)
        end = time.monotonic() + ms / 1000
        while time.monotonic() < end:
            frame = self.peer.receive(max(1, int((end - time.monotonic()) * 1000)))
            if frame is None:
                break
            message = unpack(frame)
            if message[0] in types:
                return message
            self.waiting.append(message)
        raise Failed("%s: no message of type %s; have %s" % (self.name, types, [m[0] for m in self.waiting]))

    def hello(self, units=()):
        self.send(HELLO, 1, 1, self.instance, "puppet 1", sorted(units), int(time.time() * 1000), 0)
        self.welcome = self.expect(WELCOME)
        return self

    def offer(self):
        """The next OFFER, its proof checked and its campaign fetched."""
        from evidence import Campaign
        message = self.expect(OFFER)
        if not Proof(message[5]).holds(message[3], self.consortium.coordinator_keys()["log"]):
            raise Failed("an offer's proof does not hold")
        self.campaign = Campaign(self.fetch(message[1]))
        self.draw = message[7]
        return message

    def fetch(self, digest):
        data = b""
        while True:
            self.send(FETCH, digest, len(data))
            part = self.expect(PART)
            data += part[4]
            if len(data) >= part[2]:
                if sha256(data) != digest:
                    raise Failed("another object than was asked for")
                return data

    def accept(self):
        seen = Checkpoint(self.welcome[6])
        text = statement("accept", [("campaign", named(self.campaign.digest)), ("lab", self.name),
                                    ("seen", "%s %d %s" % (seen.origin, seen.size,
                                                           base64.b64encode(seen.root).decode())),
                                    ("nonce", os.urandom(32).hex())], self.key)
        self.send(SUBMIT, text, [])
        return self.receipt(text)

    def leaf(self, text, receipt):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(receipt[3] // 1000)) + ".%03dZ" % (receipt[3] % 1000)
        return text + ("received %s\n" % stamp).encode()

    def receipt(self, text):
        """RECEIPT for a statement: checked, or the ERROR instead."""
        answer = self.expect(RECEIPT, ERROR)
        if answer[0] == ERROR:
            return answer
        if answer[1] != Statement(text).digest or \
                not Proof(answer[4]).holds(self.leaf(text, answer), self.consortium.coordinator_keys()["log"]):
            raise Failed("a receipt that does not prove its statement")
        return answer

    def want(self, units=1, trials=0):
        self.send(WANT, self.campaign.digest, units, trials)

    def unit(self):
        """The next UNIT: (statement, object bytes, object)."""
        message = self.expect(UNIT)
        return message[1], message[2], unpack(message[2])

    # ---- results

    def order(self):
        """This lab's run order, computed by the second implementation."""
        design = arithmetic.Design(len(self.campaign.prompts), self.campaign.subjects, self.campaign.replicates,
                                   self.campaign.at_zero)
        runs = [s for s in range(len(self.campaign.subjects)) if self.campaign.labs[self.name] >> s & 1]
        return design.run_order(self.draw, self.name, runs)

    def fingerprint(self):
        return pack([1, self.consortium.SUBJECT, "builtin", "puppet", "1", "synthetic", "", "", "", "", [], [], "", "", "none", 0, "",
                     [], 2, "", 0, []])

    def result(self, unit, status=0, outcome=1, numbers=None):
        """A result object for a unit: every trial with the same outcome."""
        order = self.order()
        numbers = numbers or [order[p] for first, count in unit[2][9] for p in range(first, first + count)]
        now = int(time.time() * 1000)
        trials = [[n, status, 1 if status == 5 else 0, outcome if status == 0 else 0, 0, 0, 0, bytes(32), 1, 1, 1]
                  for n in numbers]
        return pack([1, sha256(unit[1]), "puppet 1", self.instance, now, now, sha256(self.fingerprint()), trials])

    def result_statement(self, pairs, lab=None, key=None, campaign=None):
        return statement("result", [("campaign", named(campaign or self.campaign.digest)), ("lab", lab or self.name)] +
                         [("pair", "%s %s" % (named(sha256(u)), named(sha256(r)))) for u, r in pairs], key or self.key)

    def hand_in(self, unit, result, text=None):
        own = text is None
        text = text or self.result_statement([(unit[1], result)])
        self.send(RESULT, text, [[unit[0], unit[1], result]], self.fingerprint())
        answer = self.receipt(text)
        if own and answer[0] == RECEIPT and not answer[5]:
            self.leaves.append((answer[2], self.leaf(text, answer)))
        return answer

    def work(self, outcome=lambda number: 1):
        """Take and answer units until none is left."""
        while True:
            self.want(4)
            try:
                for _ in range(4):
                    unit = self.unit()
                    order = self.order()
                    numbers = [order[p] for first, count in unit[2][9] for p in range(first, first + count)]
                    result = unpack(self.result(unit, numbers=numbers))
                    for trial in result[7]:
                        trial[3] = outcome(trial[0])
                    if self.hand_in(unit, pack(result))[0] != RECEIPT:
                        raise Failed("an honest result was refused")
            except Failed as error:
                if "no message" not in str(error):
                    raise
                return self

    def close(self):
        """This lab's word on how many results it gave: count and tree root over its own leaves."""
        root = tree_root([leaf_hash(leaf) for _, leaf in sorted(self.leaves)])
        text = statement("close", [("campaign", named(self.campaign.digest)), ("lab", self.name),
                                   ("results", str(len(self.leaves))), ("root", named(root))], self.key)
        self.send(SUBMIT, text, [])
        return self.receipt(text)
