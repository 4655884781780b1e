#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lab care: what policy would let happen, caps, the event program, sealed transcripts and their end, leaving with
receipts that an auditor can use, the unit file, and status on a full disk."""
import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

from consortium import AUDIT, COORDINATOR, SOURCE, WORKER, Consortium, run, wait_for

POLICY = "{classes: [public, synthetic], campaigns: {approve: %s}%s}"


def script(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


class Events(unittest.TestCase):
    def test_events_policy_and_leave(self):
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            lab = c.labs["uni-a"]
            told = os.path.join(lab.folder, "told")
            os.mkdir(told)
            script(lab.folder, "hook", 'cat > "%s/$$.json"\necho "$RINGTRIAL_EVENT:$RINGTRIAL_CAMPAIGN" >> %s/env\n'
                   % (told, told))
            lab.policy = POLICY % ("by-hand", ", per_day: {trials: 40}")
            lab.write()
            with open(lab.config, "a") as file:
                file.write("contact: {on_call: ops@uni-a.example, run_on_event: hook}\n")
            path = c.write_campaign(replicates=4, at_zero=1, scenarios=3)
            for each in c.labs.values():
                each.start()
            c.register(path)
            self.wait_told(told, "offered", "undecided")
            text = lab.worker("policy", "test", "trial", code=6)
            self.assertIn("undecided: waits for", text)
            self.assertRegex(text, r"trials today +0 used of 40, 40 left")
            self.assertIn("unknown: no trial has been run here yet", text)
            self.assertIn("wait for `accept`", lab.worker("policy", "show"))
            lab.worker("accept", "trial", "--reason", "agreed")
            c.wait_accepted("trial", *c.labs)
            c.act("start", "trial")
            self.wait_told(told, "accepted", "budget", seconds=60)
            events = self.events(told)
            self.assertEqual([e["campaign"] for e in events if e["event"] == "undecided"], ["trial"])
            self.assertTrue(all(e["lab"] == "uni-a" and e["version"] == 1 for e in events))
            self.assertIn("policy.per_day.trials", next(e for e in events if e["event"] == "budget")["text"])
            with open(os.path.join(told, "env")) as file:
                self.assertIn("undecided:trial", file.read().split("\n"))

            # The cap holds to the trial, and what was given is shown by campaign and subject.
            status = json.loads(lab.worker("status", "--json"))
            self.assertEqual(status["usage"]["trials_today"], 40)
            self.assertEqual([(d["campaign"], d["subject"], d["trials_total"]) for d in status["donated"]],
                             [("trial", c.SUBJECT, 40)])
            self.assertGreater(status["donated"][0]["tokens_total"], 0)
            self.assertEqual(status["limits"]["trials_today"], 40)
            self.assertIn("40 of 40 trials", lab.worker("status"))
            answer = json.loads(lab.worker("policy", "test", "trial", "--json"))
            self.assertTrue(answer["accepted"])
            self.assertFalse(answer["open_now"])
            self.assertGreater(answer["left"], 0)
            # The next trials are after midnight; by then the day's budget is there again.
            self.assertTrue(answer["tonight"]["trials"] <= 40 and answer["tonight"]["opens_in_ms"] > 0, answer)

            # A restart tells nothing twice.
            before = len(self.events(told))
            lab.process.stop()
            lab.start()
            time.sleep(3)
            self.assertEqual(len(self.events(told)), before)
            self.leave(c, lab, told)

    def leave(self, c, lab, told):
        folder = os.path.join(c.folder, "receipts")
        lab.worker("leave", "trial", "--reason", "the machine is needed", "--receipts", folder)
        with open(os.path.join(folder, "receipts.json")) as file:
            manifest = json.load(file)
        self.assertEqual((manifest["lab"], manifest["campaign"], manifest["stage"]), ("uni-a", "trial", "withdrawn"))
        kinds = [receipt["kind"] for receipt in manifest["receipts"]]
        self.assertEqual((kinds.count("accept"), kinds.count("withdraw")), (1, 1))
        self.assertEqual(kinds.count("result"), manifest["results"])
        self.wait_told(told, "closed")
        row = c.lab_status("trial", "uni-a")
        self.assertEqual((row["state"], row["held"]), ("withdrawn", "the lab has withdrawn: the machine is needed"))
        self.assertIn("the machine is needed", c.coordinator("status"))
        c.wait("trial", "done", 60)
        c.act("close", "trial")
        c.wait("trial", "closed", 30)
        bundle = os.path.join(c.folder, "bundle")
        c.coordinator("bundle", "trial", "--out", bundle)
        log_key = c.coordinator_keys()["log"]
        text = run(AUDIT, "verify", bundle, "--log-key", log_key, "--receipts", folder, code=None)[1]
        self.assertRegex(text, r"(?m)^.*ok.*receipts|receipts.*(ok|pass)")
        # A receipt that says otherwise is found.
        proof = os.path.join(folder, manifest["receipts"][0]["proof"])
        with open(proof) as file:
            lines = file.read().split("\n")
        index = next(i for i, line in enumerate(lines) if line.startswith("index "))
        lines[index] = "index %d" % (manifest["receipts"][0]["index"] + 1)
        with open(proof, "w") as file:
            file.write("\n".join(lines))
        code, text = run(AUDIT, "verify", bundle, "--log-key", log_key, "--receipts", folder, code=None)
        self.assertEqual(code, 1, text)

    def events(self, told):
        events = []
        for name in sorted(os.listdir(told)):
            if name.endswith(".json"):
                with open(os.path.join(told, name)) as file:
                    events.append(json.load(file))
        return events

    def wait_told(self, told, *words, seconds=20):
        def all_told():
            try:
                return set(words) <= {event["event"] for event in self.events(told)}
            except ValueError:  # half written
                return False
        wait_for("events " + ", ".join(words), all_told, seconds)

    def test_program_that_hangs_holds_nobody_up(self):
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            lab = c.labs["uni-a"]
            started = os.path.join(lab.folder, "started")
            script(lab.folder, "hook", "echo $$ >> %s\nexec sleep 1000\n" % started)
            hold = os.path.join(lab.folder, "hold")
            lab.policy = POLICY % ("automatic", ', hold_when: "sleep 1; test -e %s"' % hold)
            lab.write()
            with open(lab.config, "a") as file:
                file.write("contact: {run_on_event: hook}\n")
            path = c.write_campaign(replicates=3)
            for each in c.labs.values():
                each.start()
            c.run_campaign(path)
            with open(started) as file:
                pids = file.read().split()
            self.assertEqual(len(pids), 1, "one at a time")
            lab.process.stop()
            self.assertFalse(os.path.exists("/proc/" + pids[0]), "what runs ends with the worker")


class Caps(unittest.TestCase):
    def test_gpu_hours(self):
        """A lab that may give one GPU hour and declares 40,000 of them for its server gives less than a second."""
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            lab = c.labs["uni-a"]
            lab.subjects = "  %s: {executor: builtin, gpus: 4096}\n" % c.SUBJECT
            lab.policy = POLICY % ("automatic", ", total: {gpu_hours: 1}")
            lab.write()
            path = c.write_campaign(replicates=2000, at_zero=1)
            for each in c.labs.values():
                each.start()
            c.register(path)
            c.wait_accepted("trial", *c.labs)
            c.act("start", "trial")
            wait_for("the cap", lambda: "gpu_hours_total" in
                     (json.loads(lab.worker("status", "--json"))["running"] or {}).get("policy", ""), 60)
            used = json.loads(lab.worker("status", "--json"))["usage"]
            self.assertGreaterEqual(used["gpu_hours_total"], 1)
            self.assertLess(used["gpu_hours_total"], 3)
            trials = used["trials_total"]
            time.sleep(1.5)
            self.assertEqual(json.loads(lab.worker("status", "--json"))["usage"]["trials_total"], trials)
            self.assertIn("GPU hours", lab.worker("policy", "test", "trial"))


class Transcripts(unittest.TestCase):
    def test_sealed_then_purged(self):
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            lab = c.labs["uni-a"]
            lab.policy = POLICY % ("automatic", ", transcripts: {encrypt: true, keep: 30 days}")
            lab.write()
            path = c.write_campaign(replicates=2, scenarios=2)
            for each in c.labs.values():
                each.start()
            c.run_campaign(path)
            lab.process.stop()
            key = os.path.join(lab.folder, "keys", "vault.key")
            self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
            # What is stored is not readable, what is replayed is.
            pack = os.path.join(lab.folder, "state", "vault", "pack-00000001")
            with open(pack, "rb") as file:
                self.assertEqual(file.read(4), b"RTV2")
            lab.worker("replay", "trial")
            listed = json.loads(lab.worker("vault", "list", "--json"))
            self.assertEqual(listed["packs"][0]["sealed"], listed["packs"][0]["records"])
            self.assertEqual(listed["purge_packs"], 0)

            # Without the key and with another one: said clearly, and nothing new is sealed under it.
            os.rename(key, key + ".away")
            self.assertIn("encrypted under key", lab.worker("replay", "trial", code=None)[1])
            code, text = lab.worker("run", "--until-idle", code=None)
            self.assertNotEqual(code, 0)
            self.assertIn("put it back", text)
            with open(key, "w") as file:
                file.write("ringtrial-vault-key/v1 " + "ab" * 32 + "\n")
            os.chmod(key, 0o600)
            code, text = lab.worker("replay", "trial", code=None)
            self.assertNotEqual(code, 0)
            self.assertRegex(text, r"encrypted under key [0-9a-f]{16}, and vault.key .* is key [0-9a-f]{16}")
            os.rename(key + ".away", key)
            lab.worker("replay", "trial")
            self.purge(lab, pack)

    def purge(self, lab, pack):
        old = time.time() - 31 * 86400
        os.utime(pack, (old, old))
        self.assertIn("goes", lab.worker("vault", "purge", "--dry-run"))
        self.assertTrue(os.path.exists(pack))
        self.assertIn("purged       1 packs", lab.worker("vault", "purge"))
        self.assertFalse(os.path.exists(pack))
        with open(os.path.join(lab.folder, "state", "vault-purged.jsonl")) as file:
            line = json.loads(file.read())
        self.assertEqual((line["pack"], line["campaigns"]), (1, ["trial"]))
        code, text = lab.worker("replay", "trial", code=None)
        self.assertNotEqual(code, 0)
        self.assertIn("keep", text)

    def test_not_purged_while_needed(self):
        with Consortium(labs=["uni-a", "uni-b"]) as c:
            lab = c.labs["uni-a"]
            lab.policy = POLICY % ("automatic", ", transcripts: {keep: 2s}")
            lab.write()
            path = c.write_campaign(replicates=2, scenarios=2)
            for each in c.labs.values():
                each.start()
            c.register(path)
            c.wait_accepted("trial", *c.labs)
            c.act("start", "trial")
            c.wait("trial", "done", 60)
            time.sleep(4)
            packs = json.loads(lab.worker("vault", "list", "--json"))["packs"]
            self.assertGreater(sum(p["records"] for p in packs), 0)
            self.assertEqual({p["fate"] for p in packs if p["records"]}, {"needed: not over"})
            c.act("close", "trial")
            c.wait("trial", "closed", 30)
            wait_for("the worker to purge", lambda: sum(
                p["records"] for p in json.loads(lab.worker("vault", "list", "--json"))["packs"]) == 0, 30)
            self.assertIn("transcripts purged", lab.process.text())


class Service(unittest.TestCase):
    def test_units(self):
        with Consortium(labs=["uni-a"]) as c:
            lab = c.labs["uni-a"]
            text = lab.worker("install-service", "--print", "--user", "nobody")
            for option in ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "PrivateDevices=yes",
                           "ProtectKernelTunables=yes", "ProtectProc=invisible", "CapabilityBoundingSet=\n",
                           "RestrictAddressFamilies=", "SystemCallFilter=@system-service",
                           "MemoryDenyWriteExecute=yes", "LockPersonality=yes", "UMask=0077", "WatchdogSec=",
                           "MemoryMax=", "TasksMax="):
                self.assertIn(option, text)
            folder = tempfile.mkdtemp()
            self.addCleanup(shutil.rmtree, folder)
            lab.worker("install-service", "--user", "daemon", "--out", folder)
            self.analyze(os.path.join(folder, "ringtrial-worker.service"))
            code, text = lab.worker("install-service", "--print", "--user", "nobody", "--passphrase-file",
                                    lab.config, code=None)
            self.assertEqual(code, 0)
            self.assertIn("LoadCredential=passphrase:" + lab.config, text)
            self.assertIn("--passphrase-file %d/passphrase", text)
            self.same_as_sample(lab.worker("install-service", "--print", "--user", "ringtrial"),
                                "ringtrial-worker.service", WORKER, os.path.realpath(lab.folder), "uni-a")
            self.same_as_sample(c.coordinator("install-service", "--print", "--user", "ringtrial", "--low-port",
                                              "--http", "127.0.0.1:8080"),
                                "ringtrial-coordinator.service", COORDINATOR, os.path.realpath(c.state), "uni-a")
            # What worker.yaml needs is left open, and nothing else.
            lab.subjects = "  %s: {executor: command, command: [/bin/true]}\n" % c.SUBJECT
            lab.write()
            text = lab.worker("install-service", "--print", "--user", "daemon")
            self.assertNotIn("\nProtectKernelTunables=", text)
            self.assertIn("@mount", text)
            self.assertIn("NoNewPrivileges=yes", text)

            text = c.coordinator("install-service", "--print", "--user", "daemon")
            self.assertIn("CapabilityBoundingSet=\n", text)
            c.coordinator("install-service", "--user", "daemon", "--listen", "tcp://0.0.0.0:443", "--out", folder)
            path = os.path.join(folder, "ringtrial-coordinator.service")
            with open(path) as file:
                self.assertIn("AmbientCapabilities=CAP_NET_BIND_SERVICE\n", file.read())
            self.analyze(path)

    def same_as_sample(self, text, name, program, folder, lab):
        """configs/systemd is what the command writes, for a program in /usr/local/bin and a folder in /var/local."""
        text = text.replace(os.path.realpath(program), "/usr/local/bin/" + os.path.basename(program))
        with open(os.path.join(SOURCE, "configs", "systemd", name)) as file:
            self.assertEqual(text.replace(folder, "/var/local/ringtrial").replace("of lab " + lab, "of lab LAB"),
                             file.read())

    def analyze(self, path):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not here")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        ours = [line for line in done.stdout.decode().split("\n") if "ringtrial" in line]
        self.assertEqual(ours, [], done.stdout.decode())
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=25", path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout.decode())


if __name__ == "__main__":
    unittest.main(verbosity=2)
