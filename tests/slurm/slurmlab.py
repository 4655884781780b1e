# SPDX-License-Identifier: Apache-2.0
"""What the tests with a real Slurm share: two labs, of which one (uni-b) runs its trials through jobs."""
import glob
import os
import shutil
import sys
import unittest

from cluster import Cluster
from consortium import Consortium, wait_for  # noqa: E402  (path set by cluster)
from evidence import Bundle


class SlurmLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = Consortium(labs=["uni-a", "uni-b"])
        try:
            cls.cluster = Cluster(cls.c.folder, node="127.0.0.1")
            os.environ.update(cls.cluster.env)
            cls.c.labs["uni-a"].start()
        except BaseException:
            cls.c.close()
            raise

    @classmethod
    def tearDownClass(cls):
        for lab in cls.c.labs.values():
            if lab.process and lab.process.running():
                lab.process.stop()
        cls.cluster.close()
        cls.c.close()

    def setUp(self):
        self.name = self.id().split("test_")[-1].replace("_", "-")
        self.lab = self.c.labs["uni-b"]

    def tearDown(self):
        result = self._outcome.result
        failed = any(test is self for test, _ in result.errors + result.failures)
        if failed:
            self.c.show_logs()
            self.cluster.show_logs()
            for path in glob.glob(self.spool() + "/*/log*"):
                with open(path) as file:
                    sys.stderr.write("---- %s\n%s\n" % (path, file.read()))
        if self.lab.process and self.lab.process.running():
            self.lab.process.stop()
        self.cluster.call("scancel", "--me", code=None)
        wait_for("jobs to end", lambda: not self.cluster.jobs(), 20, 0.2)
        shutil.rmtree(self.spool(), ignore_errors=True)

    def spool(self):
        return os.path.join(self.c.folder, "spool")

    def campaign(self, replicates):
        """A campaign of shared seeds: equal subjects give equal outcomes."""
        return self.c.write_campaign(name=self.name, replicates=replicates, at_zero=1, seeds="shared", scenarios=2,
                                     temperatures="0.0, 1.0",
                                     unit="{trials: 4, attempts: 3, reissue_after: 60s, accept_until: 1h}")

    def begin(self, path):
        """With uni-b's worker.yaml as it now is, to the campaign's start."""
        self.lab.write()
        self.start()
        self.c.register(path)
        self.c.wait_accepted(self.name, *self.c.labs)
        self.c.act("start", self.name)

    def start(self):
        self.lab.start(env=self.cluster.env)

    def done(self):
        return self.c.lab_status(self.name, "uni-b")

    def finish(self, seconds=60):
        """To the end: both labs' outcomes are equal, every trial counted once, none an error."""
        self.c.wait(self.name, "done", seconds)
        self.c.act("close", self.name)
        self.c.wait(self.name, "closed", 30)
        folder = os.path.join(self.c.folder, "bundle-" + self.name)
        self.c.coordinator("bundle", self.name, "--out", folder)
        bundle = Bundle(folder)
        campaign = bundle.campaign()
        counted = bundle.recount(campaign)
        planned = campaign.planned("uni-a")
        self.assertEqual({n for lab, n in counted if lab == "uni-b"}, set(planned))
        self.assertEqual([n for n in planned if counted["uni-a", n][:3] != counted["uni-b", n][:3]], [])
        self.assertNotIn("error", {counted["uni-b", n][0] for n in planned})
        self.assertNotIn("trial failed", self.lab.process.text())
        return bundle

    def trials(self):
        """How many of uni-b's trials have come in."""
        return self.done()["final"]

    def more_trials(self, seconds=40):
        before = self.trials()
        wait_for("more trials", lambda: self.trials() > before, seconds, 0.2)
