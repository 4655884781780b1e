#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A lab that is not admitted, or whose coordinator is gone, does not wait for ever; `join` leaves nothing behind when
it is refused; --json gives JSON or is refused."""
import json
import os
import shutil
import subprocess
import unittest

from consortium import AUDIT, COORDINATOR, WORKER, Consortium, wait_for


class Alone(unittest.TestCase):
    def test_not_admitted(self):
        with Consortium(labs=["uni-a"]) as c:
            home, invite = os.path.join(c.folder, "uni-b"), os.path.join(c.folder, "uni-b.invite")
            c.coordinator("roster", "invite", "uni-b", "--out", invite)
            # No terminal and no --passphrase-file: usage, and no half-made folder.
            refused = subprocess.run([WORKER, "join", invite, "--state", home], stdin=subprocess.DEVNULL,
                                     capture_output=True, text=True, start_new_session=True, timeout=20)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertFalse(os.path.exists(home))
            bad = subprocess.run([WORKER, "join", invite, "--state", home, "--no-passphrase", "--cosigner", "junk"],
                                 capture_output=True, text=True, timeout=20)
            self.assertEqual(bad.returncode, 2, bad.stderr)
            self.assertFalse(os.path.exists(home))
            joined = subprocess.run([WORKER, "join", invite, "--state", home, "--no-passphrase"],
                                    capture_output=True, text=True, timeout=20)
            self.assertEqual(joined.returncode, 0, joined.stderr)
            command = [WORKER, "run", "--state", home, "--until-idle", "--give-up", "12s", "--redial-most", "500ms"]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 3, ended.stderr)
            self.assertIn("not admitted", ended.stderr)
            self.assertNotIn("event", ended.stderr)
            accept = subprocess.run([WORKER, "accept", "trial", "--reason", "a test", "--state", home, "--json"],
                                    capture_output=True, text=True, timeout=20)
            self.assertEqual(json.loads(accept.stdout), {"campaign": "trial", "asked": "accept"})
            path = c.write_campaign(replicates=2, at_zero=1, phrasings="[p1]", scenarios=1)
            plan = json.loads(c.coordinator("campaign", "check", path, "--json"))
            self.assertEqual(plan["campaign"], "trial")
            self.assertEqual(sum(lab["trials"] for lab in plan["labs"]), plan["trials"])

    def test_coordinator_gone(self):
        with Consortium(labs=["uni-a"]) as c:
            c.process.kill()
            command = [WORKER, "run", "--state", c.labs["uni-a"].folder, "--until-idle", "--give-up", "2s"]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 3, ended.stderr)
            self.assertIn("cannot be reached", ended.stderr)

    def test_no_json(self):
        for command in ([COORDINATOR, "bench", "card", "."], [COORDINATOR, "bench", "new", "no-such-folder"],
                        [AUDIT, "show", "."]):
            ended = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=20)
            self.assertEqual(ended.returncode, 2, command)
            self.assertIn("prints no JSON", ended.stderr)
            self.assertEqual(ended.stdout, "")

    def test_edited_program(self):
        """A script that is edited while its campaign runs is another instrument: the lab is held."""
        with Consortium(labs=["uni-a"]) as c:
            # A worker that runs as root runs its commands as nobody, who must be able to read them.
            os.chmod(c.folder, 0o755)
            path = c.write_campaign(replicates=400, at_zero=1, phrasings="[p1]", scenarios=2, temperatures="1.0")
            public = os.path.join(c.folder, "public")
            shutil.copytree(os.path.join(c.folder, "bench-trial"), os.path.join(public, "bench"))
            shutil.copy2(WORKER, os.path.join(public, "worker"))
            script = os.path.join(public, "subject.sh")
            with open(script, "w", encoding="utf-8") as file:
                file.write('#!/bin/sh\nexec "%s/worker" serve-subject --stdio --bench "%s/bench"\n' % (public, public))
            os.chmod(script, 0o755)
            subprocess.run(["chmod", "-R", "a+rX", public], check=True)
            lab = c.labs["uni-a"]
            lab.subjects = '  %s: {executor: command, command: ["%s"], concurrency: 2}\n' % (c.SUBJECT, script)
            lab.write()
            lab.start()
            c.register(path)
            c.wait_accepted("trial", "uni-a")
            c.act("start", "trial")
            wait_for("results", lambda: c.lab_status("trial", "uni-a")["final"] > 10, 60)
            with open(script, "a", encoding="utf-8") as file:
                file.write("# edited\n")
            wait_for("the hold", lambda: "changed" in (c.lab_status("trial", "uni-a").get("held") or ""), 60)


if __name__ == "__main__":
    unittest.main()
