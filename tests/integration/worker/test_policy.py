# SPDX-License-Identifier: Apache-2.0
"""The lab's own word through the real programs: by hand, by day, by hour; leaving and declining; and a
log that was rolled back."""
import glob
import os
import shutil
import sys
import time

from bench import CAMPAIGN, Consortium, Lab, check, closed, done, own_row, registered, started, state, wait_for

HAND = "{classes: [public, synthetic], campaigns: {approve: by-hand}}"


def by_hand():
    with Consortium([lambda c: Lab(c, "uni-a", policy=HAND), lambda c: Lab(c, "uni-b", policy=HAND),
                     lambda c: Lab(c, "uni-c", policy="{classes: [secret], campaigns: {approve: automatic}}")]) as c:
        a, b, other = (c.labs[lab] for lab in ("uni-a", "uni-b", "uni-c"))
        for lab in (a, b, other):
            lab.start()
        registered(c)
        wait_for("the offer", lambda: a.worker("status", code=None)[1].count("undecided"))
        check("nobody accepts by themselves", state(c, "uni-a") == "invited" and state(c, "uni-b") == "invited")
        a.worker("accept", CAMPAIGN, "--reason", "agreed")
        b.worker("decline", CAMPAIGN, "--reason", "no capacity")
        started(c, "uni-a")
        wait_for("uni-b to withdraw", lambda: state(c, "uni-b") == "withdrawn")
        wait_for("uni-a to finish", lambda: done(c, "uni-a"), 60)
        other.worker("accept", CAMPAIGN, "--reason", "please")
        time.sleep(1.5)
        check("no person lets in a class the policy does not name", state(c, "uni-c") == "invited")
        code, text = other.worker("policy", "test", CAMPAIGN, code=None)
        check("policy test says why", code == 6 and "class" in text)
        closed(c, "uni-a")


def budgets():
    limited = "{classes: [public], campaigns: {approve: automatic}, per_day: {trials: 70}}"
    day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][(time.gmtime().tm_wday + 3) % 7]
    shut = "{classes: [public], campaigns: {approve: automatic}, hours: [\"%s 10:00-11:00\"]}" % day
    with Consortium([lambda c: Lab(c, "uni-a", policy=limited), lambda c: Lab(c, "uni-b", policy=shut)]) as c:
        for lab in c.labs.values():
            lab.start()
        registered(c)
        started(c, "uni-a", "uni-b")
        wait_for("the day's trials", lambda: own_row(c.labs["uni-a"])["trials"] == 70)
        time.sleep(1.5)
        check("not one trial more than the day allows", own_row(c.labs["uni-a"])["trials"] == 70)
        check("units that cannot be finished are not kept",
              c.lab_status(CAMPAIGN, "uni-a")["final"] <= 70 and own_row(c.labs["uni-a"])["units"] <= 1)
        check("nothing runs outside the hours", own_row(c.labs["uni-b"])["trials"] == 0)
        check("and status says why", "hours" in c.labs["uni-b"].worker("status"))


def leaving():
    half = "{classes: [public], campaigns: {approve: automatic}, per_day: {trials: 300}}"
    with Consortium([lambda c: Lab(c, "uni-a", policy=half), lambda c: Lab(c, "uni-b", policy=half)]) as c:
        a, b = c.labs["uni-a"], c.labs["uni-b"]
        a.start()
        b.start()
        registered(c, replicates=12, at_zero=12)
        started(c, "uni-a", "uni-b")
        wait_for("some results", lambda: c.lab_status(CAMPAIGN, "uni-a")["final"] > 50)
        text = a.worker("leave", CAMPAIGN, "--reason", "the machine is needed")
        row = c.lab_status(CAMPAIGN, "uni-a")
        check("it left part of the work undone", row["state"] == "withdrawn" and row["final"] < row["planned"])
        receipts = glob.glob(os.path.join(a.folder, "state", "receipts", "*.tlog-proof"))
        check("every statement has its receipt as a file",
              len(receipts) == own_row(a)["receipted"] + 2 and "%d receipts" % len(receipts) in text)
        a.process.stop()
        b.process.kill()
        # Nobody runs the loop now: leave does it itself.
        b.worker("leave", CAMPAIGN, "--reason", "the same")
        check("leave runs the loop where nobody does", state(c, "uni-b") == "withdrawn")


def states():
    slow = "  synthetic-8b: {executor: builtin, concurrency: 1}\n"
    with Consortium([lambda c: Lab(c, "uni-a", subjects=slow)]) as c:
        lab = c.labs["uni-a"]
        lab.start()
        registered(c, replicates=60, at_zero=60, phrasings="all")
        started(c, "uni-a")
        wait_for("some results", lambda: c.lab_status(CAMPAIGN, "uni-a")["final"] > 50)
        c.coordinator("campaign", "pause", CAMPAIGN, "--reason", "test")
        time.sleep(0.7)
        before = own_row(lab)["trials"]
        time.sleep(1)
        check("a paused campaign stands still", own_row(lab)["trials"] == before)
        c.coordinator("campaign", "resume", CAMPAIGN, "--reason", "test")
        wait_for("it to go on", lambda: own_row(lab)["trials"] > before + 20)
        c.coordinator("campaign", "cancel", CAMPAIGN, "--reason", "test")
        wait_for("the units to be handed back", lambda: not own_row(lab)["units"])
        before = own_row(lab)["trials"]
        time.sleep(1)
        check("a cancelled campaign is over", own_row(lab)["trials"] == before)
        closed(c, "uni-a")
        check("and closes with what it has", c.lab_status(CAMPAIGN, "uni-a")["final"] < 144 * 2 * 60)


def rollback():
    with Consortium(["uni-a"]) as c:
        lab = c.labs["uni-a"]
        registered(c, replicates=1)
        lab.start()
        wait_for("accept", lambda: state(c, "uni-a") == "accepted")
        c.process.stop()
        shutil.copytree(c.state, c.state + ".old")
        c.serve()
        c.coordinator("campaign", "start", CAMPAIGN, "--reason", "test")
        wait_for("all trials", lambda: done(c, "uni-a"))
        lab.process.stop()
        lab.start() # sees the newest checkpoint at its HELLO
        wait_for("the connection", lambda: "connected log=" in lab.process.text().split("stopped")[-1])
        lab.process.stop()
        c.process.stop()
        shutil.rmtree(c.state)
        os.rename(c.state + ".old", c.state)
        c.serve()
        lab.start()
        code = lab.process.wait(20)
        check("a log that was rolled back is refused", code == 4 and "rolled back" in lab.process.text())


if len(sys.argv) < 2:
    by_hand()
    budgets()
leaving()
states()
rollback()
