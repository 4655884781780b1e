#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Array jobs on a real Slurm: a lab whose trials are played whole inside jobs gives the outcomes of one that has
the subject in its own process, every trial counted once, whatever happens to the tasks on the way."""
import glob
import os
import sys
import unittest

from cluster import SKIP, missing
from consortium import WORKER, wait_for  # noqa: E402  (path set by cluster)
from evidence import unpack
from slurmlab import SlurmLab

ARRAY = """  synthetic-8b:
    executor: command
    command: [{command}]
    concurrency: {concurrency}
    timeout: 30s
    slurm:
      mode: array
      spool: {spool}
      setup: [": one line of shell"]
      env: {{FROM_WORKER_YAML: "yes"}}
      sbatch: {{partition: donate, ntasks: "1", time: "00:10:00", signal: "B:USR1@60"}}
      trials_per_task: {each}
      tries: {tries}
      jobs_at_most: {jobs}
      poll: 1s
"""
COMMAND = """#!/bin/bash
[ "$FROM_WORKER_YAML" = yes ] && [ -n "$SLURM_JOB_ID" ] || exit 9
echo "$SLURM_JOB_ID $SLURM_ARRAY_TASK_ID" >> {folder}/played
sleep "$(cat {folder}/delay)"
exec {worker} serve-subject --bench {bench} --stdio
"""


class Array(SlurmLab):
    def array(self, delay=0, replicates=2, each=4, tries=3, jobs=2, concurrency=4, command=None):
        path = self.campaign(replicates)
        self.command = os.path.join(self.c.folder, "command-" + self.name)
        self.played = os.path.join(self.c.folder, "played")
        open(self.played, "w").close()
        self.write_command()
        self.set_delay(delay)
        self.lab.policy = "{classes: [public, synthetic], campaigns: {approve: automatic}, concurrency: 64}"
        self.lab.subjects = ARRAY.format(command=command or self.command, spool=self.spool(), each=each, tries=tries,
                                         jobs=jobs, concurrency=concurrency)
        self.begin(path)

    def set_delay(self, delay):
        with open(os.path.join(self.c.folder, "delay"), "w") as file:
            file.write(str(delay))

    def times_played(self):
        with open(self.played) as file:
            return len(file.readlines())

    def write_command(self):
        with open(self.command, "w") as file:
            file.write(COMMAND.format(folder=self.c.folder, worker=WORKER,
                                      bench=os.path.join(self.c.folder, "bench-" + self.name)))
        os.chmod(self.command, 0o755)

    def folders(self):
        return glob.glob(self.spool() + "/rt-*")

    def log(self):
        return self.lab.process.text()

    def running(self):
        """The array tasks that run now, such as 12_3."""
        return [job for job, state in self.cluster.jobs().items() if state == "RUNNING" and "_" in job]

    def test_outcomes_are_equal(self):
        self.array()
        bundle = self.finish()
        digests = {arrival[5] for arrival in bundle.arrivals(bundle.campaign()) if arrival[0] == "uni-b"}
        served = [unpack(bundle.object(digest)) for digest in digests]
        self.assertEqual({(f[2], f[14], f[12]) for f in served}, {("command", "slurm-job", "partition=donate")})
        # Trials go out in arrays, and nothing is left behind.
        with open(self.played) as file:
            self.assertIn("1", {line.split()[1] for line in file if " " in line.strip()})
        wait_for("the jobs' folders to go", lambda: not self.folders(), 20, 0.3)

    def test_whatever_happens_to_the_tasks(self):
        self.array(delay=1.2, replicates=3, each=3, concurrency=1, jobs=3)
        wait_for("tasks to run", lambda: len(self.running()) >= 8, 20, 0.1)

        # A result that is none: the worker does not take it, and the trial is played by another job.
        folder = self.folders()[0]
        with open(os.path.join(folder, "plan")) as file:
            count = file.read().count("\ntrial ")
        with open(os.path.join(folder, "result-%d" % (count - 1)), "wb") as file:
            file.write(b"ringtrial-trial 1 " + os.urandom(300))

        # The worker dies and comes back: its jobs went on, and their trials are not played again.
        self.lab.process.kill()
        first = self.log()
        before = self.times_played()
        wait_for("trials to be played without a worker", lambda: self.times_played() > before + 8, 10, 0.1)
        self.start()
        wait_for("its jobs to be found", lambda: "slurm array job of an earlier run" in self.log(), 10, 0.1)

        # Somebody cancels a task.
        victims = self.running()
        self.assertGreater(len(victims), 3)
        self.cluster.call("scancel", victims[0])

        # Requeued by an administrator: the same task goes on where it was.
        victim = victims[1]
        self.cluster.call("scontrol", "requeue", victim, code=None)
        self.cluster.call("scontrol", "update", "JobId=" + victim, "StartTime=now+2", code=None)

        # The node goes down, and comes back.
        self.cluster.call("scontrol", "update", "NodeName=" + self.cluster.node, "State=DOWN", "Reason=test")
        wait_for("its tasks to be requeued", lambda: not set(victims[2:]) & set(self.running()), 20, 0.1)
        self.cluster.call("scontrol", "update", "NodeName=" + self.cluster.node, "State=RESUME", code=None)
        for job in self.cluster.jobs():
            self.cluster.call("scontrol", "update", "JobId=" + job, "StartTime=now+2", code=None)
        self.set_delay(0)
        wait_for("the cancelled trials to be given to another job", lambda: "was lost with its task" in self.log(), 20)
        self.finish(90)
        self.assertIn("a result from a job is not taken", first + self.log())

    def test_jobs_that_give_nothing(self):
        self.array(tries=2, command="/bin/false")
        # Twice at most, with a pause; then its trials come back unrun and nothing has become a result.
        wait_for("the first loss", lambda: "was lost with its task" in self.log(), 20, 0.1)
        self.assertIn("its task ended without a result: subject synthetic-8b", self.log())
        self.assertEqual(self.trials(), 0)
        self.assertNotIn("trial failed", self.log())


if __name__ == "__main__":
    absent = missing()
    if absent:
        print("skipped: %s not installed (scripts/setup installs Slurm)" % ", ".join(absent))
        sys.exit(SKIP)
    unittest.main()
