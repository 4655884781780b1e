#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile and broken peers against a real coordinator: whatever they send, nothing of it counts, the
answer says why, and the honest lab beside them finishes its campaign."""
import csv
import json
import os
import random
import socket
import time
import unittest

from consortium import AUDIT, SOURCE, Consortium, Failed, run
from evidence import Bundle, Key, named, pack, sha256, statement, unpack
from puppet import ERROR, FETCH, HELLO, PULSE, RECEIPT, RESULT, SUBMIT, UNIT, WANT, WELCOME, Peer, Puppet

MALFORMED, TOO_LARGE, BAD_SIGNATURE, UNKNOWN_KEY, NOT_PERMITTED, CONFLICT = 12, 14, 16, 18, 20, 21
NOT_FOUND, OUT_OF_RANGE = 10, 13


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        names = ["lab-x", "lab-y", "lab-z"]
        cls.c = Consortium(labs=[lambda c, name=name: Puppet(c, name) for name in names])
        cls.addClassCleanup(cls.c.close)
        cls.c.register(cls.c.write_campaign(scenarios=2, replicates=20))
        cls.x, cls.y, cls.z = (cls.c.labs[name] for name in names)
        for lab in (cls.x, cls.y, cls.z):
            lab.dial().hello()
            lab.offer()
            assert lab.accept()[0] == RECEIPT
        cls.c.act("start", "trial")
        for lab in (cls.x, cls.y, cls.z):
            while not lab.draw:
                lab.offer()
        cls.done_x = 0

    def again(self, lab):
        """A new connection: three refusals cut the old one off, as they should."""
        if lab.peer.running():
            lab.peer.kill()
        return lab.dial().hello()

    def take(self, lab, units=1):
        lab.want(units)
        return lab.unit()

    def log_size(self):
        return self.c.status()["log"]["size"]

    def refused(self, answer, code, *words):
        """The answer is ERROR with this code, and its text says so to a person."""
        self.assertEqual(answer[0], ERROR, answer)
        self.assertEqual(answer[1], code, answer[3])
        for word in words:
            self.assertIn(word, answer[3])

    # ---- who may speak at all

    def test_unknown_keys_do_not_get_in(self):
        self.c.coordinator_keys()
        before = self.c.counters()["frames_in"]
        frame = pack([HELLO, 1, 1, os.urandom(16), "nobody 1", [], int(time.time() * 1000), 0])
        for peer in (Peer(self.c), Peer(self.c, server="none")):
            peer.send(frame)
            self.assertIsNone(peer.wait_event("ready", ms=1200))
            self.assertIsNone(peer.receive(100))
            peer.kill()
        # The second status request is the only frame that arrived in between.
        self.assertEqual(self.c.counters()["frames_in"], before + 1)

    def test_wrong_server_key(self):
        import base64
        import nacl.public
        other = base64.b64encode(bytes(nacl.public.PrivateKey.generate().public_key)).decode()
        peer = Peer(self.c, self.x.curve_file, server="rt-curve:" + other)
        self.assertIsNone(peer.wait_event("ready", ms=1000))
        peer.kill()

    def test_revoked_key_drops_within_a_second(self):
        lab = self.again(self.z)
        self.assertEqual(lab.peer.wait_event("ready"), "ready")
        unit = self.take(lab)
        self.c.coordinator("roster", "revoke", "lab-z", "--reason", "laptop lost")
        start = time.monotonic()
        self.assertIsNotNone(lab.peer.wait_event("disconnected", "closed", ms=5000))
        self.assertLess(time.monotonic() - start, 1.0)
        # What it still tries to say does not count, and it does not get in again.
        size, final = self.log_size(), self.c.lab_status("trial", "lab-z")["final"]
        lab.peer.send(pack([RESULT, lab.result_statement([(unit[1], lab.result(unit))]),
                            [[unit[0], unit[1], lab.result(unit)]], lab.fingerprint()]))
        self.assertIsNone(lab.peer.wait_event("ready", ms=1500))
        self.assertEqual((self.log_size(), self.c.lab_status("trial", "lab-z")["final"]), (size, final))
        # A revoked lab's key does not sign over somebody else's connection either.
        y = self.again(self.y)
        text = lab.result_statement([(unit[1], lab.result(unit))])
        answer = y.hand_in(unit, lab.result(unit), text)
        self.assertEqual(answer[0], ERROR, answer)
        self.assertEqual(self.log_size(), size)

    # ---- forged, replayed, somebody else's

    def test_forged_results(self):
        x = self.again(self.x)
        unit = self.take(x)
        good = x.result(unit)
        text = x.result_statement([(unit[1], good)])
        size, final = self.log_size(), self.c.lab_status("trial", "lab-x")["final"]

        stranger = Key(os.urandom(32))
        self.refused(x.hand_in(unit, good, x.result_statement([(unit[1], good)], key=stranger)), UNKNOWN_KEY, "key")
        at = text.rindex(b"==")
        bent = text[:at - 3] + (b"A" if text[at - 3:at - 2] != b"A" else b"B") + text[at - 2:]
        self.refused(x.hand_in(unit, good, bent), BAD_SIGNATURE, "signature")
        # Signed by lab-y in lab-x's name.
        x = self.again(self.x)
        self.refused(x.hand_in(unit, good, x.result_statement([(unit[1], good)], key=self.y.key)), NOT_PERMITTED)
        # Another object than the one that was signed.
        other = x.result(unit, outcome=5)
        self.refused(x.hand_in(unit, other, text), CONFLICT, "objects")
        # A unit that the coordinator never dealt: signed by the lab itself, then by nobody.
        x = self.again(self.x)
        made = list(unit[2])
        made[9] = [[0, x.campaign.replicates]]
        object_ = pack(made)
        own = statement("unit", [("campaign", named(x.campaign.digest)), ("lab", "lab-x"),
                                 ("unit", named(sha256(object_)))], x.key)
        forged = (own, object_, made)
        self.assertEqual(x.hand_in(forged, x.result(forged))[0], ERROR)
        forged = (unit[0], object_, made)
        self.assertEqual(x.hand_in(forged, x.result(forged))[0], ERROR)
        # The right unit, but other trials than the unit's, one too few, and an outcome off the taxonomy.
        x = self.again(self.x)
        numbers = [t[0] for t in unpack(good)[7]]
        elsewhere = sorted(x.campaign.planned("lab-x") - set(numbers))[0]
        self.assertEqual(x.hand_in(unit, x.result(unit, numbers=[elsewhere] + numbers[1:]))[0], ERROR)
        self.assertEqual(x.hand_in(unit, x.result(unit, numbers=numbers[:-1]))[0], ERROR)
        x = self.again(self.x)
        self.assertEqual(x.hand_in(unit, x.result(unit, outcome=200))[0], ERROR)

        self.assertEqual((self.log_size(), self.c.lab_status("trial", "lab-x")["final"]), (size, final))
        # And the honest result is taken after all of it.
        self.assertEqual(self.again(self.x).hand_in(unit, good)[0], RECEIPT)
        self.assertEqual(self.c.lab_status("trial", "lab-x")["final"], final + len(numbers))

    def test_replayed_results(self):
        x = self.again(self.x)
        unit = self.take(x)
        result = x.result(unit)
        first = x.hand_in(unit, result)
        self.assertEqual((first[0], first[5]), (RECEIPT, False))
        size, final = self.log_size(), self.c.lab_status("trial", "lab-x")["final"]
        # The same statement again: its first receipt, marked as a duplicate, whoever's connection it is.
        for _ in range(3):
            second = x.hand_in(unit, result)
            self.assertEqual(second[:4] + [True], first[:4] + [second[5]])
        self.assertEqual(self.log_size(), size)
        # A second result for the same unit is logged (it is signed evidence) and never counted.
        third = x.hand_in(unit, x.result(unit, outcome=5))
        self.assertEqual((third[0], third[5]), (RECEIPT, False))
        self.assertEqual(self.log_size(), size + 1)
        self.assertEqual(self.c.lab_status("trial", "lab-x")["final"], final)
        # lab-y replays lab-x's frame.
        y = self.again(self.y)
        text = x.result_statement([(unit[1], result)])
        self.refused(y.hand_in(unit, result, text), NOT_PERMITTED)
        self.assertEqual(self.log_size(), size + 1)

    def test_result_for_another_labs_unit(self):
        x, y = self.again(self.x), self.again(self.y)
        unit = self.take(x)
        size, final = self.log_size(), self.c.lab_status("trial", "lab-y")["final"]
        numbers = [y.order()[p] for first, count in unit[2][9] for p in range(first, first + count)]
        self.refused(y.hand_in(unit, y.result(unit, numbers=numbers)), NOT_PERMITTED)
        self.assertEqual((self.log_size(), self.c.lab_status("trial", "lab-y")["final"]), (size, final))
        self.assertEqual(x.hand_in(unit, x.result(unit))[0], RECEIPT)

    def test_unknown_campaign(self):
        x = self.again(self.x)
        unit = self.take(x)
        size = self.log_size()
        nowhere = sha256(b"no such campaign")
        x.send(WANT, nowhere, 1, 0)
        self.refused(x.expect(ERROR), NOT_FOUND)
        result = x.result(unit)
        self.refused(x.hand_in(unit, result, x.result_statement([(unit[1], result)], campaign=nowhere)), NOT_FOUND)
        text = statement("accept", [("campaign", named(nowhere)), ("lab", "lab-x"),
                                    ("seen", "127.0.0.1/log 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
                                    ("nonce", "00" * 32)], x.key)
        x.send(SUBMIT, text, [])
        self.assertEqual(x.expect(ERROR, RECEIPT)[0], ERROR)
        self.assertEqual(self.log_size(), size)
        self.assertEqual(self.again(self.x).hand_in(unit, result)[0], RECEIPT)

    def test_what_only_others_may_say(self):
        x = self.again(self.x)
        size = self.log_size()
        # The operator's decision, signed by a lab; a lab's own close with a false count.
        x.send(SUBMIT, statement("state", [("campaign", named(x.campaign.digest)), ("action", "cancel"), ("seq", "99"),
                                           ("reason", "because")], x.key), [])
        self.refused(x.expect(ERROR, RECEIPT), NOT_PERMITTED)
        x.send(SUBMIT, statement("close", [("campaign", named(x.campaign.digest)), ("lab", "lab-x"), ("results", "0"),
                                           ("root", named(sha256(b"")))], x.key), [])
        self.assertEqual(x.expect(ERROR, RECEIPT)[0], ERROR)
        x = self.again(self.x)
        x.send(WELCOME, 1, 1, 0, bytes(32), "origin", "", [])
        self.refused(x.expect(ERROR), NOT_PERMITTED)
        x = self.again(self.x)
        x.send(14, '{"command":"status"}')
        self.refused(x.expect(ERROR), NOT_PERMITTED, "local")
        # Before HELLO there is no session.
        y = self.y.peer.kill() or self.y.dial()
        y.send(WANT, self.y.campaign.digest, 1, 0)
        self.assertEqual(y.expect(ERROR, UNIT)[0], ERROR)
        self.assertEqual(self.log_size(), size)
        self.assertEqual(self.c.campaign("trial")["state"], "started")

    # ---- frames

    def test_oversized_frames(self):
        x = self.again(self.x)
        before = self.c.counters()["refused_oversized"]
        frame = pack([RESULT, b"x", [], bytes(999_990)])
        self.assertGreater(len(frame), 1_000_000)
        x.peer.send(frame)
        self.refused(x.expect(ERROR), TOO_LARGE)
        self.assertEqual(self.c.counters()["refused_oversized"], before + 1)
        # Above the transport's own limit the connection ends, and only that one.
        x.peer.wait_event("ready")
        x.peer.send(bytes(1 << 20) + b"!")
        self.assertIsNotNone(x.peer.wait_event("disconnected", "closed", ms=3000))
        self.assertEqual(self.again(self.y).welcome[0], WELCOME)

    def test_malformed_frames(self):
        with open(os.path.join(SOURCE, "tests", "vectors", "evidence", "msgpack", "strict.json")) as file:
            vectors = json.load(file)
        rows = vectors if isinstance(vectors, list) else next(v for v in vectors.values() if isinstance(v, list))
        bad = [bytes.fromhex(row["hex"]) for row in rows if row["want"] != "accept"]
        self.assertGreater(len(bad), 50)
        x = self.x
        hello = pack([HELLO, 1, 1, x.instance, "puppet 1", [], 1, 0])
        chosen = [b"", b"\x90", b"\xdd\x10\x00\x00\x00", b"\xc1", hello + b"\0", hello[:-1], pack([99]), pack([HELLO]),
                  pack([WANT, b"short", 1, 1]), pack([PULSE, [], -1])] + random.Random(7).sample(bad, 20)
        size, malformed = self.log_size(), self.c.counters()["refused_malformed"]
        for frame in chosen:
            self.again(x)
            x.peer.send(frame)
            answer = x.expect(ERROR)
            self.assertIn(answer[1], (MALFORMED, OUT_OF_RANGE, TOO_LARGE, 15), (frame.hex(), answer))
            self.assertTrue(answer[3])
        self.assertGreaterEqual(self.c.counters()["refused_malformed"], malformed + len(chosen))
        self.assertEqual(self.log_size(), size)

    def test_repeated_offenders_are_cut_off(self):
        x = self.again(self.x)
        x.peer.wait_event("ready")
        cut = self.c.counters()["cut_off"]
        for _ in range(3):
            x.peer.send(b"\xc1")
            self.assertEqual(x.expect(ERROR)[1], MALFORMED)
        x.peer.send(b"\xc1")
        self.assertIsNotNone(x.peer.wait_event("disconnected", "closed", ms=3000))
        self.assertEqual(self.c.counters()["cut_off"], cut + 1)
        self.assertEqual(self.again(self.x).welcome[0], WELCOME)

    def test_mutated_frames(self):
        """Honest frames with a few bytes changed: refused or harmless. A change in the unit's statement, which the
        coordinator remembers and does not read again, leaves the result an honest one; nothing else may get in."""
        generator = random.Random(20261120)
        x = self.again(self.x)
        unit = self.take(x)
        result = x.result(unit)
        frames = [pack([RESULT, x.result_statement([(unit[1], result)]), [[unit[0], unit[1], result]], x.fingerprint()]),
                  pack([WANT, x.campaign.digest, 1, 0]), pack([FETCH, x.campaign.digest, 0]),
                  pack([HELLO, 1, 1, x.instance, "puppet 1", [sha256(unit[1])], 1, 0]),
                  pack([7, sha256(b"nothing"), "why"]), pack([PULSE, [[sha256(unit[1]), 1, 16]], 5])]
        size = self.log_size()
        for i in range(240):
            if i % 3 == 0:
                self.again(x)
            frame = bytearray(generator.choice(frames[:1] if i % 2 else frames))
            for _ in range(generator.randint(1, 4)):
                frame[generator.randrange(len(frame))] = generator.randrange(256)
            x.peer.send(bytes(frame))
        self.again(x)
        grown = self.log_size() - size
        receipt = x.hand_in(unit, result)
        self.assertEqual(receipt[0], RECEIPT)
        self.assertEqual(receipt[5], grown == 1)
        self.assertEqual(self.log_size(), size + 1)

    def test_garbage_on_the_port(self):
        """Not even ZeroMQ: sockets that send noise, half a greeting, or nothing."""
        idle = []
        for data in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\xff" + bytes(8) + b"\x7f\x03", b""):
            s = socket.create_connection(("127.0.0.1", self.c.port))
            s.sendall(data)
            idle.append(s)
        self.assertEqual(self.again(self.x).welcome[0], WELCOME)
        for s in idle:
            s.close()

    def test_several_frames_are_no_message(self):
        x = self.again(self.x)
        size = self.log_size()
        x.peer.send_parts(pack([WANT, x.campaign.digest, 1, 0]), b"more", b"and more")
        x.peer.send_parts(b"", pack([WANT, x.campaign.digest, 1, 0]))
        x.peer.receive(500)
        self.assertEqual(self.log_size(), size)
        self.assertEqual(self.again(self.y).welcome[0], WELCOME)

    def test_zz_the_honest_lab_finishes(self):
        """Last, by name: after all of it the campaign completes and the store holds together."""
        planned = self.c.lab_status("trial", "lab-y")["planned"]
        y = self.again(self.y)
        while self.c.lab_status("trial", "lab-y")["final"] < planned:
            y.want(4)
            try:
                while True:
                    message = y.expect(UNIT, ms=1000)
                    unit = (message[1], message[2], unpack(message[2]))
                    self.assertEqual(y.hand_in(unit, y.result(unit))[0], RECEIPT)
            except Failed:
                continue
        self.assertEqual(self.c.lab_status("trial", "lab-y")["final"], planned)
        # An outsider's view: duplicates are in the log and in no cell, and what is open is said to be open.
        folder, cells = os.path.join(self.c.folder, "bundle"), os.path.join(self.c.folder, "cells.csv")
        self.c.coordinator("bundle", "trial", "--out", folder)
        self.c.coordinator("report", "trial", "--csv", cells)
        bundle = Bundle(folder)
        campaign = bundle.campaign()
        counted = bundle.recount(campaign)
        with open(cells, newline="") as file:
            rows = list(csv.DictReader(file))
        for lab in ("lab-x", "lab-y", "lab-z"):
            self.assertEqual(sum(int(row["n"]) for row in rows if row["lab"] == lab),
                             sum(name == lab for name, _ in counted))
        # test_replayed_results has run before this one, unless this one was asked for alone.
        if len(self.x.leaves) > 2:
            self.assertGreater(sum(1 for _ in bundle.arrivals(campaign)), len(counted))
        code, text = run(AUDIT, "verify", folder, "--log-key", self.c.coordinator_keys()["log"], code=None)
        self.assertEqual(code, 5, text)
        self.c.process.stop()
        self.c.coordinator("fsck")
        self.c.serve()


if __name__ == "__main__":
    unittest.main()
