#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slurm's own warning signal, a minute before a real time limit: what runs finishes, another job goes on. Slow."""
import sys
import unittest

import test_pilot
from cluster import SKIP, missing
from consortium import wait_for  # noqa: E402  (path set by cluster)


class Signal(test_pilot.Pilot):
    def test_warned_by_slurm(self):
        self.pilot(delay=2, minutes="02:00", signal=60, replicates=20)
        self.next_load(1)
        job = self.loaded()[0]
        wait_for("units to be handed back", lambda: "its job's time is over" in self.lab.process.text(), 130, 0.2)
        self.set_delay(0)
        wait_for("the warned job to end", lambda: job not in self.cluster.jobs(), 30, 0.2)
        self.finish(60)
        self.assertEqual(len(self.loaded()), 2)
        self.assertNotIn("its trials wait", self.lab.process.text(), "what was in flight finished")


if __name__ == "__main__":
    absent = missing()
    if absent:
        print("skipped: %s not installed (scripts/setup installs Slurm)" % ", ".join(absent))
        sys.exit(SKIP)
    unittest.main(argv=[sys.argv[0], "Signal.test_warned_by_slurm"])
