# SPDX-License-Identifier: Apache-2.0
"""Strict MessagePack, and documents as tables of fields: decoded from their objects and written as people read them.
From docs/EVIDENCE.md alone."""
import base64
import datetime
import re
import struct

import nacl.bindings


class Bad(Exception):
    """What is not as docs/EVIDENCE.md says it must be."""


def need(condition, text):
    if not condition:
        raise Bad(text)


# ---- MessagePack: one value has one encoding

def unpack(data):
    value, end = unpack_at(data, 0, 0)
    need(end == len(data), "trailing bytes")
    return value


def unpack_at(data, at, depth):
    need(at < len(data) and depth <= 16, "cut short, or too deep")
    head = data[at]
    at += 1
    if head < 0x80:
        return head, at
    if head >= 0xE0:
        return head - 256, at
    if 0x90 <= head < 0xA0:
        return unpack_array(data, at, head & 15, depth)
    if 0xA0 <= head < 0xC0:
        return unpack_text(data, at, head & 31)
    if head in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[head], at
    if 0xCC <= head <= 0xCF or 0xD0 <= head <= 0xD3:
        return unpack_int(data, at, head)
    widths = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4}
    need(head in widths, "a type that objects do not have")
    width = widths[head]
    need(at + width <= len(data), "cut short")
    size = int.from_bytes(data[at:at + width], "big")
    at += width
    least = {0xC5: 256, 0xC6: 65536, 0xD9: 32, 0xDA: 256, 0xDB: 65536, 0xDC: 16, 0xDD: 65536}.get(head, 0)
    need(size >= least, "not the shortest form")
    if head <= 0xC6:
        need(at + size <= len(data), "cut short")
        return data[at:at + size], at + size
    return unpack_text(data, at, size) if head <= 0xDB else unpack_array(data, at, size, depth)


def unpack_int(data, at, head):
    form = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}[head]
    size = struct.calcsize(form)
    need(at + size <= len(data), "cut short")
    value = struct.unpack_from(form, data, at)[0]
    if head < 0xD0:
        need(value >= {1: 128, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[size], "not the shortest form")
    else:
        need(value < {1: -32, 2: -(1 << 7), 4: -(1 << 15), 8: -(1 << 31)}[size], "not the shortest form")
    return value, at + size


def unpack_text(data, at, size):
    need(at + size <= len(data), "cut short")
    try:
        return data[at:at + size].decode(), at + size
    except UnicodeDecodeError:
        raise Bad("not UTF-8") from None


def unpack_array(data, at, count, depth):
    need(count <= len(data) - at, "cut short")
    values = []
    for _ in range(count):
        value, at = unpack_at(data, at, depth + 1)
        values.append(value)
    return values, at


# ---- documents: (name, kind, required[, more])

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


def is_id(text):
    return isinstance(text, str) and ID.fullmatch(text) is not None


VALID = [("from", "date", True), ("until", "date", True)]
COORDINATOR = [("address", "text", True), ("curve", "curve", True), ("log", "text", True)]
THRESHOLD = [("threshold", "key of the map", True), ("role", "id", True), ("sign", "number", True),
             ("from", "number", False, 1)]
VENDOR = [("id", "id", True), ("families", "texts", False), ("contact", "text", False), ("window", "duration", False)]
INTEREST = [("fact", "rest", False)]
LAB = [("id", "id", True), ("sign", "key", True), ("curve", "curve", True), ("cosign", "text", False),
       ("classes", "texts", False), ("serves", "texts", False), ("from", "date", False), ("until", "date", False)]
PERSON = [("id", "id", True), ("roles", "texts", True), ("sign", "key", True), ("curve", "curve or nil", False),
          ("witness", "text", False), ("from", "date", False), ("until", "date", False)]
ORG = [("id", "id", True), ("name", "text", False),
       ("kind", "word", True, ["university", "company", "government", "civil-society", "independent"]),
       ("interests", "list", False, INTEREST), ("labs", "list", False, LAB), ("people", "list", False, PERSON)]
REVOKED = [("key", "key", True), ("lab", "text", False), ("person", "text", False), ("at_index", "number", False, 0),
           ("at", "date", True), ("reason", "text", True), ("successor", "key or nil", False)]
ROSTER = [("ringtrial", "format", True), ("roster", "id", True), ("version", "number", True),
          ("previous", "digest or nil", False), ("valid", "struct", True, VALID), ("coordinator", "struct", True, COORDINATOR),
          ("thresholds", "map", True, THRESHOLD), ("terms", "pairs", False), ("vendors", "list", False, VENDOR),
          ("organisations", "list", True, ORG), ("revoked", "list", False, REVOKED)]


def decode(table, data):
    return decode_record(table, unpack(data))


def decode_record(table, row):
    need(isinstance(row, list) and len(row) == len(table), "another number of fields")
    return {field[0]: decode_value(field, value) for field, value in zip(table, row)}


def decode_value(field, value):
    kind = field[1]
    if kind.endswith(" or nil"):
        if value is None:
            return None
        kind = kind[:-7]
    if kind == "struct":
        return decode_record(field[3], value)
    if kind in ("list", "map"):
        need(isinstance(value, list), "not a list")
        return [decode_record(field[3], item) for item in value]
    if kind == "texts":
        need(isinstance(value, list) and all(is_id(item) for item in value), "not a list of ids")
    elif kind in ("pairs", "rest"):
        need(isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)
                                             and isinstance(pair[1], str) for pair in value), "not a list of pairs")
    elif kind in ("text", "id", "key of the map"):
        need(isinstance(value, str) and (is_id(value) or kind == "text"), "not a text or an id")
    elif kind in ("digest", "key", "curve"):
        need(isinstance(value, bytes) and len(value) == 32, "not 32 bytes")
        need(kind != "key" or nacl.bindings.crypto_core_ed25519_is_valid_point(value), "not a point of prime order")
    else:
        need(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63, "not a number")
        need(kind != "format" or value == 1, "another version")
        need(kind != "word" or value < len(field[3]), "not one of the words")
    return value


# ---- as people read them

def write_yaml(table, record):
    return "".join(line + "\n" for line in write_record(table, record)).encode()


def write_record(table, record):
    lines = []
    for field in table:
        name, kind, value = field[0], field[1], record[field[0]]
        if skipped(field, value) or kind == "key of the map":
            continue
        if kind == "struct":
            lines += [name + ":"] + ["  " + line for line in write_record(field[3], value)]
        elif kind == "list":
            lines.append(name + ":")
            for item in value:
                inner = write_record(field[3], item)
                lines += ["  - " + inner[0]] + ["    " + line for line in inner[1:]] if inner else ["  - {}"]
        elif kind == "map":
            lines.append(name + ":")
            for item in value:
                inner = write_record(field[3], item)
                lines += [f"  {text(item[field[3][0][0]])}:"] + ["    " + line for line in inner]
        elif kind == "rest":
            lines += [f"{text(key)}: {text(item)}" for key, item in value]
        else:
            lines.append(f"{name}: {scalar(kind, value, field)}")
    return lines


def skipped(field, value):
    if field[2]:
        return False
    return value in (None, [], "") or value == (field[3] if len(field) > 3 and field[1] == "number" else 0)


def scalar(kind, value, field):
    kind = kind.replace(" or nil", "")
    if kind in ("format", "number"):
        return str(value)
    if kind == "word":
        return text(field[3][value])
    if kind == "texts":
        return "[" + ", ".join(map(text, value)) + "]"
    if kind == "pairs":
        return "{" + ", ".join(f"{text(key)}: {text(item)}" for key, item in value) + "}"
    if kind == "digest":
        return "sha256:" + value.hex()
    if kind == "key":
        import hashlib
        return "minisign:" + base64.b64encode(b"Ed" + hashlib.sha256(value).digest()[:8] + value).decode()
    if kind == "curve":
        return "rt-curve:" + base64.b64encode(value).decode()
    if kind == "date":
        moment = datetime.datetime.fromtimestamp(value // 1000, datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d" if value % 86400000 == 0 else "%Y-%m-%dT%H:%M:%S.") + \
            ("" if value % 86400000 == 0 else "%03dZ" % (value % 1000))
    if kind == "duration":
        unit, size = next((unit, size) for unit, size in (("d", 86400000), ("h", 3600000), ("m", 60000), ("s", 1000), ("ms", 1))
                          if value % size == 0)
        return f"{value // size}{unit}"
    return text(value)


def text(value):
    """Plain where no reader can take it for anything else."""
    words = ("yes", "no", "on", "off", "true", "false", "null", "all")
    if re.fullmatch(r"[A-Za-z_/@][A-Za-z0-9_\-./+@]*", value, re.ASCII) and value.lower() not in words:
        return value
    value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{value}"'
