#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Escrow beside the stock age: it seals to our key, opens our shares, and takes the identity that enough of them give."""
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from consortium import COORDINATOR, run


class Escrow(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ringtrial-escrow-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def age(self, *words, code=0, input=None):
        done = subprocess.run(["age", *words], input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode == 0, code == 0, done.stdout)
        return done.stdout

    def test_two_of_three(self):
        members, names = [], ["ada", "ben", "cem"]
        for name in names:
            subprocess.run(["age-keygen", "-o", self.path(name + ".key")], check=True, stderr=subprocess.DEVNULL)
            recipient = subprocess.run(["age-keygen", "-y", self.path(name + ".key")], check=True, stdout=subprocess.PIPE)
            members += ["--member", name + "=" + recipient.stdout.decode().strip()]
        out = self.path("shares")
        recipient = run(COORDINATOR, "escrow", "make", "--threshold", "2", *members, "--out", out).split()[1]
        for size in (0, 5, 65536, 200000):  # what anybody seals with the stock program
            with open(self.path("plain-%d" % size), "wb") as file:
                file.write(os.urandom(size))
            self.age("-r", recipient, "-o", self.path("sealed-%d" % size), self.path("plain-%d" % size))
        for name in names:
            share = self.age("-d", "-i", self.path(name + ".key"), os.path.join(out, name + ".age"))
            with open(self.path(name + ".share"), "wb") as file:
                file.write(share)
        self.age("-d", "-i", self.path("ada.key"), os.path.join(out, "ben.age"), code=1)
        for pair in itertools.combinations(names, 2):
            identity = self.path("-".join(pair))
            run(COORDINATOR, "escrow", "join", *[self.path(name + ".share") for name in pair], "--out", identity)
            self.assertEqual(os.stat(identity).st_mode & 0o777, 0o600)
            for size in (0, 5, 65536, 200000):
                with open(self.path("plain-%d" % size), "rb") as file:
                    self.assertEqual(self.age("-d", "-i", identity, self.path("sealed-%d" % size)), file.read())
        self.assertIn("it takes 2 of 3", self.fails("ada.share"))
        self.assertIn("same one", self.fails("ada.share", "ada.share"))
        self.assertIn("is no share", self.fails("ada.share", "ben.key"))
        with open(self.path("ben.share"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        lines[5] = lines[5][:-1] + ("0" if lines[5][-1] != "0" else "1")
        with open(self.path("bad.share"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        self.assertIn("not what was handed out", self.fails("ada.share", "bad.share"))

    def fails(self, *names):
        code, out = run(COORDINATOR, "escrow", "join", *[self.path(name) for name in names], "--out", self.path("no"),
                        code=None)
        self.assertNotEqual(code, 0)
        self.assertFalse(os.path.exists(self.path("no")))
        return out


if __name__ == "__main__":
    if not shutil.which("age"):
        print("age is not installed")
        sys.exit(77)
    unittest.main()
