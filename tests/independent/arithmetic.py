#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trial arithmetic of DESIGN.md section 5, written a second time from the text alone, in plain Python.

Writes the golden vectors that the C implementation must reproduce:

    arithmetic.py write DIR    write DIR/*.json
    arithmetic.py check DIR    compute again and compare with DIR/*.json (exit 1 on any difference)

Nothing is imported from the project: SipHash-2-4 is written out below from its paper (Aumasson and
Bernstein, 2012) and checked against the paper's own test vector before anything else.
"""
import hashlib
import json
import os
import sys

MASK = (1 << 64) - 1


def rotl(value, bits):
    return ((value << bits) | (value >> (64 - bits))) & MASK


def sip_round(v):
    v[0] = (v[0] + v[1]) & MASK
    v[1] = rotl(v[1], 13) ^ v[0]
    v[0] = rotl(v[0], 32)
    v[2] = (v[2] + v[3]) & MASK
    v[3] = rotl(v[3], 16) ^ v[2]
    v[0] = (v[0] + v[3]) & MASK
    v[3] = rotl(v[3], 21) ^ v[0]
    v[2] = (v[2] + v[1]) & MASK
    v[1] = rotl(v[1], 17) ^ v[2]
    v[2] = rotl(v[2], 32)


def siphash24(key, data):
    k0 = int.from_bytes(key[:8], "little")
    k1 = int.from_bytes(key[8:], "little")
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    whole = len(data) - len(data) % 8
    words = [int.from_bytes(data[i:i + 8], "little") for i in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF]), "little"))
    for word in words:
        v[3] ^= word
        sip_round(v)
        sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def u64be(number):
    return number.to_bytes(8, "big")


def order_key(draw, block, lab):
    return hashlib.sha256(b"ringtrial/order/v1\0" + draw + u64be(block) + lab.encode()).digest()[:16]


def permute(key, size, index):
    """Six Feistel rounds on the smallest even width w with 2^w >= size; walk the cycle until below size."""
    width = 0
    while 1 << width < size:
        width += 2
    half = width // 2
    while True:
        left, right = index >> half, index % (1 << half)
        for number in range(6):
            mixed = siphash24(key, bytes([number]) + u64be(right)) % (1 << half)
            left, right = right, left ^ mixed
        index = left * (1 << half) + right
        if index < size:
            return index


def seed_of(draw, number, lab=None):
    text = b"ringtrial/seed/v1\0" + draw + u64be(number)
    if lab is not None:
        text += bytes([len(lab)]) + lab.encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") >> 1


def draw_of(campaign_leaf, accepts):
    return hashlib.sha256(b"ringtrial/draw/v1\0" + campaign_leaf + b"".join(accepts)).digest()


class Design:
    """A crossed design; subjects is a list of lists of temperatures, runs maps a lab to its subjects."""

    def __init__(self, prompts, subjects, replicates, at_zero):
        self.prompts, self.replicates, self.at_zero = prompts, replicates, at_zero
        self.configurations = [(s, t) for s, temperatures in enumerate(subjects) for t in temperatures]

    def number(self, replicate, prompt, configuration):
        return (replicate * self.prompts + prompt) * len(self.configurations) + configuration

    def block(self, replicate, runs):
        """The lab's trials of one replicate, in ascending order of their numbers."""
        return [self.number(replicate, prompt, c) for prompt in range(self.prompts)
                for c, (subject, temperature) in enumerate(self.configurations)
                if subject in runs and (temperature != 0 or replicate < self.at_zero)]

    def run_order(self, draw, lab, runs):
        order = []
        for replicate in range(self.replicates):
            trials = self.block(replicate, runs)
            key = order_key(draw, replicate, lab)
            order += [trials[permute(key, len(trials), j)] for j in range(len(trials))]
        return order


def hexed(data):
    return data.hex()


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def permutation_vectors():
    rows = []
    for size in (1, 2, 3, 4, 5, 15, 16, 17, 64, 65, 144, 1000):
        key = digest(f"key {size}")[:16]
        rows.append({"key": hexed(key), "size": size, "images": [permute(key, size, i) for i in range(size)]})
    for size in (2**31, 2**32 + 1, 10**9, 2**40, 2**62 - 57):
        key = digest(f"key {size}")[:16]
        points = sorted({0, 1, 2, size // 3, size // 2, size - 2, size - 1})
        rows.append({"key": hexed(key), "size": str(size),
                     "points": [[str(i), str(permute(key, size, i))] for i in points]})
    return rows


def seed_vectors():
    rows = []
    for name in ("a draw", "another draw"):
        draw = digest(name)
        for number in (0, 1, 31, 3887, 2**32, 2**53 + 1, 2**63 - 1):
            for lab in (None, "a", "uni-a", "l" * 64):
                rows.append({"draw": hexed(draw), "number": str(number), "lab": lab or "",
                             "seeds": "per-lab" if lab else "shared", "seed": seed_of(draw, number, lab)})
    return rows


def draw_vectors():
    rows = []
    for count in (0, 1, 5):
        accepts = [digest(f"accept {i}") for i in range(count)]
        leaf = digest(f"campaign {count}")
        rows.append({"leaf": hexed(leaf), "accepts": [hexed(a) for a in accepts], "draw": hexed(draw_of(leaf, accepts))})
    return rows


def design_vectors():
    cases = [
        ("one of everything", 1, [[700000]], 1, 1, {"lab": [0]}),
        ("zero temperature runs less often", 6, [[0, 700000, 1000000]], 5, 2, {"uni-a": [0], "uni-b": [0]}),
        ("two subjects, labs differ", 5, [[0, 500000], [1000000], [0]], 4, 1,
         {"a": [0], "b": [0, 1, 2], "c": [2]}),
        ("all at zero", 7, [[0]], 6, 3, {"z": [0]}),
        ("never at zero", 3, [[0, 1000000]], 3, 0, {"x": [0]}),
    ]
    rows = []
    for name, prompts, subjects, replicates, at_zero, labs in cases:
        design = Design(prompts, subjects, replicates, at_zero)
        draw = digest(name)
        rows.append({"name": name, "prompts": prompts, "subjects": subjects, "replicates": replicates,
                     "replicates_at_zero": at_zero, "draw": hexed(draw),
                     "labs": [{"id": lab, "runs": runs, "order": design.run_order(draw, lab, runs)}
                              for lab, runs in sorted(labs.items())]})
    return rows


def documents():
    return {"permutation.json": permutation_vectors(), "seed.json": seed_vectors(), "draw.json": draw_vectors(),
            "design.json": design_vectors()}


def main():
    # The example of the SipHash paper, appendix A: key 00..0f, message 00..0e.
    assert siphash24(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5
    for row in permutation_vectors():
        if "images" in row:
            assert sorted(row["images"]) == list(range(row["size"]))
    verb, folder = sys.argv[1], sys.argv[2]
    bad = 0
    for name, value in documents().items():
        text = json.dumps(value, indent=None, separators=(",", ":")).replace('},{"', '},\n{"') + "\n"
        path = os.path.join(folder, name)
        if verb == "write":
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            continue
        with open(path, encoding="utf-8") as file:
            same = file.read() == text
        print(f"{name}: {'same' if same else 'DIFFERENT'}")
        bad |= not same
    return bad


if __name__ == "__main__":
    sys.exit(main())
