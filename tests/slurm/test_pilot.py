#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pilot jobs on a real Slurm: a lab whose subject is served by jobs gives the outcomes of one that has
it in its own process, every trial counted once, whatever happens to the jobs on the way."""
import glob
import json
import os
import sys
import time
import unittest

from cluster import SKIP, missing
from consortium import WORKER, wait_for  # noqa: E402  (path set by cluster)
from slurmlab import SlurmLab

PILOT = """  synthetic-8b:
    executor: chat
    endpoint: "http://{{node}}:{{port}}/v1"
    api_key: per-job
    model: synthetic
    concurrency: 4
    slurm:
      mode: pilot
      spool: {spool}
      serve: [{serve}, "{{node}}", "{{port}}", "{{key_file}}"]
      sbatch: {{partition: donate, ntasks: "1", time: "00:{minutes}", signal: "B:USR1@{signal}"{more}}}
      ready: {{url: "http://{{node}}:{{port}}/health", within: 30s}}
      jobs_at_most: {jobs}
      idle_exit: {idle}
      margin: 5s
      poll: {poll}
"""
SERVE = """#!/bin/bash
echo "$SLURM_JOB_ID" >> {folder}/loads
exec {program}
"""
SLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow.py")


class Pilot(SlurmLab):
    def setUp(self):
        super().setUp()
        self.loads = os.path.join(self.c.folder, "loads")
        open(self.loads, "w").close()

    def pilot(self, delay=0, minutes="10:00", signal=60, more="", jobs=1, idle="20s", poll="1s", replicates=2):
        """A campaign, and uni-b set up to run it through jobs."""
        path = self.campaign(replicates)
        serve = os.path.join(self.c.folder, "serve-" + self.name)
        bench = os.path.join(self.c.folder, "bench-" + self.name)
        fast = "%s serve-subject --bench %s --host $1 --port $2 --key-file $3" % (WORKER, bench)
        slow = "%s %s %s %s $1 $2 $3 %s/delay" % (sys.executable, SLOW, WORKER, bench, self.c.folder)
        self.set_delay(delay)
        with open(serve, "w") as file:
            file.write(SERVE.format(folder=self.c.folder, program=slow if delay else fast))
        os.chmod(serve, 0o755)
        self.lab.subjects = PILOT.format(spool=self.spool(), serve=serve, minutes=minutes,
                                         signal=signal, more=more, jobs=jobs, idle=idle, poll=poll)
        self.begin(path)

    def set_delay(self, delay):
        """How long each request takes, from now on."""
        with open(os.path.join(self.c.folder, "delay"), "w") as file:
            file.write(str(delay))

    def loaded(self):
        with open(self.loads) as file:
            return file.read().split()

    def test_one_job_many_units(self):
        self.pilot(idle="4s")
        bundle = self.finish()
        self.assertEqual(len(self.loaded()), 1, "the model loads once a job, not once a unit")
        # Idle: the job ends by itself, and its folder goes.
        wait_for("the job to be ended", lambda: not self.cluster.jobs(), 30, 0.3)
        wait_for("the job's folder to go", lambda: not glob.glob(self.spool() + "/rt-*"), 20, 0.3)

    def test_gpu_hours_end_the_jobs(self):
        """Jobs hold their GPUs from start to end: at the cap they end, and no other is sent."""
        self.addCleanup(setattr, self.lab, "policy", self.lab.policy)  # the tests share one lab
        self.lab.policy = "{classes: [public, synthetic], campaigns: {approve: automatic}, total: {gpu_hours: 1}}"
        begin = self.begin

        def with_gpus(path):
            # 720 GPUs that a job is said to hold use an hour up in five seconds.
            self.lab.subjects = self.lab.subjects.replace("    slurm:\n", "    gpus: 720\n    slurm:\n")
            begin(path)
        self.begin = with_gpus
        self.pilot(delay=0.5, idle="5m", replicates=40)
        wait_for("the job", self.loaded, 40, 0.2)
        wait_for("the cap", lambda: "gpu_hours_total" in
                 (json.loads(self.lab.worker("status", "--json"))["running"] or {}).get("policy", ""), 40, 0.3)
        wait_for("the job to be ended", lambda: not self.cluster.jobs(), 30, 0.3)
        used = json.loads(self.lab.worker("status", "--json"))["usage"]["gpu_hours_total"]
        self.assertTrue(1 <= used < 4, used)
        time.sleep(3)
        self.assertEqual(len(self.loaded()), 1)
        self.assertFalse(self.cluster.jobs())

    def next_load(self, count):
        wait_for("load %d of the model" % count, lambda: len(self.loaded()) >= count, 40, 0.1)
        self.more_trials()

    def test_whatever_happens_to_the_jobs(self):
        self.pilot(delay=0.06, replicates=9)
        self.next_load(1)
        first = self.loaded()[0]

        # The worker dies and comes back: the job goes on, the model stays loaded.
        self.lab.process.kill()
        self.start()
        self.more_trials()
        self.assertEqual(self.loaded(), [first])
        self.assertIn("slurm job of an earlier run", self.lab.process.text())

        # Somebody cancels the job.
        self.cluster.call("scancel", first)
        self.next_load(2)
        second = self.loaded()[1]
        self.assertNotEqual(second, first)

        # Requeued by an administrator: the same job, another server.
        self.cluster.call("scontrol", "requeue", second)
        self.cluster.start_soon(second)
        self.next_load(3)
        self.assertEqual(self.loaded()[2], second)

        # Preempted by the owners of the node, for as long as they need it.
        self.cluster.call("sbatch", "--partition=owners", "--ntasks=8", "--output=/dev/null", "--wrap", "sleep 2")
        self.cluster.start_soon(second)
        self.next_load(4)
        self.assertEqual(self.loaded()[3], second)

        # The node goes down, and comes back.
        self.cluster.call("scontrol", "update", "NodeName=" + self.cluster.node, "State=DOWN", "Reason=test")
        wait_for("the job to leave the node", lambda: self.cluster.jobs().get(second) == "PENDING", 20, 0.1)
        self.cluster.call("scontrol", "update", "NodeName=" + self.cluster.node, "State=RESUME",
                          code=None)  # it may have come back by itself
        self.next_load(5)
        self.set_delay(0)
        self.finish(90)
        self.assertEqual(len(self.loaded()), 5)

    def test_warned_before_the_time_limit(self):
        self.pilot(delay=0.06, replicates=3)
        self.next_load(1)
        job = self.loaded()[0]
        # What --signal=B:USR1@SECONDS makes Slurm do, without the wait for it.
        self.cluster.call("scancel", "--batch", "--signal=USR1", job)
        wait_for("units to be handed back", lambda: "its job's time is over" in self.lab.process.text(), 20)
        wait_for("the warned job to end", lambda: job not in self.cluster.jobs(), 20, 0.2)
        self.next_load(2)
        self.finish(60)
        self.assertEqual(len(self.loaded()), 2)
        self.assertNotIn("its trials wait", self.lab.process.text(), "what was in flight finished")


if __name__ == "__main__":
    absent = missing()
    if absent:
        print("skipped: %s not installed (scripts/setup installs Slurm)" % ", ".join(absent))
        sys.exit(SKIP)
    unittest.main()
