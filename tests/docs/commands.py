#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command line in a document's sh blocks, and every example in --help, must name a command and options that the
program has. Usage: commands.py SOURCE_DIR BIN_DIR"""
import os
import re
import shlex
import subprocess
import sys

PROGRAMS = ["ringtrial-coordinator", "ringtrial-worker", "ringtrial-audit"]


def help_of(bin_dir, program, words):
    result = subprocess.run([os.path.join(bin_dir, program), *words, "--help"], capture_output=True, text=True, timeout=20)
    return result.stdout if result.returncode == 0 else None


def commands_of(bin_dir, program):
    """{command name: set of its options} from the program's own help."""
    table = {}
    text = help_of(bin_dir, program, [])
    section = text.split("commands:\n", 1)[1].split("\n\n", 1)[0]
    for line in section.split("\n"):
        name = re.match(r"  (\S+(?: \S+)*?)(?:  |$)", line)
        if name:
            own = help_of(bin_dir, program, name.group(1).split())
            table[name.group(1)] = (set(re.findall(r"--([a-z][a-z0-9-]*)", own)), own)
    return table


def lines_of(path):
    inside, joined, start = False, "", 0
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if line.startswith("```"):
            inside = line.strip() in ("```sh", "```bash", "```console") if not inside else False
            continue
        if not inside:
            continue
        if not joined:
            start = number
        joined += line.rstrip("\n").rstrip("\\") + " "
        if line.rstrip("\n").endswith("\\"):
            continue
        yield start, joined.strip()
        joined = ""


def check(line, tables):
    """The fault in one command line, or None. Lines of other programs are not ours to judge."""
    for part in re.split(r"\||&&|;", line):
        part = re.sub(r"^\$ ", "", part.strip())
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if not words or os.path.basename(words[0]) not in PROGRAMS:
            continue
        program = os.path.basename(words[0])
        table = tables[program]
        rest = words[1:]
        if rest and rest[0].startswith("--"):
            continue
        name = next((" ".join(rest[:n]) for n in (3, 2, 1) if " ".join(rest[:n]) in table), None)
        if name is None:
            return f"{program} has no command '{' '.join(rest[:2])}'"
        for word in rest:
            option = re.match(r"--([a-z][a-z0-9-]*)", word)
            if option and option.group(1) not in table[name][0]:
                return f"{program} {name} has no option --{option.group(1)}"
    return None


def main():
    source, bin_dir = sys.argv[1:3]
    tables = {program: commands_of(bin_dir, program) for program in PROGRAMS}
    faults, checked = [], 0
    tracked = subprocess.run(["git", "-C", source, "ls-files", "*.md"], capture_output=True, text=True, check=True)
    for name in tracked.stdout.split():
        for number, line in lines_of(os.path.join(source, name)):
            checked += 1
            fault = check(line, tables)
            if fault:
                faults.append(f"{name}:{number}: {fault}")
    for program, table in tables.items():
        for command, (_, text) in table.items():
            example = re.search(r"\nexample:\n((?:  .*\n?)+)", text)
            if not example:
                faults.append(f"{program} {command}: its help has no example")
                continue
            checked += 1
            fault = check(example.group(1).strip().split("\n")[0], tables)
            if fault:
                faults.append(f"{program} {command} --help: {fault}")
    print("\n".join(faults))
    print(f"{checked} command lines checked, {len(faults)} faults")
    sys.exit(1 if faults or not checked else 0)


main()
