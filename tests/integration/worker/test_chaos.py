# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the coordinator and of both workers at random moments of one campaign: every trial ends
in the cells exactly once, every receipt verifies, nothing is parked for good."""
import random
import sys
import time

from bench import CAMPAIGN, Consortium, Lab, check, closed, done, own_row, registered, started, state, wait_for

KILLS = 30


def main():
    random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
    slow = "  synthetic-8b: {executor: builtin, concurrency: 1}\n"
    with Consortium([lambda c: Lab(c, "uni-a", subjects=slow), lambda c: Lab(c, "uni-b", subjects=slow)]) as c:
        labs = list(c.labs.values())
        registered(c, replicates=40, at_zero=40, phrasings="all",
                   unit="{trials: 16, attempts: 3, reissue_after: 10m, accept_until: 1h}")
        for lab in labs:
            lab.start("--redial-most", "200ms")
        started(c, "uni-a", "uni-b")
        kills = 0
        for _ in range(KILLS):
            time.sleep(random.uniform(0.02, 0.25))
            if all(done(c, lab.name) for lab in labs):
                break
            if random.random() < 0.5:
                c.process.kill()
                c.serve()
            else:
                lab = random.choice(labs)
                lab.process.kill()
                lab.start("--redial-most", "200ms")
            kills += 1
        print("kills:", kills)
        # A fast machine runs out of work first; the long campaign of kills is tests/e2e's.
        check("enough of them came while there was work", kills >= KILLS // 4)
        for lab in labs:
            wait_for("%s to finish" % lab.name, lambda lab=lab: done(c, lab.name), 90)
        closed(c, "uni-a", "uni-b")
        for lab in labs:
            wait_for("%s to know" % lab.name, lambda lab=lab: own_row(lab)["stage"] == "closed")
            lab.process.stop()
            row, mine = c.lab_status(CAMPAIGN, lab.name), own_row(lab)
            check("%s: every trial once" % lab.name, row["final"] == row["planned"] == mine["trials"])
            check("%s: nothing left" % lab.name, not mine["units"] and not mine["waiting"])
            check("%s: every receipt verified" % lab.name, "does not verify" not in lab.process.text())
            lab.worker("replay")
        check("both closed", state(c, "uni-a") == state(c, "uni-b") == "closed")
        c.process.stop()
        c.coordinator("fsck")
        print("ok: fsck")


main()
