# SPDX-License-Identifier: Apache-2.0
"""What a coordinator can do to a log that it writes and signs itself, with an operator's help: the tools and the attacks.

Every attack takes (consortium, log, dice), changes the log's leaves or the bundle's objects, and returns the receipts that
labs hold against it ([] for none), or None where this bundle has no place for it.
"""
import base64
import datetime
import hashlib
import os

import nacl.signing

from verify import Statement, decode_result, root_of, sha256, stamp, tile_path, unpack
from wire import pack, pae


class Key:
    """An unencrypted minisign secret key file."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            blob = base64.b64decode(file.read().split("\n")[1])
        self.secret = nacl.signing.SigningKey(blob[62:94])
        self.public = bytes(self.secret.verify_key)
        self.number = blob[54:62]
        self.id = sha256(self.public)[:8].hex()

    def sign(self, message):
        return self.secret.sign(message).signature

    def statement(self, kind, fields):
        body = (f"ringtrial/v1 {kind}\n" + "".join(f"{name} {value}\n" for name, value in fields)).encode()
        return body + f"signed {self.id} {base64.b64encode(self.sign(pae(kind, body))).decode()}\n".encode()


class Consortium:
    """A sample's bundle, and the keys of everybody in it."""

    def __init__(self, folder, origin="sample.example/log"):
        self.origin = origin
        self.bundle = os.path.join(folder, "bundle")
        self.keys = {name[:-4]: Key(os.path.join(folder, "keys", name)) for name in os.listdir(os.path.join(folder, "keys"))}

    def files(self):
        return sorted(os.path.relpath(os.path.join(place, name), self.bundle)
                      for place, _, names in os.walk(self.bundle) for name in names)

    def read(self, path):
        with open(os.path.join(self.bundle, path), "rb") as file:
            return file.read()

    def write(self, path, data):
        full = os.path.join(self.bundle, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(data)

    def remove(self, path):
        full = os.path.join(self.bundle, path)
        os.unlink(full)
        while full != self.bundle:
            full = os.path.dirname(full)
            if full == self.bundle or os.listdir(full):
                break
            os.rmdir(full)

    def put(self, data):
        name = sha256(data).hex()
        self.write(f"objects/{name[:2]}/{name[2:]}", data)
        return "sha256:" + name

    def object(self, digest):
        return self.read(f"objects/{digest.hex()[:2]}/{digest.hex()[2:]}")

    def manifest(self):
        """Made anew and signed by the operator, as a thief with her help would."""
        lines = "".join(f"{sha256(self.read(path)).hex()}  {path}\n" for path in sorted(self.files())
                        if not path.startswith("manifest."))
        key, last = self.keys["operator"], self.last_ms() // 1000
        signature = key.sign(hashlib.blake2b(lines.encode(), digest_size=64).digest())
        comment = f"timestamp:{last}\tfile:manifest.sha256"
        blob = base64.b64encode(b"ED" + key.number + signature).decode()
        above = base64.b64encode(key.sign(signature + comment.encode())).decode()
        self.write("manifest.sha256", lines.encode())
        self.write("manifest.minisig", f"untrusted comment: signature from a ringtrial secret key\n{blob}\ntrusted comment: "
                   f"{comment}\n{above}\n".encode())

    def last_ms(self):
        try:
            return max(Statement(leaf, True).received for leaf in Log(self).leaves)
        except Exception:  # a log that is no log any more: any time will do
            return 1796097210000

    def mend(self, log):
        """What nobody names any more goes, and the manifest is made anew."""
        from verify import Bundle
        for _ in range(3):
            unnamed = [place for clause, place, text in Bundle(self.bundle).verify().findings if text == "nothing names it"]
            for path in unnamed:
                if path.startswith("objects/") and not log.keep_unnamed:
                    self.remove(path)
            if not unnamed:
                break
        self.manifest()


class Log:
    """The leaves of a bundle, to be changed and written again with tiles and a checkpoint signed by the log's own key."""

    def __init__(self, consortium):
        self.consortium, self.keep_unnamed = consortium, False
        self.leaves = []
        entries = [path for path in consortium.files() if path.startswith("log/tile/entries/")]
        for path in entries:
            data, at = consortium.read(path), 0
            while at < len(data):
                size = int.from_bytes(data[at:at + 2], "big")
                self.leaves.append(data[at + 2:at + 2 + size])
                at += 2 + size

    def statement(self, index):
        return Statement(self.leaves[index], True)

    def find(self, kind, lab=None):
        found = [Statement(leaf, True) for leaf in self.leaves]
        return [i for i, s in enumerate(found) if s.kind == kind and lab in (None, s.values.get("lab"))]

    def stamp(self, index, received):
        body = self.leaves[index].rpartition(b"received ")[0]
        self.leaves[index] = body + f"received {stamp(received)}\n".encode()

    def insert(self, index, unstamped):
        self.leaves.insert(index, unstamped + f"received {stamp(self.statement(index - 1).received)}\n".encode())

    def replace(self, index, before, after):
        assert before in self.leaves[index]
        self.leaves[index] = self.leaves[index].replace(before, after, 1)

    def hashes(self):
        return [sha256(b"\0" + leaf) for leaf in self.leaves]

    def checkpoint(self):
        key, origin = self.consortium.keys["log"], self.consortium.origin
        text = f"{origin}\n{len(self.leaves)}\n{base64.b64encode(root_of(self.hashes())).decode()}\n"
        key_id = sha256(origin.encode() + b"\n\x01" + key.public)[:4]
        blob = base64.b64encode(key_id + key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {origin} {blob}\n".encode()

    def receipt(self, index):
        """A .tlog-proof for a leaf, as the lab got it."""
        hashes, path = self.hashes(), []

        def walk(row, at):
            if len(row) == 1:
                return
            split = 1
            while split * 2 < len(row):
                split *= 2
            left, right = row[:split], row[split:]
            walk(left, at) if at < split else walk(right, at - split)
            path.append(root_of(right if at < split else left))
        walk(hashes, index)
        lines = "".join(base64.b64encode(node).decode() + "\n" for node in path)
        return f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n".encode() + self.checkpoint()

    def write(self):
        for path in self.consortium.files():
            if path.startswith("log/"):
                self.consortium.remove(path)
        for start in range(0, len(self.leaves), 256):
            part = self.leaves[start:start + 256]
            self.consortium.write(tile_path("entries", start // 256, len(part)),
                                  b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in part))
        level, row = 0, self.hashes()
        while row:
            for start in range(0, len(row), 256):
                part = row[start:start + 256]
                self.consortium.write(tile_path(level, start // 256, len(part)), b"".join(part))
            level, row = level + 1, [root_of(row[i:i + 256]) for i in range(0, len(row) - 255, 256)]
        self.consortium.write("log/checkpoint", self.checkpoint())


# ---- the attacks

def some_result(log, dice, lab=None):
    return dice.choice(log.find("result", lab))


def drop_result(_, log, dice):
    del log.leaves[some_result(log, dice)]
    return []


def drop_and_recount(consortium, log, dice):
    """The lab's close says one less; the lab did not sign that."""
    index = some_result(log, dice)
    lab = log.statement(index).lab
    del log.leaves[index]
    end = (log.find("close", lab) + log.find("withdraw", lab))[0]
    mine = [log.hashes()[i] for i in log.find("result", lab)]
    old = log.statement(end)
    log.replace(end, b"results %d\n" % old.results, b"results %d\n" % len(mine))
    log.replace(end, b"root sha256:%s\n" % old.root.hex().encode(), b"root sha256:%s\n" % root_of(mine).hex().encode())
    return []


def close_by_operator(consortium, log, dice):
    """The lab's close again, with one result less, by the operator's own key."""
    index = some_result(log, dice, dice.choice(["lab-a", "lab-b", "lab-d"]))
    statement = log.statement(index)
    del log.leaves[index]
    end = log.find("close", statement.lab)[0]
    mine = [log.hashes()[i] for i in log.find("result", statement.lab)]
    key = consortium.keys[dice.choice(["operator", "log", "board", "lab-c"])]
    forged = key.statement("close", [("campaign", "sha256:" + statement.campaign.hex()), ("lab", statement.lab),
                                     ("results", len(mine)), ("root", "sha256:" + root_of(mine).hex())])
    log.leaves[end] = forged + log.leaves[end][log.leaves[end].index(b"received "):]
    return []


def backdate_campaign(_, log, dice):
    index = log.find("campaign")[0]
    log.stamp(index, log.statement(index).received - dice.randrange(1, 900))
    return []


def postpone_campaign(_, log, dice):
    """The plan comes after the accepts."""
    index = log.find("campaign")[0]
    leaf = log.leaves.pop(index)
    to = log.find("accept")[-1] + 1 - (dice.random() < 0.5)
    log.leaves.insert(to, leaf)
    for i in range(index, to + 1):
        log.stamp(i, max(log.statement(i).received, log.statement(i - 1).received))
    return []


def other_plan(consortium, log, dice):
    """Another plan, registered by the real board, under the labs' old accepts."""
    index = log.find("campaign")[0]
    statement = log.statement(index)
    record = unpack(consortium.object(statement.campaign))
    record[12][1] += dice.randrange(1, 5)
    digest = consortium.put(pack(record))
    fields = [("campaign", digest), ("name", statement.name), ("bench", "sha256:" + statement.bench.hex()),
              ("roster", "sha256:" + statement.roster.hex())]
    unstamped = consortium.keys["board"].statement("campaign", fields)
    log.leaves[index] = unstamped + f"received {stamp(statement.received)}\n".encode()
    return []


def swap_labs(_, log, dice):
    index = some_result(log, dice)
    lab = log.statement(index).lab
    other = dice.choice([name for name in ("lab-a", "lab-b", "lab-c", "lab-d", "lab-e") if name != lab])
    log.replace(index, b"\nlab " + lab.encode(), b"\nlab " + other.encode())
    return []


def swap_pairs(_, log, dice):
    """The results of two labs change places under the labs' names."""
    a, b = some_result(log, dice, "lab-a"), some_result(log, dice, "lab-d")
    first, second = (b"pair sha256:%s sha256:%s" % tuple(d.hex().encode() for d in log.statement(i).pairs[0]) for i in (a, b))
    log.replace(a, first, second)
    log.replace(b, second, first)
    return []


def other_signer(consortium, log, dice):
    """A result signed by another lab, or by the coordinator or the operator."""
    index = some_result(log, dice)
    statement = log.statement(index)
    key = consortium.keys[dice.choice([name for name in consortium.keys if name != statement.lab])]
    pair = statement.pairs[0]
    forged = key.statement("result", [("campaign", "sha256:" + statement.campaign.hex()), ("lab", statement.lab),
                                      ("pair", "sha256:%s sha256:%s" % (pair[0].hex(), pair[1].hex()))])
    log.leaves[index] = forged + f"received {stamp(statement.received)}\n".encode()
    return []


def altered(consortium, log, dice, keys):
    index = some_result(log, dice)
    statement = log.statement(index)
    unit, result = statement.pairs[0]
    record = unpack(consortium.object(result))
    trials = [trial for trial in record[7] if trial[1] == 0]
    if not trials:
        return None
    trial = dice.choice(trials)
    trial[3] = (trial[3] + dice.randrange(1, 7)) % 7
    digest = consortium.put(pack(record))
    decode_result(pack(record))
    log.replace(index, result.hex().encode(), digest[7:].encode())
    if keys:
        forged = consortium.keys[statement.lab].statement(
            "result", [("campaign", "sha256:" + statement.campaign.hex()), ("lab", statement.lab),
                       ("pair", f"sha256:{unit.hex()} {digest}")])
        log.leaves[index] = forged + f"received {stamp(statement.received)}\n".encode()
    return []


def alter_outcome(consortium, log, dice):
    return altered(consortium, log, dice, False)


def alter_with_stolen_key(consortium, log, dice):
    """Even signed by the lab's own key: its close is over the leaves that were."""
    return altered(consortium, log, dice, True)


def alter_close_count(_, log, dice):
    index = dice.choice(log.find("close") + log.find("withdraw"))
    results = log.statement(index).results
    log.replace(index, b"results %d\n" % results, b"results %d\n" % (results + dice.choice([-1, 1, 10])))
    return []


def roll_back(_, log, dice):
    """The log ends earlier. Only what somebody kept can show it: here the labs' receipts."""
    size = dice.randrange(log.find("result")[3], len(log.leaves))
    receipts = [log.receipt(i) for i in range(size, len(log.leaves))]
    del log.leaves[size:]
    return receipts


def fork(_, log, dice):
    """One lab is shown a log that others do not see, and holds receipts of it."""
    honest = list(log.leaves)
    index = dice.choice(log.find("result"))
    receipts = [dice.randrange(index, len(honest))]
    other = list(honest)
    other[index] = other[index][:-6] + (b"7" if other[index][-6:-5] != b"7" else b"3") + other[index][-5:]
    log.leaves = other
    proofs = [log.receipt(i) for i in receipts + [index]]
    log.leaves = honest
    return proofs


def fork_accept(_, log, dice):
    """Before an accept something is changed: its lab saw another log."""
    index = dice.choice([i for i in range(1, log.find("accept")[-1]) if log.statement(i).kind in ("campaign", "accept")])
    later = [i for i in log.find("accept") if i > index]
    if not later:
        return None
    log.stamp(index, log.statement(index).received + 1)
    return []


def reorder_results(_, log, dice):
    lab = dice.choice(["lab-a", "lab-b", "lab-d"])
    a, b = sorted(dice.sample(log.find("result", lab), 2))
    times = log.statement(a).received, log.statement(b).received
    log.leaves[a], log.leaves[b] = log.leaves[b], log.leaves[a]
    log.stamp(a, times[0])
    log.stamp(b, times[1])
    return []


def restamp_result(_, log, dice):
    index = some_result(log, dice)
    after = log.statement(index + 1).received if index + 1 < len(log.leaves) else log.statement(index).received + 5000
    room = after - log.statement(index).received
    if room < 1:
        return None
    log.stamp(index, log.statement(index).received + dice.randrange(1, room + 1))
    return []


def replay_result(_, log, dice):
    index = some_result(log, dice)
    log.insert(dice.randrange(index + 1, log.find("close")[0]), log.leaves[index].rpartition(b"received ")[0])
    return []


def result_after_close(_, log, dice):
    index = some_result(log, dice, "lab-a")
    leaf = log.leaves.pop(index)
    log.insert(log.find("close", "lab-a")[0] + 1, leaf.rpartition(b"received ")[0])
    return []


def start_first(_, log, dice):
    start, first = log.find("state")[0], log.find("accept")[0]
    leaf = log.leaves.pop(start)
    log.insert(first, leaf.rpartition(b"received ")[0])
    return []


def early_no_response(consortium, log, dice):
    lab = dice.choice(["lab-a", "lab-b", "lab-d"])
    close = log.find("close", lab)[0]
    campaign = "sha256:" + log.statement(close).campaign.hex()
    del log.leaves[close]
    log.insert(close, consortium.keys["log"].statement("no-response", [("campaign", campaign), ("lab", lab),
                                                                       ("reason", "did not close by the deadline")]))
    return []


def vanished_lab(consortium, log, dice):
    """Nothing of a lab was ever there. Its accept was in the draw, so everybody's order is another."""
    lab = dice.choice(["lab-a", "lab-b", "lab-c"])
    campaign = "sha256:" + log.statement(log.find("campaign")[0]).campaign.hex()
    log.leaves = [leaf for leaf in log.leaves if f"\nlab {lab}\n".encode() not in leaf]
    log.insert(len(log.leaves), consortium.keys["log"].statement(
        "no-response", [("campaign", campaign), ("lab", lab), ("reason", "never answered")]))
    return []


def forged_roster(consortium, log, dice):
    """A roster in which the operator's key is a lab's too many, signed by anybody but root."""
    index = log.find("roster")[-1]
    statement = log.statement(index)
    record = unpack(consortium.object(statement.roster))
    record[2], record[3] = record[2] + 1, statement.roster
    digest = consortium.put(pack(record))
    key = consortium.keys[dice.choice(["operator", "log", "board", "lab-a"])]
    forged = key.statement("roster", [("roster", digest), ("consortium", statement.consortium), ("version", record[2]),
                                      ("previous", "sha256:" + statement.roster.hex())])
    log.insert(dice.randrange(index + 1, len(log.leaves)), forged)
    return []


def longer_unit(consortium, log, dice):
    """A unit that gives its lab more time, dealt anew by the coordinator: the result answers the old one."""
    index = some_result(log, dice)
    statement = log.statement(index)
    unit, _ = statement.pairs[0]
    record = unpack(consortium.object(unit))
    record[7] += 1000 * dice.randrange(1, 100000)
    digest = consortium.put(pack(record))
    consortium.put(consortium.keys["log"].statement("unit", [("campaign", "sha256:" + statement.campaign.hex()),
                                                             ("lab", statement.lab), ("unit", digest)]))
    log.replace(index, unit.hex().encode(), digest[7:].encode())
    return []


def unit_by_another(consortium, log, dice):
    """The statement that deals a unit, signed by a key that deals none."""
    unit = dice.choice([path for path in consortium.files() if path.startswith("objects/")
                        and consortium.read(path).startswith(b"ringtrial/v1 unit\n")])
    statement = Statement(consortium.read(unit), False)
    consortium.remove(unit)
    key = consortium.keys[dice.choice([name for name in consortium.keys if name != "log"])]
    consortium.put(key.statement("unit", [("campaign", "sha256:" + statement.campaign.hex()), ("lab", statement.lab),
                                          ("unit", "sha256:" + statement.unit.hex())]))
    return []


def flip_in_leaf(_, log, dice):
    """A bit of what somebody signed, in a log written anew around it."""
    index = dice.randrange(len(log.leaves))
    leaf = log.leaves[index]
    at = dice.randrange(leaf.rindex(b"received "))
    log.leaves[index] = leaf[:at] + bytes([leaf[at] ^ 1 << dice.randrange(8)]) + leaf[at + 1:]
    return []


def flip_in_object(consortium, log, dice):
    """A bit of an object, which takes its new name everywhere in the log."""
    path = dice.choice([path for path in consortium.files() if path.startswith("objects/")])
    data = consortium.read(path)
    at = dice.randrange(len(data))
    consortium.remove(path)
    old = (path[8:10] + path[11:]).encode()
    new = consortium.put(data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:])[7:].encode()
    log.leaves = [leaf.replace(old, new) for leaf in log.leaves]
    return []


def time_travel(_, log, dice):
    """A leaf received before the one in front of it."""
    index = dice.randrange(1, len(log.leaves))
    day = datetime.timedelta(days=dice.randrange(1, 30)) // datetime.timedelta(milliseconds=1)
    log.stamp(index, log.statement(index - 1).received - day)
    return []


def duplicate_signature(consortium, log, dice):
    """One key's signature twice, to look like two."""
    index = dice.choice(log.find("roster") + log.find("campaign"))
    leaf = log.leaves[index]
    line = leaf[leaf.index(b"signed "):leaf.rindex(b"received ")]
    log.leaves[index] = leaf.replace(line, line + line, 1)
    return []


ATTACKS = {attack.__name__: attack for attack in (
    drop_result, drop_and_recount, close_by_operator, backdate_campaign, postpone_campaign, other_plan, swap_labs, swap_pairs,
    other_signer, alter_outcome, alter_with_stolen_key, alter_close_count, roll_back, fork, fork_accept, reorder_results,
    restamp_result, replay_result, result_after_close, start_first, early_no_response, vanished_lab, forged_roster, longer_unit,
    unit_by_another, flip_in_leaf, flip_in_object, time_travel, duplicate_signature)}
