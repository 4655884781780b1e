# SPDX-License-Identifier: Apache-2.0
"""Kill the worker at each of its failpoints, again and again: every trial counts once, nothing that
was finished is run again, every receipt verifies, and the stored transcripts still score the same."""
import random
import re
import sys

from bench import Consortium, check, closed, done, own_row, registered, started, wait_for

POINTS = ["unit-stored", "trial-done", "trial-stored", "before-sign", "after-sign", "outbox-commit", "result-stored",
          "after-send", "receipt-verified"]


def crash(consortium, lab, point, passages):
    """One life: until the failpoint strikes or everything is done. True when it struck."""
    lab.start("--campaign-auto", env={"RT_FAILPOINT": "worker-%s:kill@%d" % (point, passages)})
    wait_for("a crash at %s" % point, lambda: not lab.process.running() or done(consortium, lab.name), 60)
    struck = not lab.process.running()
    if struck and lab.process.popen.returncode != -9:
        raise SystemExit("the worker ended by itself: %d" % lab.process.popen.returncode)
    lab.process.kill()
    return struck


def main():
    random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    with Consortium(["uni-a"]) as consortium:
        lab = consortium.labs["uni-a"]
        registered(consortium, replicates=12, at_zero=12)
        lab.start("--campaign-auto")
        started(consortium, "uni-a")
        lab.process.kill()
        struck = {point: 0 for point in POINTS}
        for point in POINTS * 3:
            struck[point] += crash(consortium, lab, point, random.randint(1, 4))
        print("crashes:", struck)
        check("each failpoint struck at least twice", min(struck.values()) >= 2)
        check("work was left for the last life", not done(consortium, "uni-a"))
        lab.start("--campaign-auto")
        row = wait_for("all trials", lambda: done(consortium, "uni-a"), 120)
        closed(consortium, "uni-a")
        wait_for("the worker to know", lambda: own_row(lab)["stage"] == "closed")
        lab.process.stop()
        mine = own_row(lab)
        check("every planned trial is in the outbox once", mine["trials"] == row["planned"])
        check("nothing waits or is parked", not mine["waiting"] and not mine["parked"] and not mine["units"])
        # A coordinator that never saw a result deals its trials again; the lab answers from its store.
        log = lab.process.text()
        check("no receipt failed to verify", "does not verify" not in log)
        check("the log never contradicted itself", "rolled back" not in log)
        replay = lab.worker("replay", "--json")
        check("every transcript replays to its outcome", re.search(r'"different": 0\b', replay) is not None)
        consortium.process.stop()
        consortium.coordinator("fsck")
        print("ok: fsck")


main()
