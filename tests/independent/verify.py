#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second verifier of bundles, written from docs/EVIDENCE.md alone: verify.py BUNDLE [--log-key VKEY] [--receipts DIR]

Python's standard library and PyNaCl; nothing of the project's own programs. Prints each finding as "clause: place: text"
and then the verdict. Exit code 0: authentic and complete; 1: a check failed; 5: authentic but incomplete; 6: not the log
of --log-key. What it does not do: recompute the report's statistics and the page made of them (their counts it does).
"""
import base64
import collections
import datetime
import functools
import hashlib
import json
import os
import re
import struct
import sys

import nacl.bindings
import nacl.exceptions
import nacl.hash

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from arithmetic import draw_of, order_key, permute  # noqa: E402
from documents import ROSTER, Bad, decode, is_id, unpack, write_yaml  # noqa: E402

README_SHA256 = "08ee340ba83243d015d1d1885b20c17fbcf003799306d6238cdca1aac25a9c05"
NEVER = 1 << 63
FINAL = {"ok", "not_exposed", "truncated", "bad_format", "withheld"}
STATUSES = ["ok", "not_exposed", "truncated", "bad_format", "withheld", "error", "timeout"]
STATES = ["registered", "started", "paused", "cancelled", "closing", "closed"]
LAB_STATES = {"open": "open", "close": "completed", "withdraw": "withdrew", "no-response": "no response"}


def sha256(data):
    return hashlib.sha256(data).digest()


def named(digest):
    return "sha256:" + digest.hex()


def need(condition, text):
    if not condition:
        raise Bad(text)


@functools.lru_cache(maxsize=1 << 18)
def verifies(public, message, signature):
    try:
        nacl.bindings.crypto_sign_open(signature + message, public)
        return True
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.CryptoError, ValueError):
        return False


permuted = functools.lru_cache(maxsize=1 << 18)(permute)


def unbase64(text):
    """Strict: padded, the standard alphabet, no bits left over."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Bad("not base64") from None
    need(base64.b64encode(data) == (text if isinstance(text, bytes) else text.encode()), "base64 has another spelling")
    return data


def stamp_ms(text):
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text, re.ASCII), "not a time")
    try:
        moment = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Bad("not a time") from None
    return int(moment.timestamp()) * 1000 + int(text[20:23])


def number(text):
    need(re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII) and int(text) < 1 << 64, "not a number")
    return int(text)


def digest_of(text):
    need(re.fullmatch(r"sha256:[0-9a-f]{64}", text, re.ASCII), "not a digest")
    return bytes.fromhex(text[7:])


# ---- signed notes and keys

class Vkey:
    def __init__(self, text):
        parts = text.split("+", 2)
        need(len(parts) == 3 and parts[0], "not a verifier key")
        blob = unbase64(parts[2])
        need(len(blob) == 33 and blob[0] in (1, 4), "not an Ed25519 verifier key")
        self.text, self.name, self.type, self.key = text, parts[0], blob[0], blob[1:]
        self.id = sha256(self.name.encode() + b"\n" + blob)[:4]
        need(parts[1] == self.id.hex(), "a verifier key of another hash")
        need(nacl.bindings.crypto_core_ed25519_is_valid_point(self.key), "not a point of prime order")


class Checkpoint:
    """A signed note over origin, size and root, without extension lines."""

    def __init__(self, data):
        need(data.endswith(b"\n") and all(byte >= 32 or byte == 10 for byte in data), "not a note")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise Bad("not UTF-8") from None
        body, blank, rest = text.rpartition("\n\n")
        need(blank and rest, "a note without signatures")
        self.body, self.lines = (body + "\n").encode(), []
        for line in rest[:-1].split("\n"):
            match = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
            need(match, "a signature line of another form")
            blob = unbase64(match.group(2))
            need(len(blob) > 4, "a signature line of another form")
            self.lines.append((match.group(1), blob[:4], blob[4:]))
        fields = body.split("\n")
        need(len(fields) == 3 and fields[0], "a checkpoint has three lines")
        self.origin, self.size, self.root = fields[0], number(fields[1]), unbase64(fields[2])
        need(len(self.root) == 32 and self.size < NEVER, "a checkpoint has another form")

    def signed_by(self, vkey):
        """How many of the lines are this key's; one that does not verify is an error."""
        mine = [signature for name, key_id, signature in self.lines if name == vkey.name and key_id == vkey.id]
        for signature in mine:
            message = self.body
            if vkey.type == 4:
                need(len(signature) == 72, "a cosignature has 72 bytes")
                message = b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + self.body
                signature = signature[8:]
            need(len(signature) == 64 and verifies(vkey.key, message, signature), "a signature does not verify")
        return len(mine)


# ---- statements

FIELDS = {
    "roster": "roster=digest consortium=id version=number previous=link",
    "campaign": "campaign=digest name=id bench=digest roster=digest",
    "accept": "campaign=digest lab=id seen=seen nonce=nonce",
    "unit": "campaign=digest lab=id unit=digest",
    "state": "campaign=digest action=action seq=number reason=text",
    "result": "campaign=digest lab=id pair=pairs",
    "rating": "campaign=digest lab=id rating=digest",
    "close": "campaign=digest lab=id results=number root=digest",
    "withdraw": "campaign=digest lab=id results=number root=digest reason=text",
    "hold": "campaign=digest lab=id reason=text",
    "lift": "campaign=digest lab=id seq=number reason=text",
    "no-response": "campaign=digest lab=id reason=text",
    "report": "campaign=digest report=digest size=number root=digest",
    "incident": "campaign=digest incident=id step=id severity=number record=digest seq=number reason=text",
    "release": "campaign=digest grant=id what=id to=id until=number reason=text",
    "revoke": "campaign=digest grant=id reason=text",
}
SIGNERS = {"roster": "root", "campaign": "board", "unit": "coordinator", "hold": "coordinator", "no-response": "coordinator",
           "state": "operator", "lift": "operator", "report": "operator", "incident": "operator", "rating": "rater",
           "release": "data-committee", "revoke": "data-committee"}  # others: the lab


def parse_text(value):
    need(1 <= len(value.encode()) <= 200 and value == value.strip(" "), "not a text of a line")
    for character in value:
        point = ord(character)
        need(point >= 0x20 and not 0x7F <= point <= 0x9F and point not in (0x2028, 0x2029, 0x200E, 0x200F)
             and not 0x202A <= point <= 0x202E and not 0x2066 <= point <= 0x2069, "a text with a hidden character")
    return value


def parse_id(value):
    need(is_id(value), "not an id")
    return value


def parse_seen(value):
    parts = value.split(" ")
    need(len(parts) == 3 and parts[0] and "+" not in parts[0], "not a checkpoint seen")
    root = unbase64(parts[2])
    need(len(root) == 32, "not a root")
    return parts[0], number(parts[1]), root


def parse_nonce(value):
    need(re.fullmatch("[0-9a-f]{64}", value, re.ASCII), "not a nonce")
    return value


def parse_action(value):
    need(value in ("start", "pause", "resume", "cancel", "close"), "not an action")
    return value


def parse_pair(value):
    parts = value.split(" ")
    need(len(parts) == 2, "not a pair")
    return digest_of(parts[0]), digest_of(parts[1])


FORMS = {"digest": digest_of, "link": lambda value: None if value == "none" else digest_of(value), "id": parse_id,
         "number": number, "text": parse_text, "seen": parse_seen, "nonce": parse_nonce, "action": parse_action}


class Statement:
    """Signed text, taken apart line by line; whatever is not exactly of the form is refused."""

    def __init__(self, data, leaf):
        need(len(data) <= 65535 and data.endswith(b"\n"), "too long or cut short")
        try:
            lines = data.decode().split("\n")[:-1]
        except UnicodeDecodeError:
            raise Bad("not UTF-8") from None
        head = lines.pop(0)
        need(head.startswith("ringtrial/v1 ") and head[13:] in FIELDS, "not a statement of a kind that is known")
        self.kind, self.values, self.pairs = head[13:], {}, []
        used = [head]
        for field in FIELDS[self.kind].split(" "):
            word, form = field.split("=")
            first = True
            while first or (form == "pairs" and lines and lines[0].startswith(word + " ")):
                need(lines and lines[0].startswith(word + " "), f"no {word} where it belongs")
                used.append(lines.pop(0))
                value = used[-1][len(word) + 1:]
                if form == "pairs":
                    self.pairs.append(parse_pair(value))
                else:
                    self.values[word] = FORMS[form](value)
                first = False
        need(len(self.pairs) <= 64, "too many pairs")
        self.body = "".join(line + "\n" for line in used).encode()
        self.digest = sha256(self.body)
        self.signatures = []
        while lines and lines[0].startswith("signed "):
            match = re.fullmatch("signed ([0-9a-f]{16}) (.*)", lines.pop(0))
            need(match, "a signature line of another form")
            signature = unbase64(match.group(2))
            need(len(signature) == 64, "a signature of another length")
            need(not self.signatures or self.signatures[-1][0] < match.group(1), "signature lines out of order")
            self.signatures.append((match.group(1), signature))
        need(self.signatures and len(self.signatures) <= 64, "no signature, or too many")
        self.received = None
        if leaf:
            need(self.kind != "unit", "a unit is no leaf")
            need(lines and lines[0].startswith("received "), "not stamped")
            self.received = stamp_ms(lines.pop(0)[9:])
        need(not lines, "a line too many")

    def message(self):
        kind = b"application/vnd.ringtrial.%s.v1" % self.kind.encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.body), self.body)

    def __getattr__(self, name):
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None


# ---- rosters

Signer = collections.namedtuple("Signer", "key roles lab kind since until revoked name")
ROLES = {"root", "operator", "board", "data-committee", "auditor", "steering", "rater", "witness"}


class Roster:
    def __init__(self, data):
        self.record = decode(ROSTER, data)
        self.digest = sha256(data)
        record = self.record
        self.id, self.version, self.previous = record["roster"], record["version"], record["previous"]
        need((self.previous is not None) == (self.version > 1), "a version without the one before it")
        self.since, self.until = record["valid"]["from"], record["valid"]["until"]
        need(self.since < self.until, "not valid at any time")
        self.log = Vkey(record["coordinator"]["log"])
        need(self.log.type == 1, "the log's key is a cosigner's")
        self.cosigners, self.signers, self.labs, self.kinds = [], {}, {}, {}
        self._add(self.log.key, {"coordinator"}, None, None, 0, 0, None)
        people = {}
        for org in record["organisations"]:
            for lab in org["labs"]:
                need(lab["id"] not in self.labs, "a lab twice")
                self.labs[lab["id"]] = org
                self._add(lab["sign"], {"lab"}, lab["id"], org["kind"], lab["from"], lab["until"], lab["id"])
                self._cosigner(lab["cosign"])
            for person in org["people"]:
                need(person["id"] not in people and set(person["roles"]) <= ROLES, "a person twice, or of an unknown role")
                people[person["id"]] = (set(person["roles"]), org["kind"])
                self._add(person["sign"], set(person["roles"]), None, org["kind"], person["from"], person["until"], person["id"])
                self._cosigner(person["witness"])
        need(len({org["id"] for org in record["organisations"]}) == len(record["organisations"]), "an organisation twice")
        for row in record["revoked"]:
            held = self.signers.get(sha256(row["key"])[:8].hex())
            if not held:
                need(row["person"] in people or row["lab"] in self.labs, "a revoked key of nobody")
                roles, kind = people.get(row["person"], ({"lab"}, None))
                lab = row["lab"] if row["lab"] in self.labs else None
                kind = kind if row["person"] in people else self.labs[row["lab"]]["kind"]
                held = Signer(row["key"], roles, lab, kind, 0, self.until, None, row["person"] or row["lab"])
            need(held.revoked is None, "a key revoked twice")
            self.signers[sha256(row["key"])[:8].hex()] = held._replace(revoked=(row["at_index"], row["at"]))
        for threshold in record["thresholds"]:
            need(threshold["role"] in ROLES | {"lab", "coordinator"}, "a threshold of an unknown role")

    def _add(self, key, roles, lab, kind, since, until, who):
        name = sha256(key)[:8].hex()
        need(name not in self.signers, "a key twice")
        self.signers[name] = Signer(key, roles, lab, kind, since or self.since, until or self.until, None, who)

    def _cosigner(self, text):
        if text:
            self.cosigners.append(Vkey(text))
            need(self.cosigners[-1].type == 4, "a cosigner's key of another type")

    def threshold_met(self, name, keys, at, index):
        row = next((row for row in self.record["thresholds"] if row["threshold"] == name), None)
        if not row:
            return False
        mine = {key: self.signers[sha256(key)[:8].hex()] for key in keys if sha256(key)[:8].hex() in self.signers}
        counted = [signer for signer in mine.values() if row["role"] in signer.roles and in_force(signer, at, index)]
        kinds = {signer.kind for signer in counted if signer.kind is not None}
        return len(counted) >= row["sign"] and (row["from"] <= 1 or len(kinds) >= row["from"])


def in_force(signer, at, index):
    if signer.revoked:
        at_index, at_ms = signer.revoked
        if index >= at_index if at_index and index != NEVER else at >= at_ms:
            return False
    return signer.since <= at < signer.until


# ---- campaigns

class Campaign:
    def __init__(self, data):
        record = unpack(data)
        need(isinstance(record, list) and len(record) == 18 and record[0] == 1, "not a campaign")
        (_, self.id, self.title, self.bench_id, self.bench_version, self.bench, self.crossed, self.roster, self.labels,
         self.scenarios, self.subjects, labs, design, unit, self.close_within, self.analysis, _, _) = record
        self.digest = sha256(data)
        self.labs = {lab[0]: lab[1] for lab in labs}
        need(len(self.labs) == len(labs) and [lab[0] for lab in labs] == sorted(self.labs), "labs out of order")
        self.replicates, self.at_zero, self.attempts = design[1], design[2], unit[1]
        self.prompts = [(s, a, p) for s, row in enumerate(self.scenarios)
                        for a in range(len(row[4])) for p in range(len(row[5]))]
        self.configurations = [(s, t) for s, subject in enumerate(self.subjects) for t in subject[4]]
        self._blocks = {}

    def trial(self, trial):
        rest, configuration = divmod(trial, len(self.configurations))
        return self.prompts[rest % len(self.prompts)], self.configurations[configuration]

    def columns(self, lab):
        """The configurations a lab runs: of the first blocks, and of the later ones."""
        full = [c for c, (s, _) in enumerate(self.configurations) if self.labs[lab] >> s & 1]
        return full, [c for c in full if self.configurations[c][1] != 0]

    def total(self, lab):
        full, late = self.columns(lab)
        return len(self.prompts) * (self.at_zero * len(full) + (self.replicates - self.at_zero) * len(late))

    def at(self, draw, lab, position):
        """The number of the trial at a position of the lab's run order."""
        full, late = self.columns(lab)
        early = self.at_zero * len(self.prompts) * len(full)
        columns, first, start = (full, 0, 0) if position < early else (late, self.at_zero, early)
        size = len(self.prompts) * len(columns)
        block, within = divmod(position - start, size)
        index = permuted(order_key(draw, block + first, lab), size, within)
        prompt, column = divmod(index, len(columns))
        return ((block + first) * len(self.prompts) + prompt) * len(self.configurations) + columns[column]


class Lab:
    def __init__(self):
        self.accept = self.accept_index = None
        self.held, self.end, self.end_index, self.reason = False, "open", None, ""
        self.results = []


class Registered:
    def __init__(self, statement, index, leaf_hash):
        self.digest, self.index, self.hash, self.received = statement.campaign, index, leaf_hash, statement.received
        self.name, self.state, self.seq, self.start, self.closing = statement.name, "registered", 0, None, None
        self.accepts, self.labs = [], {}


# ---- the log

def root_of(hashes):
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        paired = [sha256(b"\1" + hashes[i] + hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = paired + hashes[len(paired) * 2:]
    return hashes[0]


def tile_path(level, index, width):
    name = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        name = "x%03d/%s" % (index % 1000, name)
    return f"log/tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")


def inclusion_root(index, size, leaf, path):
    """RFC 9162 section 2.1.3.2."""
    need(index < size, "a leaf behind the end")
    node, last, result = index, size - 1, leaf
    for sibling in path:
        need(last, "a proof too long")
        if node & 1 or node == last:
            result = sha256(b"\1" + sibling + result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = sha256(b"\1" + result + sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, "a proof too short")
    return result


KNOWN = re.compile(r"README\.txt|redacted\.txt|report\.json|report\.html|manifest\.sha256|manifest\.minisig|log/checkpoint|keys/log\.vkey|"
                   r"keys/operator\.pub|keys/roster-[1-9][0-9]{0,18}\.yaml|objects/[0-9a-f]{2}/[0-9a-f]{62}|"
                   r"receipts/[A-Za-z0-9._-]+\.tlog-proof|"
                   r"log/tile/([0-7]|entries)/(x[0-9]{3}/)*[0-9]{3}(\.p/[1-9][0-9]{0,2})?", re.ASCII)


class Bundle:
    """Everything that was found wrong is in findings; nothing of the bundle is believed before it was checked."""

    def __init__(self, folder, receipts=None):
        self.folder, self.receipts, self.findings, self.incomplete = folder, receipts, [], []
        self.files, self.digests, self.used = {}, {}, set()
        self.rosters, self.campaigns, self.seen = [], {}, {}
        self.target = self.campaign = self.checkpoint = self.draw = None
        self.hashes, self.leaves_of, self.last = [], {}, 0
        self.units, self.fingerprints = {}, set()
        self.redacted, self.left_out = set(), {}
        self.counted, self.spare, self.labels = {}, set(), {}
        self.counters = collections.defaultdict(collections.Counter)

    def fail(self, clause, place, text):
        self.findings.append((clause, place, str(text)))

    def guard(self, clause, place, call, *arguments):
        try:
            return call(*arguments)
        except Bad as bad:
            self.fail(clause, place, bad)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, struct.error, OverflowError) as bad:
            self.fail(clause, place, f"malformed ({bad!r})")
        return None

    # -- files

    def walk(self, folder=""):
        entries = sorted(os.listdir(os.path.join(self.folder, folder)))
        if not entries:
            self.fail("layout", folder or ".", "an empty folder")
        for entry in entries:
            path = f"{folder}/{entry}" if folder else entry
            full = os.path.join(self.folder, path)
            if os.path.islink(full) or not (os.path.isdir(full) or os.path.isfile(full)):
                self.fail("layout", path, "neither a file nor a folder")
            elif os.path.isdir(full):
                self.walk(path)
            else:
                with open(full, "rb") as file:
                    self.files[path] = file.read()

    def check_files(self):
        self.walk()
        for path, data in self.files.items():
            self.digests[path] = sha256(data)
            if not KNOWN.fullmatch(path):
                self.fail("layout", path, "no bundle has such a file")
                self.used.add(path)
            if path.startswith("objects/") and path[8:10] + path[11:] != self.digests[path].hex():
                self.fail("objects", path, "its contents have another digest than its name")
            elif data.startswith(b"ringtrial/v1 unit\n") and path.startswith("objects/"):
                statement = self.guard("units", path, Statement, data, False)
                if statement and statement.unit in self.units:
                    self.fail("units", path, "a second statement that deals the same unit")
                elif statement:
                    self.units[statement.unit] = (path, statement)

    def read(self, path):
        need(path in self.files, f"{path} is not here")
        self.used.add(path)
        return self.files[path]

    def object(self, digest):
        name = digest.hex()
        path = f"objects/{name[:2]}/{name[2:]}"
        if path not in self.files:
            self.fail("objects", path, "is named and is not here")
            raise Bad(f"{path} is not here")
        need(self.digests[path] == digest, f"{path} has another digest")
        return self.read(path)

    def read_redacted(self):
        """The objects that whoever made the bundle says were left out: a list of the manifest's form."""
        if "redacted.txt" not in self.files:
            return
        lines, last = self.read("redacted.txt").decode().split("\n"), ""
        need(len(lines) > 1 and lines[-1] == "", "redacted.txt is not written as such a list is")
        for line in lines[:-1]:
            match = re.fullmatch(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]{1,199})", line)
            need(match and match[2].encode() > last.encode(), "redacted.txt is not written as such a list is")
            self.redacted.add(bytes.fromhex(match[1]))
            last = match[2]
            if f"objects/{match[1][:2]}/{match[1][2:]}" in self.files:
                self.fail("layout", match[2], "redacted.txt says it was left out, and it is here")

    def leaves_out(self, digest, place):
        if digest in self.redacted:
            self.left_out[digest] = place
        return digest in self.redacted

    # -- the log

    def leaves(self):
        for tile in range((self.checkpoint.size + 255) // 256):
            width = min(256, self.checkpoint.size - 256 * tile)
            data, at = self.read(tile_path("entries", tile, width)), 0
            for _ in range(width):
                length = int.from_bytes(data[at:at + 2], "big")
                need(len(data) >= at + 2 + length, "cut short")
                yield data[at + 2:at + 2 + length]
                at += 2 + length
            need(at == len(data), "bytes behind the last leaf")

    def check_tiles(self):
        level, row = 0, self.hashes
        while row:
            for start in range(0, len(row), 256):
                part = row[start:start + 256]
                path = tile_path(level, start // 256, len(part))
                need(self.read(path) == b"".join(part), f"{path} is not what the leaves give")
            level, row = level + 1, [root_of(row[i:i + 256]) for i in range(0, len(row) - 255, 256)]
        need(self.checkpoint.root == root_of(self.hashes), "its root is not that of the leaves")

    def check_log(self):
        self.checkpoint = self.guard("checkpoint", "log/checkpoint", lambda: Checkpoint(self.read("log/checkpoint")))
        if not self.checkpoint:
            return

        def read():
            for index, leaf in enumerate(self.leaves()):
                leaf_hash = sha256(b"\0" + leaf)
                self.guard("leaves", f"log index {index}", self.take, index, leaf, leaf_hash)
                self.hashes.append(leaf_hash)
            self.check_tiles()
        self.guard("tree", "log/tile", read)
        self.guard("checkpoint", "log/checkpoint", self.check_checkpoint)

    def check_checkpoint(self):
        need(self.rosters, "no roster says whose signature it needs")
        keys = [self.rosters[-1].log] + self.rosters[-1].cosigners
        counts = [self.checkpoint.signed_by(key) for key in keys]
        need(counts[0] and self.checkpoint.origin == keys[0].name, "is not signed by the log's key of the roster")
        need(sum(counts) == len(self.checkpoint.lines) and max(counts) == 1, "bears a signature by another key, or one twice")

    def root_at(self, size):
        need(size <= len(self.hashes), "a size beyond what is there")
        return root_of(self.hashes[:size])

    # -- one leaf

    def signed(self, statement, at, index, rosters):
        """The keys of its signers, all of which must be known, in force and allowed to say this."""
        keys = []
        for name, signature in statement.signatures:
            signer = next((roster.signers[name] for roster in rosters if name in roster.signers), None)
            need(signer, f"{statement.kind} statement by a key that the roster does not have")
            need(in_force(signer, at, index), f"{statement.kind} statement by a key that is not in force")
            need(verifies(signer.key, statement.message(), signature), f"{statement.kind} statement: signature does not verify")
            role = SIGNERS.get(statement.kind, "lab")
            mine = signer.lab is not None and signer.lab == statement.values.get("lab")
            allowed = mine if role == "lab" else role in signer.roles or (role == "rater" and mine)
            need(allowed, f"a {statement.kind} statement is not this key's to make")
            keys.append(signer.key)
        return keys

    def take(self, index, leaf, leaf_hash):
        statement = Statement(leaf, True)
        need(statement.received >= self.last, "received before the leaf in front of it")
        self.last = statement.received
        need(statement.digest not in self.seen, "says what an earlier leaf said")
        self.seen[statement.digest] = index
        place = f"log index {index}"
        if statement.kind == "roster":
            self.guard("rosters", place, self.take_roster, statement, index)
            return
        need(self.rosters, "no roster is in force")
        keys = self.guard("signatures", place, self.signed, statement, statement.received, index, self.rosters[-1:])
        if keys is None:
            return
        if statement.kind == "campaign":
            self.guard("order", place, self.take_campaign, statement, index, leaf_hash, keys)
            return
        campaign = self.campaigns.get(statement.campaign)
        if not campaign:
            self.fail("order", place, f"a {statement.kind} statement about a campaign that is not in the log before it")
            return
        if statement.kind == "release" and not self.rosters[-1].threshold_met("release", keys, statement.received, index):
            self.fail("signatures", place, "not signed by as many of the data committee as the roster asks for")
            return
        take = {"accept": self.take_accept, "state": self.take_state, "result": self.take_result, "rating": self.take_rating,
                "hold": self.take_hold, "lift": self.take_hold, "report": self.take_report, "incident": self.take_incident,
                "release": self.take_grant, "revoke": self.take_grant}.get(statement.kind, self.take_end)
        clause = {"rating": "ratings", "incident": "incidents"}.get(statement.kind, "order")
        self.guard(clause, place, take, campaign, statement, index, leaf_hash)

    def take_roster(self, statement, index):
        following = Roster(self.object(statement.roster))
        need((following.version, following.id, following.previous)
             == (statement.version, statement.consortium, statement.previous), "the roster is not what the statement says of it")
        first = self.rosters[0] if self.rosters else following
        need(following.log.text == first.log.text and first.log.name == self.checkpoint.origin,
             "the roster names another log's key")
        before = self.rosters[-1:]
        keys = self.signed(statement, statement.received, index, before + [following])
        if before:
            need((following.version, following.id, following.previous)
                 == (before[0].version + 1, before[0].id, before[0].digest), "does not follow the roster before it")
        else:
            need(index == 0 and following.version == 1, "does not begin the chain")
        for roster in before + [following]:
            need(roster.threshold_met("roster", keys, statement.received, index), "not by as many root keys as are asked for")
        self.rosters.append(following)

    def take_campaign(self, statement, index, leaf_hash, keys):
        need(statement.campaign not in self.campaigns, "a campaign that is in the log already")
        need(statement.roster == self.rosters[-1].digest, "a campaign under another roster than the one in force")
        need(self.rosters[-1].threshold_met("campaign", keys, statement.received, index),
             "not signed by as many of the board as the roster asks for")
        campaign = self.campaigns[statement.campaign] = Registered(statement, index, leaf_hash)
        name = statement.campaign.hex()
        if f"objects/{name[:2]}/{name[2:]}" in self.files:
            self.guard("documents", f"log index {index}", self.adopt, campaign, statement)

    def adopt(self, registered, statement):
        need(not self.target, "a second campaign in one bundle")
        campaign = Campaign(self.object(statement.campaign))
        need((campaign.bench, campaign.roster, campaign.id) == (statement.bench, statement.roster, statement.name),
             "is not what its statement registers")
        roster = next((roster for roster in self.rosters if roster.digest == campaign.roster), None)
        need(roster and set(campaign.labs) <= set(roster.labs), "a lab that the roster does not have")
        self.target, self.campaign = registered, campaign
        self.guard("layout", "redacted.txt", self.read_redacted)
        bench = unpack(self.object(campaign.bench))
        need(isinstance(bench, list) and len(bench) == 12 and bench[0] == 1, "is not a bench")
        need(bench[1] == campaign.bench_id and bench[2] == campaign.bench_version and bench[7] == campaign.crossed
             and [(label[0], label[2]) for label in bench[8]] == [(label[0], label[2]) for label in campaign.labels],
             "is not the bench that the campaign says it is")
        entries = {row[0]: row[1] for row in bench[11]}
        for row in campaign.scenarios:
            need(entries.get(row[0]) == row[3], "a scenario that is not the bench's")
        for row in campaign.scenarios:
            self.guard("documents", row[0], self.check_scenario, row)

    def check_scenario(self, row):
        if self.leaves_out(row[3], row[0]):
            return
        data = self.object(row[3])
        need(len(data) > 32, "is not a scenario")
        scenario = unpack(data[32:])
        need(isinstance(scenario, list) and scenario[0] == 1 and scenario[1] == row[0], "is not that scenario")
        need([(arm[0], arm[1]) for arm in scenario[5]] == [(arm[0], arm[1]) for arm in row[4]], "has other arms")

    # -- the order of the proof

    def take_accept(self, campaign, statement, index, leaf_hash):
        origin, size, root = statement.seen
        need(origin == self.checkpoint.origin, "accepts by a checkpoint of another log")
        need(campaign.index < size <= index, "accepts by a checkpoint that does not hold the campaign")
        need(root == self.root_at(size), "the log that the lab saw was another: its root is not this log's")
        self.invited(campaign, statement.lab)
        lab = campaign.labs.setdefault(statement.lab, Lab())
        need(STATES.index(campaign.state) < 3 and not lab.accept and lab.end == "open", "accepts again, or too late")
        lab.accept, lab.accept_index = statement.digest, index
        if campaign.start is None:
            campaign.accepts.append(leaf_hash)

    def invited(self, campaign, lab):
        need(campaign is not self.target or lab in self.campaign.labs, "a lab that the campaign does not name")

    def take_state(self, campaign, statement, index, _):
        need(statement.seq > campaign.seq, "a seq that is not above the one before")
        now = campaign.state
        allowed = {"start": now == "registered" and campaign.accepts, "pause": now == "started", "resume": now == "paused",
                   "cancel": now in STATES[:3], "close": now in STATES[1:4]}[statement.action]
        need(allowed, f"{statement.action} while the campaign is {now}, or with no accept before it")
        campaign.seq = statement.seq
        campaign.state = {"start": "started", "pause": "paused", "resume": "started", "cancel": "cancelled",
                          "close": "closing"}[statement.action]
        if statement.action == "close":
            campaign.closing = statement.received
        if statement.action == "start":
            campaign.start = (index, statement.received)
            if campaign is self.target:
                self.draw = draw_of(campaign.hash, campaign.accepts)

    def take_hold(self, campaign, statement, *_):
        lab = campaign.labs.get(statement.lab)
        hold = statement.kind == "hold"
        need(lab and lab.held != hold, "of a lab that has not accepted, or is so already")
        if not hold:
            need(statement.seq > campaign.seq, "a seq that is not above the one before")
            campaign.seq = statement.seq
        lab.held = hold

    def take_end(self, campaign, statement, index, _):
        self.invited(campaign, statement.lab)
        lab = campaign.labs.setdefault(statement.lab, Lab())
        need(lab.end == "open", "after the end of the lab")
        need(statement.kind == "withdraw" or campaign.state == "closing", "before the operator asked the labs to close")
        if statement.kind == "no-response":
            within = self.campaign.close_within if campaign is self.target else 0
            need(statement.received - campaign.closing >= within, "before the deadline")
        else:
            place = f"log index {index}"
            if statement.results != len(lab.results) or statement.root != root_of(lab.results):
                self.fail("closes", place, f"lab {statement.lab} signed for other results than the log has of it")
                return
        lab.end, lab.end_index, lab.reason = statement.kind, index, statement.values.get("reason", "")

    def take_report(self, _, statement, *__):
        need(statement.root == self.root_at(statement.size), "a report from a log that was not this one")

    def take_incident(self, campaign, statement, *_):
        need(statement.seq > campaign.seq, "a seq that is not above the one before")
        campaign.seq = statement.seq
        if campaign is not self.target:
            return
        record = unpack(self.object(statement.record))
        for digest in record[15] if isinstance(record, list) and len(record) == 16 else []:
            if self.leaves_out(digest, "evidence"):
                continue
            if f"objects/{digest.hex()[:2]}/{digest.hex()[2:]}" in self.files:
                self.object(digest)

    def take_grant(self, *_):
        """Whom the committee lets have what changes nothing of what was measured."""

    # -- results

    def take_result(self, campaign, statement, index, leaf_hash):
        lab = campaign.labs.get(statement.lab)
        need(campaign.start is not None, "a result before the start of its campaign")
        need(lab and lab.accept, "a result of a lab that has not accepted before it")
        need(lab.end == "open", "a result of a lab after its end")
        lab.results.append(leaf_hash)
        if campaign is not self.target:
            return
        self.leaves_of[index] = (statement.lab, [result for _, result in statement.pairs])
        for unit, result in statement.pairs:
            place = f"log index {index}, {named(result)}"
            if not self.guard("results", place, self.take_pair, statement, lab, unit, result, index):
                self.counters[statement.lab]["invalid"] += 1

    def take_pair(self, statement, lab, unit_digest, result_digest, index):
        unit = decode_unit(self.object(unit_digest))
        need((unit.campaign, unit.lab, unit.accept) == (statement.campaign, statement.lab, lab.accept),
             "a unit of another lab, campaign or accept")
        total = self.campaign.total(unit.lab)
        need(all(first + count <= total for first, count in unit.runs), "positions beyond the lab's")
        need(unit_digest in self.units, "no statement of the coordinator deals the unit")
        path, dealt = self.units[unit_digest]
        if path not in self.used:
            self.used.add(path)
            need((dealt.campaign, dealt.lab) == (unit.campaign, unit.lab), "was dealt to another lab or campaign")
            self.signed(dealt, unit.issued, NEVER, self.rosters[-1:])
        result = decode_result(self.object(result_digest))
        need(result.unit == unit_digest, "answers another unit than it is paired with")
        positions = [first + i for first, count in unit.runs for i in range(count)]
        need(len(positions) == len(result.trials), "has not as many trials as its unit")
        for position, trial in zip(positions, result.trials):
            need(self.campaign.at(self.draw, unit.lab, position) == trial.number, "reports another trial than its unit asks for")
            need(trial.outcome < len(self.campaign.labels), "an outcome that the taxonomy does not have")
        if result.fingerprint not in self.fingerprints:
            record = unpack(self.object(result.fingerprint))
            need(isinstance(record, list) and record[0] == 1 and len(record) == 22, "not a fingerprint")
            self.fingerprints.add(result.fingerprint)
        for trial in result.trials:
            self.count(unit, result, trial, statement.received, index)
        return True

    def count(self, unit, result, trial, received, index):
        """The rule: the first final one in time, failing that the last error or timeout in time."""
        key, counters = (unit.lab, trial.number), self.counters[unit.lab]
        before = self.counted.get(key)
        if received > unit.accept_until or (before and before[1].status in FINAL):
            counters["late" if received > unit.accept_until else "duplicate"] += 1
            self.spare.add(key + (index,))
            return
        if before:
            counters["retried"] += 1
        self.counted[key] = (result.fingerprint, trial)

    def take_rating(self, campaign, statement, *_):
        lab = campaign.labs.get(statement.lab)
        need(campaign.start is not None and lab and lab.accept, "a rating before the start, or of a lab that has not accepted")
        if campaign is not self.target:
            return
        rating = decode_rating(self.object(statement.rating))
        need((rating.campaign, rating.lab) == (statement.campaign, statement.lab), "a rating of another lab or campaign")
        held = self.rosters[-1].signers
        own = [held[key].name for key, _ in statement.signatures if "rater" in held[key].roles]
        need(set(own) <= {rating.rater}, "a rater's own key under another name")
        if rating.fingerprint != bytes(32):
            self.object(rating.fingerprint)
        rater, wrong = f"{['rules', 'judge', 'human'][rating.kind]}:{rating.rater}", []
        for rated in rating.trials:
            wrong += [rated.number] if not self.rate(rating.lab, rater, rated) else []
        need(not wrong, f"rates trials {wrong[:3]} as their leaf does not have them")

    def rate(self, lab, rater, rated):
        of, results = self.leaves_of.get(rated.leaf, (None, []))
        found = [(result.fingerprint, trial) for result in map(decode_result, map(self.object, results if of == lab else []))
                 for trial in result.trials if trial.number == rated.number]
        if len(found) != 1 or found[0][1].transcript != rated.transcript or found[0][1].status not in FINAL - {"withheld"} \
                or max(rated.outcome + 1, rated.first_vote, rated.second_vote) > len(self.campaign.labels):
            return False
        key = (lab, rated.number)
        if key + (rated.leaf,) not in self.spare and found[0][0] in self.fingerprints:
            self.labels.setdefault(key + (rater,), (found[0][0], rated))
        return True

    # -- after the log

    def tidy(self):
        """The table of counts whose digest the report names."""
        campaign = self.campaign
        arms = unique(arm[0] for row in campaign.scenarios for arm in row[4])
        phrasings = unique(phrasing[0] for row in campaign.scenarios for phrasing in row[5])
        behaviour = campaign.analysis[0]
        labs, cells = sorted(campaign.labs), {}
        raters = ["rules"] + sorted({key[2] for key in self.labels}, key=lambda r: (["rules", "judge", "human"].index(
            r.split(":")[0]), r.split(":", 1)[1]))

        def add(lab, rater, fingerprint, trial, repeated, score):
            (s, a, p), (subject, temperature) = campaign.trial(trial.number)
            row = campaign.scenarios[s]
            ok = trial.status == "ok"
            key = (subject, arms.index(row[4][a][0]), s, phrasings.index(row[5][p][0]), temperature, labs.index(lab),
                   raters.index(rater), fingerprint, STATUSES.index(trial.status), trial.outcome if ok else NEVER,
                   trial.severity if ok else 0)
            sums = cells.setdefault(key, [0, 0, 0])
            sums[0], sums[1], sums[2] = sums[0] + 1, sums[1] + repeated, sums[2] + score
        for (lab, _), (fingerprint, trial) in self.counted.items():
            add(lab, "rules", fingerprint, trial, trial.same_as != 0, trial.score)
        for (lab, _, rater), (fingerprint, rated) in self.labels.items():
            add(lab, rater, fingerprint, rated, 0, 0)
        lines = ["subject,arm,scenario,phrasing,temperature,lab,rater,fingerprint,status,outcome,severity,behaviour,n,"
                 "repeated,score_sum_micro\n"]
        for key in sorted(cells):
            subject, arm, scenario, phrasing, temperature, lab, rater, fingerprint, status, outcome, severity = key
            label = campaign.labels[outcome][0] if outcome != NEVER else ""
            shown = (campaign.subjects[subject][0], arms[arm], campaign.scenarios[scenario][0], phrasings[phrasing],
                     micro(temperature), labs[lab], raters[rater], named(fingerprint), STATUSES[status], label, severity,
                     int(outcome != NEVER and behaviour >> outcome & 1)) + tuple(cells[key])
            lines.append(",".join(map(str, shown)) + "\n")
        return "".join(lines).encode()

    def check_report(self):
        report = json.loads(self.read("report.json"))
        self.read("report.html")
        campaign, target = self.campaign, self.target
        roster = next(roster for roster in self.rosters if roster.digest == campaign.roster)
        if target.state == "closing" and all(self.lab(lab).end != "open" for lab in campaign.labs):
            target.state = "closed"
        should = {
            "campaign": named(campaign.digest), "log": self.checkpoint.origin, "log size": str(len(self.hashes)),
            "log root": named(root_of(self.hashes)), "state": target.state,
            "bench": f"{campaign.bench_id} {campaign.bench_version}, {named(campaign.bench)}",
            "roster": f"{roster.id} version {roster.version}, {named(roster.digest)}",
            "registered": f"log index {target.index}, received {stamp(target.received)}",
            "started": f"log index {target.start[0]}, received {stamp(target.start[1])}" if target.start else "not yet"}
        if target.start:
            should["draw"] = named(self.draw)
        has = {name: text for name, text in report["provenance"].items() if name in should or name == "draw"}
        need(has == should, f"provenance differs: {sorted(set(has.items()) ^ set(should.items()))[:2]}")
        need(report["study"]["cells"] == named(sha256(self.tidy())), "rests on other counts than the results give")
        rows = {row["lab"]: row for row in report["participation"]["labs"]}
        need(sorted(rows) == sorted(campaign.labs), "another list of labs")
        for lab, row in rows.items():
            mine, counters = self.lab(lab), self.counters[lab]
            late = mine.accept is not None and target.start is not None and mine.accept_index > target.start[0]
            state = "declined" if mine.end == "withdraw" and not mine.accept else LAB_STATES[mine.end]
            need((row["planned"], row["state"], row["joined_late"]) == (campaign.total(lab), state, late),
                 f"says something else of lab {lab}")
            need(all(row[name] == counters[name] for name in ("late", "duplicate", "retried", "invalid")),
                 f"counts lab {lab} in another way")

    def lab(self, name):
        return self.target.labs.get(name) or Lab()

    def check_receipts(self):
        for path, data in self.files.items():
            if path.startswith("receipts/"):
                self.used.add(path)
                self.guard("receipts", path, self.check_receipt, data)
        for entry in sorted(os.listdir(self.receipts)) if self.receipts else []:
            if entry.endswith(".tlog-proof"):
                with open(os.path.join(self.receipts, entry), "rb") as file:
                    self.guard("receipts", entry, self.check_receipt, file.read())
        if self.receipts and not any(entry.endswith(".tlog-proof") for entry in os.listdir(self.receipts)):
            self.fail("receipts", self.receipts, "holds no file named *.tlog-proof")

    def check_receipt(self, data):
        head, blank, note = data.decode().partition("\n\n")
        lines = head.split("\n")
        need(blank and lines.pop(0) == "c2sp.org/tlog-proof@v1", "is no receipt")
        if lines[0].startswith("extra "):
            unbase64(lines.pop(0)[6:])
        need(lines[0].startswith("index "), "is no receipt")
        index, path = number(lines[0][6:]), [unbase64(line) for line in lines[1:]]
        checkpoint = Checkpoint(note.encode())
        need(all(len(node) == 32 for node in path), "is no receipt")
        need(checkpoint.signed_by(self.rosters[0].log) and checkpoint.origin == self.rosters[0].log.name, "not of this log")
        need(index < len(self.hashes), "for a leaf behind this log's end")
        need(inclusion_root(index, checkpoint.size, self.hashes[index], path) == checkpoint.root, "not for this log's leaf")
        need(checkpoint.size > len(self.hashes) or self.root_at(checkpoint.size) == checkpoint.root, "of another log")

    def check_keys(self):
        need(sha256(self.read("README.txt")).hex() == README_SHA256, "README.txt is not the text of this format")
        for roster in self.rosters:
            path = f"keys/roster-{roster.version}.yaml"
            need(self.read(path) == write_yaml(ROSTER, roster.record), f"{path} is not the roster of the log")
        need(self.rosters, "no roster")
        need(self.read("keys/log.vkey") == self.rosters[0].log.text.encode() + b"\n", "keys/log.vkey is another key")

    def check_manifest(self):
        lines = [f"{digest.hex()}  {path}\n" for path, digest in sorted(self.digests.items(), key=lambda row: row[0].encode())
                 if path not in ("manifest.sha256", "manifest.minisig")]
        manifest = self.read("manifest.sha256")
        need(manifest == "".join(lines).encode(), "is not the list of these files")
        blob = unbase64(self.read("keys/operator.pub").split(b"\n")[1])
        need(len(blob) == 42 and blob[:2] == b"Ed" and self.read("keys/operator.pub") == b"untrusted comment: minisign public "
             b"key %s\n%s\n" % (blob[9:1:-1].hex().upper().encode(), base64.b64encode(blob)), "keys/operator.pub is no such key")
        signer = self.rosters[-1].signers.get(sha256(blob[10:])[:8].hex())
        need(signer and "operator" in signer.roles and in_force(signer, self.last, NEVER), "not the key of an operator in force")
        lines = self.read("manifest.minisig").decode().split("\n")
        need(len(lines) == 5 and lines[4] == "" and lines[0] == "untrusted comment: signature from a ringtrial secret key"
             and lines[2] == f"trusted comment: timestamp:{self.last // 1000}\tfile:manifest.sha256", "manifest.minisig is "
             "not written as a bundle's signature is")
        signature, comment = unbase64(lines[1]), lines[2][17:].encode()
        need(len(signature) == 74 and signature[:2] == b"ED" and signature[2:10] == blob[2:10], "a signature by another key")
        prehash = hashlib.blake2b(manifest, digest_size=64).digest()
        need(verifies(signer.key, prehash, signature[10:])
             and verifies(signer.key, signature[10:] + comment, unbase64(lines[3])), "the manifest's signature does not verify")

    def verify(self):
        self.check_files()
        self.check_log()
        if self.target:
            self.guard("report", "report.json", self.check_report)
            self.incomplete = [lab for lab in sorted(self.campaign.labs) if self.lab(lab).end == "open"]
        else:
            self.fail("documents", "objects/", "the log registers no campaign whose object is in this bundle")
        if self.rosters:
            self.check_receipts()
        self.guard("keys", "keys/", self.check_keys)
        self.guard("manifest", "manifest.sha256", self.check_manifest)
        self.incomplete += sorted(f"without {place}" for place in self.left_out.values())
        if self.redacted - set(self.left_out):
            self.fail("layout", "redacted.txt", "lists what neither the campaign nor an incident of it names")
        for path in sorted(set(self.files) - self.used):
            self.fail("objects" if path.startswith("objects/") else "layout", path, "nothing names it")
        return self


# ---- objects

Unit = collections.namedtuple("Unit", "campaign lab issued accept_until accept runs")
Trial = collections.namedtuple("Trial", "number status outcome severity score same_as transcript")
Result = collections.namedtuple("Result", "unit fingerprint trials")
Rated = collections.namedtuple("Rated", "number leaf transcript status outcome severity first_vote second_vote")
Rating = collections.namedtuple("Rating", "campaign lab kind rater fingerprint trials")


def whole(value, most=NEVER - 1, least=0):
    need(isinstance(value, int) and not isinstance(value, bool) and least <= value <= most, "a number out of range")
    return value


def digest32(value):
    need(isinstance(value, bytes) and len(value) == 32, "not a digest")
    return value


def text(value, most):
    need(isinstance(value, str) and 1 <= len(value.encode()) <= most, "not a text")
    return value


def array(value, least, most=None):
    need(isinstance(value, list) and least <= len(value) <= (most or least), "a list of another length")
    return value


@functools.lru_cache(maxsize=4096)
def decode_unit(data):
    row = array(unpack(data), 10)
    need(row[0] == 1, "a unit of another version")
    times = [whole(time) for time in row[5:8]]
    need(times == sorted(times), "times out of order")
    runs, end = [], -1
    for run in array(row[9], 1, 64):
        first, count = whole(array(run, 2)[0]), whole(run[1], 4096, 1)
        need(first > end, "runs that touch, or out of order")
        runs.append((first, count))
        end = first + count
    need(sum(count for _, count in runs) <= 4096, "too many positions")
    whole(row[3]), whole(row[4])
    return Unit(digest32(row[1]), text(row[2], 64), times[0], times[2], digest32(row[8]), runs)


@functools.lru_cache(maxsize=4096)
def decode_result(data):
    row = array(unpack(data), 8)
    need(row[0] == 1 and isinstance(row[3], bytes) and len(row[3]) == 16, "not a result")
    need(whole(row[4]) <= whole(row[5]), "finished before it started")
    text(row[2], 64)
    trials = []
    for trial in array(row[7], 1, 4096):
        array(trial, 11)
        status = STATUSES[whole(trial[1], 6)]
        outcome, severity = whole(trial[3], 255), whole(trial[4], 4)
        score = whole(trial[5], 10 ** 12, -10 ** 12)
        need((status == "error") == (whole(trial[2], 7) != 0), "an error kind that does not go with the status")
        need(status == "ok" or not (outcome or severity or score), "an outcome without status ok")
        for tokens in trial[8:11]:
            whole(tokens, (1 << 32) - 1)
        trials.append(Trial(whole(trial[0]), status, outcome, severity, score, whole(trial[6]), digest32(trial[7])))
    return Result(digest32(row[1]), digest32(row[6]), trials)


def decode_rating(data):
    row = array(unpack(data), 10)
    need(row[0] == 1 and whole(row[8]) >= 0, "a rating of another version")
    digest32(row[5]), text(row[7], 64)
    trials = []
    for rated in array(row[9], 1, 4096):
        array(rated, 10)
        status = STATUSES[whole(rated[3], 6)]
        need(status not in ("withheld", "timeout"), "a status that no rater gives")
        need(status == "ok" or not (rated[4] or rated[5]), "an outcome without status ok")
        need(rated[8] or not rated[9], "a second vote without a first")
        whole(rated[6], 1000000), whole(rated[7], (1 << 31) - 1)
        trials.append(Rated(whole(rated[0]), whole(rated[1]), digest32(rated[2]), status, whole(rated[4], 255),
                            whole(rated[5], 4), whole(rated[8], 256), whole(rated[9], 256)))
    need(all(a.number < b.number for a, b in zip(trials, trials[1:])), "trials out of order")
    return Rating(digest32(row[1]), text(row[2], 64), whole(row[3], 2), text(row[4], 64), digest32(row[6]), trials)


def unique(values):
    return list(dict.fromkeys(values))


def micro(value):
    shown = "%d.%06d" % (value // 1000000, value % 1000000)
    return shown.rstrip("0").rstrip(".")


def stamp(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + ".%03dZ" % (milliseconds % 1000)


def main():
    arguments, options = sys.argv[1:], {"--log-key": None, "--receipts": None}
    while len(arguments) > 2 and arguments[-2] in options:
        options[arguments[-2]] = arguments[-1]
        arguments = arguments[:-2]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    if not os.path.isdir(arguments[0]):
        print(f"{arguments[0]}: not a bundle's folder", file=sys.stderr)
        return 3
    if options["--log-key"] and os.path.isfile(options["--log-key"]):
        with open(options["--log-key"], encoding="utf-8") as file:
            options["--log-key"] = file.read().strip()
    bundle = Bundle(arguments[0], options["--receipts"]).verify()
    for clause, place, finding in bundle.findings:
        print(f"{clause}: {place}: {finding}")
    if bundle.findings:
        print("NOT AUTHENTIC")
        return 1
    if options["--log-key"] not in (None, bundle.rosters[0].log.text):
        print("not of a log you trust")
        return 6
    print("authentic but incomplete: " + ", ".join(bundle.incomplete) if bundle.incomplete else "authentic and complete")
    return 5 if bundle.incomplete else 0


if __name__ == "__main__":
    sys.exit(main())
