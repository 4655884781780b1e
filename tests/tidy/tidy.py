#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules a machine can hold: sizes, SPDX lines, layers, banned calls. Prints each breach as file:line."""
import re
import subprocess
import sys

COLUMNS, FUNCTION_LINES, FILE_LINES = 100, 70, 600
# A folder includes only from those before it (DESIGN.md section 3); the three programs never include one another.
LAYERS = {
    "common/base": [],
    "common/crypto": ["common/base"],
    "common/tlog": ["common/base", "common/crypto"],
    "common/stats": ["common/base"],
    "common/web": ["common/base"],
    "common/report": ["common/base", "common/crypto", "common/stats", "common/web"],
    "proto": ["common"],
    "engine": ["common", "proto"],
    "interop": ["common", "proto", "engine"],
    "coordinator": ["common", "proto", "engine", "interop"],
    "worker": ["common", "proto", "engine", "interop"],
    "auditor": ["common", "proto", "engine"],
}
# A file whose whole content is one table may be longer.
LONG_FILES = {"proto/doc/tables.c"}
BANNED = re.compile(r"\b(strcpy|strcat|gets|strtok|atoi|atol|atof|sprintf|mktemp|tmpnam|system|alloca|asctime|ctime)\s*\(")
ALLOWED_SPRINTF = re.compile(r"snprintf|vsnprintf")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

breaches = []


def breach(path, line, text):
    breaches.append(f"{path}:{line}: {text}")


def layer_of(path):
    return max((layer for layer in LAYERS if path.startswith(layer + "/")), key=len, default=None)


def check_include(path, number, line):
    match = re.match(r'#include "([^"]+)"', line)
    layer = layer_of(path)
    if not match or not layer:
        return
    target = match.group(1)
    if target.startswith(layer + "/"):
        return
    if not any(target.startswith(below + "/") for below in LAYERS[layer]):
        breach(path, number, f"{layer} may not include {target}")


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > FUNCTION_LINES:
                breach(path, start, f"function of {number - start - 1} lines; split it (at most {FUNCTION_LINES})")
            start = None


def check_file(root, path):
    with open(f"{root}/{path}", encoding="utf-8") as file:
        lines = file.read().split("\n")
    if not lines[0].startswith("// SPDX-License-Identifier: Apache-2.0"):
        breach(path, 1, "first line must be the SPDX line")
    if len(lines) > FILE_LINES and path not in LONG_FILES and "/generated/" not in path:
        breach(path, len(lines), f"file of {len(lines)} lines; split it by idea (at most {FILE_LINES})")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            breach(path, number, f"{len(line)} columns (at most {COLUMNS})")
        if "\t" in line or line.rstrip() != line:
            breach(path, number, "tab or trailing blank")
        code = ALLOWED_SPRINTF.sub("", line.split("//")[0])
        if BANNED.search(code) and not path.startswith("tests/"):
            breach(path, number, "banned call: " + BANNED.search(code).group(1))
        if UNFINISHED.search(line):
            breach(path, number, "unfinished work is said in an issue, not in the source")
        check_include(path, number, line)
    check_functions(path, lines)


def main():
    root = sys.argv[1]
    names = subprocess.run(["git", "-C", root, "ls-files", "*.c", "*.h"], check=True, capture_output=True, text=True)
    files = names.stdout.split()
    if not files:
        sys.exit("no sources found")
    for path in files:
        check_file(root, path)
    print("\n".join(breaches))
    print(f"{len(files)} files, {len(breaches)} breaches")
    sys.exit(1 if breaches else 0)


main()
