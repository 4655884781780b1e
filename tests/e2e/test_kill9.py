#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of coordinator and workers, at failpoints and at random moments, all through one campaign: at its
end every planned trial is in the cells exactly once, every receipt proves its leaf, the store and the bundle
verify. A kill at an idle moment proves nothing, so most kills come from failpoints inside the work.

    test_kill9.py [--kills N] [--seed N]      default 16 kills; the slow test runs 60
"""
import argparse
import collections
import csv
import json
import os
import random
import subprocess
import sys
import time

from consortium import AUDIT, COORDINATOR, Consortium, Failed, run, wait_for
from evidence import Bundle, Proof

# Where each program may die, and how often it passes there: @rN is a random one of the first N passages.
AT_COORDINATOR = ["coordinator_before_commit:kill@r12", "coordinator_after_commit:kill@r12",
               "coordinator_before_send:kill@r40", "coordinator_after_send:kill@r40"]
AT_WORKER = ["worker_unit_stored:kill@r3", "worker_trial_done:kill@r60", "worker_trial_stored:kill@r60",
          "worker_before_sign:kill@r4", "worker_after_sign:kill@r4", "worker_outbox_commit:kill@r12",
          "worker_result_stored:kill@r4", "worker_after_send:kill@r4", "worker_receipt_verified:kill@r4"]
# A commit that fails from some moment on: the coordinator starts over, or ends with an error.
FAILURES = ["coordinator_commit:fail@r12", "coordinator_commit:space@r12"]


class Campaign:
    def __init__(self, kills, seed):
        self.random = random.Random(seed)
        self.wanted, self.kills, self.failures = kills, collections.Counter(), 0
        self.labs = ["uni-a", "uni-b", "uni-c"]
        self.c = Consortium(labs=self.labs)

    # ---- killing

    def next_point(self, points):
        """Every point in turn, in random order, and a kill by hand at a random moment now and then."""
        unused = [p for p in points if not self.kills[p.split(":")[0]]]
        return self.random.choice(unused or points)

    def start_coordinator(self):
        point = self.next_point(AT_COORDINATOR) if self.left() else None
        if point and self.random.random() < 0.15:
            point = self.random.choice(FAILURES)
        self.c.process = self.c.serve(env={"RT_FAILPOINT": point} if point else None, wait=False)
        self.coordinator_point = point

    def start_lab(self, name):
        lab = self.c.labs[name]
        point = self.next_point(AT_WORKER) if self.left() else None
        # Three lost connections park a result, which is how a lab's admin would send it again.
        lab.start("--resend-parked", env={"RT_FAILPOINT": point} if point else None)
        self.points[name] = point

    def left(self):
        return max(0, self.wanted - sum(self.kills.values()))

    def died(self, process, point, what):
        code = process.popen.returncode
        if code == 3 and point in FAILURES:
            self.failures += 1  # a disk that goes on failing: it says so and ends, which is no kill
            return
        if code != -9:
            raise Failed("%s ended with %d\n%s" % (what, code, process.text()[-3000:]))
        self.kills[point.split(":")[0] if not point.startswith("at random") else point] += 1

    def look_after(self):
        """Start again whatever has died; kill something at random when nothing dies by itself."""
        if not self.c.process.running():
            self.died(self.c.process, self.coordinator_point, "coordinator")
            self.start_coordinator()
        for name in self.labs:
            if not self.c.labs[name].process.running():
                self.died(self.c.labs[name].process, self.points[name], name)
                self.start_lab(name)
        if self.left() and time.monotonic() > self.next_kill:
            self.next_kill = time.monotonic() + self.random.uniform(0.3, 1.5)
            if self.random.random() < 0.5:
                self.c.process.kill()
                self.coordinator_point = "at random, coordinator"
            else:
                name = self.random.choice(self.labs)
                self.c.labs[name].process.kill()
                self.points[name] = "at random, worker"

    # ---- the campaign

    def state(self):
        """How the campaign stands; None while the coordinator is down or dies under the question."""
        try:
            code, text = run(COORDINATOR, "status", "--state", self.c.state, "--json", code=None, timeout=2)
        except subprocess.TimeoutExpired:
            return None
        if code:
            return None
        return next(row for row in json.loads(text)["campaigns"] if row["campaign"] == "trial")

    def run(self):
        c = self.c
        self.points = {}
        self.next_kill = time.monotonic() + 5
        c.register(c.write_campaign(replicates=max(6, self.wanted // 2), at_zero=2, phrasings="[p1, p3]", scenarios=4,
                                    temperatures="0.0, 0.7, 1.0",
                                    unit="{trials: 8, attempts: 3, reissue_after: 20s, accept_until: 1h}"))
        for lab in c.labs.values():
            lab.start()
        c.wait_accepted("trial", *self.labs)
        c.act("start", "trial")
        # From here on everything that starts is armed, and so is everything that starts after it.
        for lab in c.labs.values():
            lab.process.kill()
        c.process.kill()
        self.start_coordinator()
        for name in self.labs:
            self.start_lab(name)
        end = time.monotonic() + 60 + 6 * self.wanted
        finished = False
        while not finished or self.left():
            if time.monotonic() > end:
                raise Failed("not done in time: %s\n%s" % (self.state(), dict(self.kills)))
            self.look_after()
            time.sleep(0.05)
            state = self.state() if self.random.random() < 0.1 else None
            finished = finished or (state and all(row["final"] == row["planned"] for row in state["labs"]))
            if finished and self.left():
                break
        if self.left():
            raise Failed("the campaign was done after %d of %d kills; make it longer" %
                         (sum(self.kills.values()), self.wanted))
        self.calm_down()
        c.act("close", "trial")
        c.wait("trial", "closed", 60)

    def calm_down(self):
        """Everything once more without failpoints, since those that did not fire are still armed."""
        for lab in self.c.labs.values():
            lab.process.kill()
        self.c.process.kill()
        self.c.serve()
        for lab in self.c.labs.values():
            lab.start("--resend-parked")
        self.c.wait("trial", "done", 60)

    # ---- what must hold afterwards

    def check(self):
        c = self.c
        folder = os.path.join(c.folder, "bundle")
        c.coordinator("bundle", "trial", "--out", folder)
        c.coordinator("report", "trial", "--csv", os.path.join(c.folder, "cells.csv"))
        bundle = Bundle(folder)
        log_key = c.coordinator_keys()["log"]
        assert bundle.root() == bundle.checkpoint.root and bundle.checkpoint.signed_by(log_key)
        campaign = bundle.campaign()
        counted = bundle.recount(campaign)
        with open(os.path.join(c.folder, "cells.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        for lab in self.labs:
            planned = campaign.planned(lab)
            assert {n for name, n in counted if name == lab} == planned, "trials of %s" % lab
            # Exactly once: as many as planned in the cells, and each cell as the recount has it.
            assert sum(int(row["n"]) for row in rows if row["lab"] == lab) == len(planned), lab
        theirs = collections.Counter()
        for row in rows:
            theirs[row["scenario"], row["arm"], row["phrasing"], row["temperature"], row["lab"], row["status"],
                   row["outcome"] if row["status"] == "ok" else "", row["fingerprint"]] += int(row["n"])
        ours = collections.Counter()
        for cell, n in bundle.cells(campaign).items():
            ours[cell.scenario, cell.arm, cell.phrasing, "%g" % (cell.temperature / 1e6), cell.lab, cell.status,
                 cell.outcome if cell.status == "ok" else "", "sha256:" + cell.fingerprint.hex()] += n
        assert ours == theirs, "cells and recount differ"
        arrivals = sum(1 for _ in bundle.arrivals(campaign))
        self.receipts(bundle, log_key)
        c.process.stop()
        c.coordinator("fsck")
        run(AUDIT, "verify", folder, "--log-key", log_key)
        return len(counted), arrivals

    def receipts(self, bundle, log_key):
        """Every receipt of every lab is for that lab's own leaf, at its index of this very log; none is missing."""
        leaves = bundle.statements()
        for name in self.labs:
            lab = self.c.labs[name]
            folder = os.path.join(lab.folder, "receipts-out")
            lab.worker("leave", "trial", "--reason", "all is done", "--export", folder)
            own = {i for i, leaf in enumerate(leaves) if leaf.kind in ("accept", "result", "close") and
                   leaf.fields["lab"] == name}
            found = set()
            for file in os.listdir(folder):
                if not file.endswith(".tlog-proof"):
                    continue
                with open(os.path.join(folder, file)) as handle:
                    proof = Proof(handle.read())
                with open(os.path.join(folder, file[:-len(".tlog-proof")] + ".leaf"), "rb") as handle:
                    leaf = handle.read()
                assert proof.holds(leaf, log_key), file
                assert bundle.leaves[proof.index] == leaf, "%s is another leaf in the log" % file
                found.add(proof.index)
            results = {i for i in own if leaves[i].kind == "result"}
            assert results <= found, "%s lacks receipts %s" % (name, sorted(results - found)[:5])
            run(AUDIT, "verify", bundle.folder, "--log-key", log_key, "--receipts", folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=int(os.environ.get("RINGTRIAL_KILLS", "16")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RINGTRIAL_SEED", "20261120")))
    options = parser.parse_args()
    start = time.monotonic()
    campaign = Campaign(options.kills, options.seed)
    with campaign.c:
        campaign.run()
        if options.kills >= 50:
            unused = {p.split(":")[0] for p in AT_COORDINATOR + AT_WORKER} - set(campaign.kills)
            assert not unused, "never killed at %s" % sorted(unused)
        counted, arrivals = campaign.check()
    print("%d kills in one campaign (%s) and %d ends by a failing disk; %d trials planned, each counted once, "
          "%d arrived; %.0f s" % (sum(campaign.kills.values()),
                                  ", ".join("%s %d" % item for item in sorted(campaign.kills.items())),
                                  campaign.failures, counted, arrivals, time.monotonic() - start))


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main()
