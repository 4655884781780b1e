# SPDX-License-Identifier: Apache-2.0
"""Results whose receipts were lost with three connections are parked, although the log has them: the
lab's close counts them all the same, because they are sent again before it."""
from bench import CAMPAIGN, Consortium, check, closed, done, own_row, registered, started, wait_for

ATTEMPTS = 8


def main():
    with Consortium(["uni-a"]) as c:
        lab = c.labs["uni-a"]
        registered(c, replicates=12, at_zero=12, phrasings="all",
                   unit="{trials: 16, attempts: 3, reissue_after: 10m, accept_until: 1h}")
        lab.start("--redial-most", "200ms")
        started(c, "uni-a")
        wait_for("some results", lambda: c.lab_status(CAMPAIGN, "uni-a")["final"] > 50)
        c.process.kill()
        for _ in range(ATTEMPTS):
            # WELCOME and OFFER go out; the third frame is the receipt of what is already written.
            c.serve(env={"RT_FAILPOINT": "coordinator-before-send:kill@3"}, wait=False)
            wait_for("the coordinator to die", lambda: not c.process.running(), 20)
            if own_row(lab)["parked"]:
                break
        check("a result is parked", own_row(lab)["parked"])
        c.serve()
        wait_for("the rest", lambda: done(c, "uni-a"), 60)
        closed(c, "uni-a")
        wait_for("the lab to know", lambda: own_row(lab)["stage"] == "closed")
        check("nothing is parked any more", not own_row(lab)["parked"])
        lab.process.stop()
        c.process.stop()
        c.coordinator("fsck")
        print("ok: fsck")


main()
