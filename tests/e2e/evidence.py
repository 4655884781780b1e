# SPDX-License-Identifier: Apache-2.0
"""What an outsider needs to read the evidence: strict MessagePack, statements, keys, RFC 6962, bundles.

Written from EVIDENCE.md and docs/PROTOCOL.md alone and sharing no code with the programs, so that a
recount of theirs with this is a second opinion.
"""
import base64
import collections
import hashlib
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent"))
from wire import pack, pae  # noqa: E402,F401

STATUSES = ["ok", "not_exposed", "truncated", "bad_format", "withheld", "error", "timeout"]
FINAL = {"ok", "not_exposed", "truncated", "bad_format", "withheld"}


class Malformed(Exception):
    pass


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- MessagePack

def unpack(data):
    value, end = unpack_at(data, 0)
    if end != len(data):
        raise Malformed("trailing bytes")
    return value


def unpack_at(data, at):
    head = data[at]
    at += 1
    if head < 0x80:
        return head, at
    if head >= 0xE0:
        return head - 256, at
    if head < 0x90:
        return unpack_map(data, at, head & 15)
    if head < 0xA0:
        return unpack_array(data, at, head & 15)
    if head < 0xC0:
        return data[at:at + (head & 31)].decode(), at + (head & 31)
    if head in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[head], at
    for base, form in ((0xCC, "BHIQ"), (0xD0, "bhiq")):
        if base <= head < base + 4:
            size = 1 << (head - base)
            return struct.unpack_from(">" + form[head - base], data, at)[0], at + size
    if head == 0xCB:
        return struct.unpack_from(">d", data, at)[0], at + 8
    for base, kind in ((0xC4, bytes), (0xD9, str)):
        if base <= head < base + 3:
            width = 1 << (head - base)
            size = int.from_bytes(data[at:at + width], "big")
            at += width
            raw = data[at:at + size]
            if len(raw) != size:
                raise Malformed("short")
            return (raw.decode() if kind is str else raw), at + size
    if head in (0xDC, 0xDD):
        width = 2 if head == 0xDC else 4
        return unpack_array(data, at + width, int.from_bytes(data[at:at + width], "big"))
    if head in (0xDE, 0xDF):
        width = 2 if head == 0xDE else 4
        return unpack_map(data, at + width, int.from_bytes(data[at:at + width], "big"))
    raise Malformed("byte %02x" % head)


def unpack_array(data, at, count):
    values = []
    for _ in range(count):
        value, at = unpack_at(data, at)
        values.append(value)
    return values, at


def unpack_map(data, at, count):
    values = {}
    for _ in range(count):
        key, at = unpack_at(data, at)
        values[key], at = unpack_at(data, at)
    return values, at


# ---- keys and statements

class Key:
    """An Ed25519 key, from a seed or out of an unencrypted minisign secret key file."""

    def __init__(self, seed):
        import nacl.signing
        self.secret = nacl.signing.SigningKey(seed)
        self.public = bytes(self.secret.verify_key)
        self.id = sha256(self.public)[:8].hex()
        self.text = "minisign:" + base64.b64encode(b"Ed" + sha256(self.public)[:8] + self.public).decode()

    @classmethod
    def load(cls, path):
        with open(path) as file:
            blob = base64.b64decode(file.read().splitlines()[1])
        assert blob[:4] == b"Ed\0\0", "the key is encrypted"
        return cls(blob[62:94])

    def sign(self, kind, body):
        return self.secret.sign(pae(kind, body)).signature


def statement(kind, fields, *keys):
    """The signed text of a statement."""
    body = ("ringtrial/v1 %s\n" % kind + "".join("%s %s\n" % field for field in fields)).encode()
    lines = sorted("signed %s %s\n" % (key.id, base64.b64encode(key.sign(kind, body)).decode()) for key in keys)
    return body + "".join(lines).encode()


class Statement:
    """A leaf or a signed statement, taken apart."""

    def __init__(self, text):
        self.text = text
        at = text.find(b"\nsigned ")
        self.body = text if at < 0 else text[:at + 1]
        self.digest = sha256(self.body)
        lines = text.decode().splitlines()
        self.kind = lines[0].split(" ")[1]
        self.fields, self.pairs, self.signatures, self.received = {}, [], [], None
        for line in lines[1:]:
            name, value = line.split(" ", 1)
            if name == "pair":
                self.pairs.append(tuple(bytes.fromhex(word[7:]) for word in value.split(" ")))
            elif name == "signed":
                self.signatures.append((value[:16], base64.b64decode(value[17:])))
            elif name == "received":
                self.received = value
            else:
                self.fields[name] = value

    def signed_by(self, public):
        import nacl.exceptions
        import nacl.signing
        for key_id, signature in self.signatures:
            if key_id == sha256(public)[:8].hex():
                try:
                    nacl.signing.VerifyKey(public).verify(pae(self.kind, self.body), signature)
                    return True
                except nacl.exceptions.BadSignatureError:
                    return False
        return False


def named(digest):
    return "sha256:" + digest.hex()


def stamp_ms(text):
    """YYYY-MM-DDTHH:MM:SS.mmmZ as milliseconds since 1970."""
    import calendar
    import time
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


# ---- RFC 6962

def leaf_hash(leaf):
    return sha256(b"\0" + leaf)


def tree_root(hashes):
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\1" + tree_root(hashes[:split]) + tree_root(hashes[split:]))


def inclusion_holds(index, size, leaf, path, root):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        return False
    node, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = sha256(b"\1" + sibling + result)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            result = sha256(b"\1" + result + sibling)
        node >>= 1
        last >>= 1
    return last == 0 and result == root


class Checkpoint:
    """A signed note over origin, size and root."""

    def __init__(self, note):
        body, _, signatures = note.partition("\n\n")
        lines = body.split("\n")
        self.body = body + "\n"
        self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2])
        self.signatures = [line.split(" ")[1:3] for line in signatures.splitlines() if line]

    def signed_by(self, vkey):
        """vkey is name+hex(id)+base64(type and public key)."""
        import nacl.exceptions
        import nacl.signing
        name, _, key = vkey.split("+", 2)
        public = base64.b64decode(key)[1:]
        for who, text in self.signatures:
            if who == name:
                try:
                    nacl.signing.VerifyKey(public).verify(self.body.encode(), base64.b64decode(text)[4:])
                    return True
                except nacl.exceptions.BadSignatureError:
                    return False
        return False


class Proof:
    """A .tlog-proof file: the leaf's index, its path, and the checkpoint it leads to."""

    def __init__(self, text):
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        if lines[0] != "c2sp.org/tlog-proof@v1":
            raise Malformed(lines[0])
        rows = [line for line in lines[1:] if not line.startswith("extra ")]
        self.index = int(rows[0].split(" ")[1])
        self.path = [base64.b64decode(row) for row in rows[1:]]
        self.checkpoint = Checkpoint(note)

    def holds(self, leaf, vkey):
        return self.checkpoint.signed_by(vkey) and inclusion_holds(
            self.index, self.checkpoint.size, leaf_hash(leaf), self.path, self.checkpoint.root)


# ---- bundles

Cell = collections.namedtuple("Cell", "scenario arm phrasing subject temperature lab fingerprint status outcome severity")


class Campaign:
    """What a recount needs of a compiled campaign."""

    def __init__(self, data):
        (_, self.id, self.title, _, _, _, _, _, labels, scenarios, subjects, labs, design, unit, _,
         analysis, *_) = unpack(data)
        self.digest = sha256(data)
        self.labels = [label[0] for label in labels]
        self.behaviour = {label[0] for i, label in enumerate(labels) if analysis[0] >> i & 1}
        self.labs = {lab[0]: lab[1] for lab in labs}
        self.prompts = [(s[0], arm[0], phrasing[0]) for s in scenarios for arm in s[4] for phrasing in s[5]]
        self.configurations = [(s, subject[0], t) for s, subject in enumerate(subjects) for t in subject[4]]
        self.scenarios = {s[0]: s[3] for s in scenarios}
        self.subjects = [list(subject[4]) for subject in subjects]
        self.replicates, self.at_zero = design[1], design[2]
        self.attempts = unit[1]

    def trial(self, number):
        rest, configuration = divmod(number, len(self.configurations))
        replicate, prompt = divmod(rest, len(self.prompts))
        return replicate, self.prompts[prompt], self.configurations[configuration]

    def planned(self, lab):
        """The numbers of a lab's trials."""
        return {(replicate * len(self.prompts) + prompt) * len(self.configurations) + c
                for c, (s, _, t) in enumerate(self.configurations) if self.labs[lab] >> s & 1
                for replicate in range(self.at_zero if t == 0 else self.replicates)
                for prompt in range(len(self.prompts))}


class Bundle:
    """A bundle folder: every leaf out of the tiles, every object by its digest."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "log", "checkpoint")) as file:
            self.checkpoint = Checkpoint(file.read())
        self.leaves = list(self._leaves())

    def _leaves(self):
        size = self.checkpoint.size
        for tile in range((size + 255) // 256):
            width = min(256, size - tile * 256)
            name = "%03d" % (tile % 1000)
            rest = tile // 1000
            while rest:
                name = "x%03d/%s" % (rest % 1000, name)
                rest //= 1000
            path = os.path.join(self.folder, "log", "tile", "entries", name + (".p/%d" % width if width < 256 else ""))
            with open(path, "rb") as file:
                data = file.read()
            at = 0
            for _ in range(width):
                length = int.from_bytes(data[at:at + 2], "big")
                yield data[at + 2:at + 2 + length]
                at += 2 + length
            if at != len(data):
                raise Malformed("bytes after the last entry of " + path)

    def object(self, digest):
        name = digest.hex()
        with open(os.path.join(self.folder, "objects", name[:2], name[2:]), "rb") as file:
            data = file.read()
        if sha256(data) != digest:
            raise Malformed("object " + name)
        return data

    def statements(self):
        return [Statement(leaf) for leaf in self.leaves]

    def root(self):
        return tree_root([leaf_hash(leaf) for leaf in self.leaves])

    def campaign(self):
        found = [s for s in self.statements() if s.kind == "campaign"]
        return Campaign(self.object(bytes.fromhex(found[-1].fields["campaign"][7:])))

    def arrivals(self, campaign):
        """(lab, trial number, status, outcome, severity, fingerprint, in time) in log order."""
        for leaf in self.statements():
            if leaf.kind != "result" or leaf.fields["campaign"] != named(campaign.digest):
                continue
            received = stamp_ms(leaf.received)
            for unit_digest, result_digest in leaf.pairs:
                unit = unpack(self.object(unit_digest))
                result = unpack(self.object(result_digest))
                if result[1] != unit_digest or unit[2] != leaf.fields["lab"]:
                    raise Malformed("a result that answers another unit")
                for trial in result[7]:
                    yield (unit[2], trial[0], STATUSES[trial[1]], campaign.labels[trial[3]], trial[4],
                           result[6], received <= unit[7])

    def recount(self, campaign):
        """The rule "What counts" of EVIDENCE.md: (lab, number) -> the arrival that counts."""
        counted = {}
        for lab, number, status, outcome, severity, fingerprint, in_time in self.arrivals(campaign):
            before = counted.get((lab, number))
            if in_time and not (before and before[0] in FINAL):
                counted[lab, number] = (status, outcome, severity, fingerprint)
        return counted

    def cells(self, campaign):
        """Counts of the recount by everything a report tells apart."""
        counts = collections.Counter()
        for (lab, number), (status, outcome, severity, fingerprint) in self.recount(campaign).items():
            _, (scenario, arm, phrasing), (_, subject, temperature) = campaign.trial(number)
            counts[Cell(scenario, arm, phrasing, subject, temperature, lab, fingerprint, status, outcome, severity)] += 1
        return counts
