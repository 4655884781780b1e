#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Full disks on either side, on a small tmpfs: intake stops with a clear word, nothing acknowledged is
lost, and the campaign goes on as soon as there is room. Needs root for the mount; skipped without."""
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from consortium import Consortium, wait_for
from evidence import Bundle

MIB = 1 << 20


class Disk:
    """A tmpfs of a few MiB, and a file that fills it."""

    def __init__(self, mib):
        self.folder = tempfile.mkdtemp(prefix="ringtrial-disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm,mode=0700" % mib, "tmpfs", self.folder], check=True)
        self.ballast = os.path.join(self.folder, "ballast")

    def fill(self, leave):
        """Take all room but `leave` bytes."""
        for _ in range(50):  # the programs write meanwhile
            free = os.statvfs(self.folder)
            size = free.f_bavail * free.f_frsize - leave
            if size <= 0:
                return
            with open(self.ballast, "ab") as file:
                try:
                    return os.posix_fallocate(file.fileno(), file.tell(), size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def ease(self):
        os.remove(self.ballast)

    def end(self):
        subprocess.run(["umount", "-l", self.folder], check=False)
        os.rmdir(self.folder)


class FullDisks(unittest.TestCase):
    def disk(self, mib):
        disk = Disk(mib)
        self.addCleanup(disk.end)
        return disk

    def complete(self, c):
        """To the end, recounted by somebody else."""
        c.wait("trial", "done", 90)
        c.act("close", "trial")
        c.wait("trial", "closed", 30)
        folder = os.path.join(c.folder, "bundle")
        c.coordinator("bundle", "trial", "--out", folder)
        bundle = Bundle(folder)
        self.assertEqual(bundle.root(), bundle.checkpoint.root)
        campaign = bundle.campaign()
        counted = bundle.recount(campaign)
        for lab in campaign.labs:
            self.assertEqual({n for name, n in counted if name == lab}, campaign.planned(lab))
        c.process.stop()
        c.coordinator("fsck")

    def begin(self, c):
        path = c.write_campaign(replicates=20, at_zero=1, temperatures="0.7, 1.0", scenarios=4)
        for lab in c.labs.values():
            lab.start()
        c.register(path)
        c.wait_accepted("trial", *c.labs)
        c.act("start", "trial")

    def test_full_disk_of_the_coordinator(self):
        disk = self.disk(12)
        with Consortium(labs=["uni-a", "uni-b"], state=os.path.join(disk.folder, "state")) as c:
            self.begin(c)
            wait_for("some results", lambda: c.lab_status("trial", "uni-a")["final"] > 0)
            disk.fill(16 << 10)
            wait_for("the coordinator to notice", lambda: c.status()["disk_full"], 30)
            self.assertIn("DISK FULL", c.coordinator("status"))
            self.assertRegex(c.process.text(), r"(warn|error): .*(full|space)")
            before = {lab: c.lab_status("trial", lab)["final"] for lab in c.labs}
            size = c.status()["log"]["size"]
            # It still answers, and it still holds what it acknowledged.
            wait_for("intake to turn results away", lambda: c.counters()["refused_full"] > 0)
            disk.ease()
            wait_for("work to go on", lambda: c.status()["log"]["size"] > size, 60)
            for lab, final in before.items():
                self.assertGreaterEqual(c.lab_status("trial", lab)["final"], final)
            self.complete(c)

    def test_full_disk_of_the_coordinator_then_killed(self):
        """kill -9 while the disk is full, and a start on a disk that is still full."""
        disk = self.disk(12)
        with Consortium(labs=["uni-a", "uni-b"], state=os.path.join(disk.folder, "state")) as c:
            self.begin(c)
            wait_for("some results", lambda: c.lab_status("trial", "uni-a")["final"] > 0)
            disk.fill(48 << 10)
            wait_for("the coordinator to notice", lambda: c.status()["disk_full"], 30)
            disk.fill(0)
            c.process.kill()
            c.serve(wait=False)
            try:
                c.process.wait(3)
                self.assertRegex(c.process.text(), r"(space|full)")
            except subprocess.TimeoutExpired:
                pass  # it waits for room instead, which is as good
            disk.ease()
            if not c.process.running():
                c.serve()
            self.complete(c)

    def test_full_disk_of_a_worker(self):
        disk = self.disk(6)
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            lab = c.labs["uni-b"]
            state = os.path.join(lab.folder, "state")
            shutil.move(state, os.path.join(disk.folder, "state"))
            os.symlink(os.path.join(disk.folder, "state"), state)
            self.begin(c)
            wait_for("some results", lambda: c.lab_status("trial", "uni-b")["final"] > 0)
            disk.fill(16 << 10)
            wait_for("the worker to notice", lambda: "space" in lab.process.text() or "full" in lab.process.text(), 30)
            # Whoever asks is told so, although nothing can be written.
            wait_for("status to say so", lambda: (json.loads(lab.worker("status", "--json"))["running"] or {})
                     .get("disk") == "full", 10)
            # The other lab is not held up.
            wait_for("uni-a", lambda: c.lab_status("trial", "uni-a")["final"] ==
                     c.lab_status("trial", "uni-a")["planned"], 60)
            row = c.lab_status("trial", "uni-b")
            self.assertLess(row["final"], row["planned"])
            disk.ease()
            if not lab.process.running():
                lab.start()
            self.complete(c)


if __name__ == "__main__":
    if os.geteuid():
        sys.stderr.write("skipped: mounting a small tmpfs needs root\n")
        sys.exit(77)
    probe = tempfile.mkdtemp()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], stderr=subprocess.DEVNULL).returncode:
        os.rmdir(probe)
        sys.stderr.write("skipped: this machine does not let root mount a tmpfs\n")
        sys.exit(77)
    subprocess.run(["umount", probe], check=True)
    os.rmdir(probe)
    unittest.main()
