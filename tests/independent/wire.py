#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second implementation of statements, messages and objects, written from EVIDENCE.md and docs/PROTOCOL.md alone.

Prints the vectors that tests/golden/proto holds the C code to: wire.py > tests/vectors/wire/wire.json
Needs python3-nacl; everything else (MessagePack, the DSSE encoding, the leaf) is written out here.
"""
import base64
import hashlib
import json
import struct
import sys

import nacl.signing


def pack(value):
    """Strict MessagePack: the shortest form of None, bool, int, bytes, str and list."""
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, bytes):
        return sized(len(value), [(0xFF, 0xC4, ">B"), (0xFFFF, 0xC5, ">H"), (0xFFFFFFFF, 0xC6, ">I")]) + value
    if isinstance(value, str):
        data = value.encode()
        if len(data) < 32:
            return bytes([0xA0 | len(data)]) + data
        return sized(len(data), [(0xFF, 0xD9, ">B"), (0xFFFF, 0xDA, ">H"), (0xFFFFFFFF, 0xDB, ">I")]) + data
    body = b"".join(pack(item) for item in value)
    if len(value) < 16:
        return bytes([0x90 | len(value)]) + body
    return sized(len(value), [(0xFFFF, 0xDC, ">H"), (0xFFFFFFFF, 0xDD, ">I")]) + body


def sized(size, forms):
    for most, head, form in forms:
        if size <= most:
            return bytes([head]) + struct.pack(form, size)
    raise ValueError(size)


def pack_int(value):
    if 0 <= value < 128:
        return bytes([value])
    if value >= 0:
        for bits, head, form in ((8, 0xCC, ">B"), (16, 0xCD, ">H"), (32, 0xCE, ">I"), (64, 0xCF, ">Q")):
            if value < 1 << bits:
                return bytes([head]) + struct.pack(form, value)
    if value >= -32:
        return struct.pack(">b", value)
    for bits, head, form in ((8, 0xD0, ">b"), (16, 0xD1, ">h"), (32, 0xD2, ">i"), (64, 0xD3, ">q")):
        if value >= -(1 << (bits - 1)):
            return bytes([head]) + struct.pack(form, value)
    raise ValueError(value)


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def named(text):
    return "sha256:" + digest(text).hex()


def pae(kind, body):
    payload_type = f"application/vnd.ringtrial.{kind}.v1".encode()
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(body), body)


def key_of(seed):
    return nacl.signing.SigningKey(hashlib.sha256(seed.encode()).digest())


def key_id(key):
    return hashlib.sha256(bytes(key.verify_key)).digest()[:8].hex()


def statement(kind, fields, seeds, received):
    body = (f"ringtrial/v1 {kind}\n" + "".join(f"{name} {value}\n" for name, value in fields)).encode()
    lines = []
    for key in map(key_of, seeds):
        signature = key.sign(pae(kind, body)).signature
        lines.append(f"signed {key_id(key)} {base64.b64encode(signature).decode()}\n")
    signed = body + "".join(sorted(lines)).encode()
    return {
        "kind": kind,
        "seeds": seeds,
        "body": body.decode(),
        "digest": hashlib.sha256(body).hexdigest(),
        "signed": signed.decode(),
        "received": received,
        "leaf": (signed + f"received {received}\n".encode()).decode(),
    }


def statements():
    campaign, lab = ("campaign", named("campaign")), ("lab", "uni-a")
    seen = f"ring.example.org/log 12345 {base64.b64encode(digest('tree')).decode()}"
    ending = [campaign, lab, ("results", "18446744073709551615"), ("root", named("root"))]
    yield "roster", [("roster", named("roster")), ("consortium", "ring-1"), ("version", "1"), ("previous", "none")], \
        ["root-1", "root-2", "root-3"]
    yield "roster", [("roster", named("roster")), ("consortium", "ring-1"), ("version", "2"),
                     ("previous", named("before"))], ["root-1", "root-2", "root-3", "root-4"]
    yield "campaign", [campaign, ("name", "shutdown-2026q4"), ("bench", named("bench")), ("roster", named("roster"))], \
        ["board-1", "board-2"]
    yield "accept", [campaign, lab, ("seen", seen), ("nonce", digest("nonce").hex())], ["lab"]
    yield "unit", [campaign, lab, ("unit", named("unit"))], ["log"]
    for seq, action in enumerate(["start", "pause", "resume", "cancel", "close"]):
        yield "state", [campaign, ("action", action), ("seq", str(seq)), ("reason", "as agreed – “today”")], ["operator"]
    yield "result", [campaign, lab, ("pair", f"{named('unit')} {named('result')}")], ["lab"]
    yield "result", [campaign, lab] + [("pair", f"{named(f'u{i}')} {named(f'r{i}')}") for i in range(64)], ["lab"]
    yield "rating", [campaign, lab, ("rating", named("rating"))], ["lab", "rater"]
    yield "close", ending, ["lab"]
    yield "withdraw", ending + [("reason", "no more power")], ["lab"]
    yield "hold", [campaign, lab, ("reason", "llama-8b: another model")], ["log"]
    yield "lift", [campaign, lab, ("seq", "7"), ("reason", "a new driver, the same weights")], ["operator"]
    yield "no-response", [campaign, lab, ("reason", "silent since the deadline")], ["log"]
    yield "incident", [campaign, ("incident", "leak-1"), ("step", "vendor-reply"), ("severity", "3"),
                       ("record", named("record")), ("seq", "8"), ("reason", "the vendor answered")], ["operator"]
    yield "release", [campaign, ("grant", "press"), ("what", "results"), ("to", "everyone"), ("until", "1795196128123"),
                      ("reason", "a press conference")], ["committee-1", "committee-2"]
    yield "revoke", [campaign, ("grant", "press"), ("reason", "asked to wait")], ["committee-1"]
    yield "report", [campaign, ("report", named("report")), ("size", "0"), ("root", named("root"))], ["operator"]


def records():
    """(what, is a message, the array)"""
    d = digest
    trial = [7, 0, 0, 3, 4, -250000, 0, d("transcript"), 1000, 70000, 128]
    failed = [1 << 40, 5, 1, 0, 0, 0, 0, bytes(32), 0, 0, 4294967295]
    unit = [1, d("campaign"), "uni-a", 3, 4, 1795196128123, 1795197928123, 1795800928123, d("accept"),
            [[0, 8], [100000, 24]]]
    result = [1, d("unit"), "ringtrial-worker 0.1.0", bytes(range(16)), 1795196128123, 1795196129000, d("print"),
              [trial, failed]]
    fingerprint = [1, "llama-8b", "chat", "vllm", "0.6.3", "llama-8b-instruct", "llama-8b", "sha256:00", "sha256:77", "fp8",
                   [["seed", "per-trial"], ["top_p", "1"]], [["peer", "sha256:11"]], "h100", "on", "none", 8192, "same",
                   [["capital of France", "Paris"]], 2, "sha256:22", 250000, [["llama-8b", d("identity")]]]
    yield "unit", unit
    yield "result", result
    yield "fingerprint", fingerprint
    yield "incident", [1, d("campaign"), "leak-1", 0, 3, "llama-8b", "mail-01", "public", "resisted", "uni-a", 8, "", 0,
                       1795196128123, "found\nby night", [d("transcript")]]
    yield "incident", [1, d("campaign"), "leak-1", 2, 2, "", "", "", "", "", 0, "vendor-x", 7776000000, 1795196128123, "", []]
    rated = [7, 12, d("transcript"), 0, 3, 4, 900000, 0, 4, 1]
    unrated = [1 << 40, 13, d("transcript"), 5, 0, 0, 0, 2147483647, 0, 0]
    yield "rating", [1, d("campaign"), "uni-a", 1, "grader", d("rubric"), d("print"), "ringtrial-worker 0.1.0",
                     1795196128123, [rated, unrated]]
    yield "HELLO", [1, 1, 1, bytes(range(16)), "ringtrial-worker 0.1.0", [d("a"), d("b")], 1795196128123, 70000]
    yield "WELCOME", [2, 1, 3, 1795196128123, d("roster"), "ring.example.org/log", "note\n", [d("node")]]
    yield "WANT", [3, d("campaign"), 1024, 0]
    yield "UNIT", [4, b"statement", pack(unit)]
    yield "RESULT", [5, b"statement", [[b"unit statement", pack(unit), pack(result)]], pack(fingerprint)]
    yield "RECEIPT", [6, d("statement"), 1 << 33, 1795196128123, "c2sp.org/tlog-proof@v1\n", False]
    yield "RETURN", [7, d("unit"), "out of hours"]
    yield "PULSE", [8, [[d("a"), 31, 32], [d("b"), 0, 200]], 1795196128123]
    yield "FETCH", [9, d("object"), 262144]
    yield "PART", [10, d("object"), 262150, 262144, b"6bytes"]
    yield "SUBMIT", [11, b"statement", [b"one", b"two"]]
    yield "OFFER", [12, d("campaign"), 1, b"leaf", 5, "proof\n", True, d("draw")]
    yield "NOTICE", [13, d("campaign"), 3, "stop"]
    yield "NOTICE", [13, b"", 5, ""]
    yield "ADMIN", [14, '{"status":true}']
    yield "REPLY", [15, 0, "{}"]
    yield "ERROR", [16, 12, b"", "trailing bytes"]


def main():
    received = "2026-11-20T17:35:28.123Z"
    json.dump({"statements": [statement(*row, received) for row in statements()],
               "records": [{"name": name, "hex": pack(array).hex()} for name, array in records()]},
              sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
