#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bench through all executors that need no scheduler: builtin, chat over HTTP, a command in bubblewrap, and the
recipe's shell script that talks to a model server behind a Unix-domain socket from a sandbox without network. For shared
seeds, trial by trial, the outcomes are equal."""
import collections
import os
import shutil
import socket
import subprocess
import sys
import threading
import unittest

from consortium import SOURCE, WORKER, Consortium, run
from endpoint import Subject
from evidence import Bundle
from test_benches import BENCH_FOLDER, BENCHES, campaign_text

LABS = ["builtin", "chat", "command", "script"]
RECIPES = os.path.join(SOURCE, "configs", "labs", "command-shell")


class Forward(threading.Thread):
    """A Unix-domain socket before a TCP port, as socat would be."""

    def __init__(self, path, port):
        super().__init__(daemon=True)
        self.port, self.listener = port, socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(64)
        self.start()

    def run(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        with near, socket.create_connection(("127.0.0.1", self.port)) as far:
            back = threading.Thread(target=self.copy, args=(far, near), daemon=True)
            back.start()
            self.copy(near, far)
            back.join()

    @staticmethod
    def copy(a, b):
        try:
            while block := a.recv(65536):
                b.sendall(block)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def bwrap_runs():
    if not shutil.which("bwrap"):
        return False
    return subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], check=False).returncode == 0


class Command(unittest.TestCase):
    def test_all_benches_alike(self):
        with Consortium(labs=LABS) as c:
            # A worker that runs as root runs its commands as nobody, who must be able to read them.
            os.chmod(c.folder, 0o755)
            public = os.path.join(c.folder, "public")
            shutil.copytree(RECIPES, os.path.join(public, "command-shell"))
            shutil.copy2(WORKER, os.path.join(public, "ringtrial-worker"))
            run("chmod", "-R", "a+rX", public)
            for name in BENCHES:
                shutil.copytree(os.path.join(BENCH_FOLDER, name), os.path.join(c.folder, name))
                with self.subTest(bench=name):
                    self.play(c, public, name)

    def play(self, c, public, name):
        bench = os.path.join(public, "benches", name)
        shutil.copytree(os.path.join(BENCH_FOLDER, name), bench)
        run("chmod", "-R", "a+rX", public)
        subject = Subject(c, bench)
        folder = os.path.join(public, "socket-" + name)
        os.mkdir(folder, 0o755)
        forward = Forward(os.path.join(folder, "s"), subject.port)
        self.addCleanup(forward.close)
        command = ('{executor: command, command: ["%s", serve-subject, --stdio, --bench, "%s"], sandbox: bwrap, '
                   'confine: {read_only: ["%s"]}, concurrency: 8}' % (public + "/ringtrial-worker", bench, bench))
        script = ('{executor: command, command: ["%s", "%s/s", synthetic], sandbox: bwrap, '
                  'confine: {read_only: ["%s"]}, concurrency: 4}' % (public + "/command-shell/curl.sh", folder, folder))
        chat = '{executor: chat, endpoint: "http://127.0.0.1:%d/v1", model: synthetic, concurrency: 8}' % subject.port
        for lab, what in zip(LABS, ["{executor: builtin}", chat, command, script]):
            home = c.labs[lab]
            home.subjects = "  %s: %s\n" % (Consortium.SUBJECT, what)
            home.write()
            if home.process:
                home.process.stop()
            home.start()
        path = os.path.join(c.folder, name + ".yaml")
        behaviour, contrast, _, _ = BENCHES[name]
        text = campaign_text(name, behaviour, contrast)
        text = text.replace("replicates: 3,", "replicates: 1,").replace("per-lab", "shared")
        text = text.replace("phrasings: all", "phrasings: [p1]")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        c.register(path)
        c.wait_accepted(name, *c.labs)
        c.act("start", name)
        c.wait(name, "done", 120)
        places = ["the built-in synthetic subject", "POST %s/chat/completions" % subject.url,
                  public + "/ringtrial-worker", public + "/command-shell/curl.sh"]
        for lab, place in zip(LABS, places):
            self.assertIn("\n# %s\n{" % place, c.labs[lab].worker("dry-run", name, "--count", "1"), lab)
        bundle_folder = os.path.join(c.folder, "bundle-" + name)
        c.coordinator("bundle", name, "--out", bundle_folder)
        bundle = Bundle(bundle_folder)
        campaign = bundle.campaign()
        counted = bundle.recount(campaign)
        planned = campaign.planned("builtin")
        outcomes = collections.Counter(counted["builtin", n][1] for n in planned)
        self.assertGreater(len(outcomes), 2, "outcomes that tell anything apart")
        for lab in LABS[1:]:
            different = [n for n in planned if counted["builtin", n][:3] != counted[lab, n][:3]]
            self.assertEqual(different, [], "%s at %s: %s" % (name, lab, [counted[lab, n] for n in different[:3]]))
        print("%s: %d trials alike at %d labs: %s" % (name, len(planned), len(LABS), dict(outcomes)), file=sys.stderr)


if __name__ == "__main__":
    if not bwrap_runs() or not shutil.which("curl") or not shutil.which("jq"):
        print("bubblewrap, curl and jq are needed: skipped")
        sys.exit(77)
    unittest.main()
