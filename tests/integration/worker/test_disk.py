# SPDX-License-Identifier: Apache-2.0
"""A full disk at the lab: it says so, takes nothing more, goes on by itself when there is room, and has
lost nothing. Needs root, for a small file system of its own."""
import os
import subprocess
import sys

from bench import Consortium, check, closed, done, own_row, registered, started, wait_for


def mount(folder, size, *flags):
    return subprocess.call(["mount", "-t", "tmpfs", "-o", ",".join((*flags, "size=%s" % size)), "tmpfs", folder],
                           stderr=subprocess.DEVNULL)


def main():
    if os.getuid() != 0:
        sys.exit(77)
    with Consortium(["uni-a"]) as consortium:
        lab = consortium.labs["uni-a"]
        folder = os.path.join(lab.folder, "state")
        if mount(folder, "700k"):
            sys.exit(77)
        try:
            lab.start()
            registered(consortium, replicates=8, at_zero=8)
            started(consortium, "uni-a")
            wait_for("the disk to fill", lambda: "no space left for the outbox" in lab.process.text(), 60)
            check("it is still running", lab.process.running())
            check("work is left", not done(consortium, "uni-a"))
            mount(folder, "64m", "remount")
            wait_for("it to go on", lambda: "there is room again" in lab.process.text())
            wait_for("all trials", lambda: done(consortium, "uni-a"), 60)
            closed(consortium, "uni-a")
            wait_for("the worker to know", lambda: own_row(lab)["stage"] == "closed")
            check("every trial ran once", own_row(lab)["trials"] == done(consortium, "uni-a")["planned"])
            lab.worker("replay")
            print("ok: replay")
        finally:
            lab.process.stop()
            subprocess.call(["umount", folder])


main()
