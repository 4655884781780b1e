# SPDX-License-Identifier: Apache-2.0
"""A real Slurm of our own on loopback: munged, slurmctld and slurmd in a temporary folder.

One node with several "CPUs", ports and keys of its own, no cgroups and no systemd, so that it runs in a
container as root. Every daemon stays in the foreground, dies with us, and is ended by its pid; jobs that are
left are cancelled before. Nothing on the machine is changed and no other Slurm is spoken to.
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from consortium import Process, free_port, wait_for  # noqa: E402

SKIP = 77
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sacct")


def which(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing():
    """The programs that are not installed: with any of them the tests are skipped, and say so."""
    return [program for program in PROGRAMS if not which(program)]


CONFIG = """ClusterName=ringtrial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/d
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0,bf_min_age_reserve=0
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=2
MinJobAge={min_job_age}
InactiveLimit=0
SlurmctldTimeout=10
SlurmdTimeout=30
MessageTimeout=30
ReturnToService=2
PropagateResourceLimits=NONE
{accounting}
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=2000 State=UNKNOWN
PartitionName=donate Nodes={node} Default=YES MaxTime=60 PriorityTier=1 PreemptMode={preempt} OverSubscribe=NO
PartitionName=owners Nodes={node} MaxTime=60 PriorityTier=10 PreemptMode=OFF OverSubscribe=NO
"""


class Cluster:
    """slurmctld, slurmd and munged until close()."""

    def __init__(self, folder, preempt="REQUEUE", min_job_age=300, node="node1"):
        self.folder = os.path.join(folder, "slurm")
        self.node, self.processes = node, {}
        for name in ("", "ctld", "d"):
            os.makedirs(os.path.join(self.folder, name), mode=0o755, exist_ok=True)
        self.config = os.path.join(self.folder, "slurm.conf")
        self.env = {"SLURM_CONF": self.config, "SLURM_TIME_FORMAT": "standard"}
        self.values = {"host": socket.gethostname().split(".")[0], "ctld_port": free_port(), "d_port": free_port(),
                       "user": pwd.getpwuid(os.getuid()).pw_name, "folder": self.folder, "node": node,
                       "preempt": preempt, "min_job_age": min_job_age,
                       "accounting": "AccountingStorageType=accounting_storage/none\n"
                                     "JobCompType=jobcomp/filetxt\nJobCompLoc=%s/jobcomp.txt" % self.folder}
        try:
            self.start()
        except BaseException:
            self.show_logs()
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and kind is not KeyboardInterrupt:
            self.show_logs()
        self.close()

    # ---- daemons

    def daemon(self, name, *words):
        log = os.path.join(self.folder, name + ".out")
        self.processes[name] = Process(log, which(name), *words, env=self.env)
        return self.processes[name]

    def start(self):
        with open(self.config, "w") as file:
            file.write(CONFIG.format(**self.values))
        key = os.path.join(self.folder, "munge.key")
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(os.urandom(128))
        socket_path = os.path.join(self.folder, "munge.socket")
        # --force: the temporary folder's parents are writable by all, which is munged's only objection.
        self.daemon("munged", "--foreground", "--force", "--key-file", key, "--socket", socket_path,
                    "--pid-file", os.path.join(self.folder, "munged.pid"),
                    "--log-file", os.path.join(self.folder, "munged.log"),
                    "--seed-file", os.path.join(self.folder, "munged.seed"), "--num-threads", "2")
        wait_for("munged", lambda: os.path.exists(socket_path) and self.processes["munged"].running())
        self.start_controller()
        self.start_node()
        wait_for("the node to be idle", lambda: self.node_state().startswith("IDLE"), 30, 0.2)

    def start_controller(self):
        self.daemon("slurmctld", "-D", "-i", "-f", self.config)
        wait_for("slurmctld", lambda: self.call("scontrol", "ping", code=None)[0] == 0, 30, 0.2)

    def start_node(self):
        self.daemon("slurmd", "-D", "-N", self.node, "-f", self.config)

    def close(self):
        if "slurmctld" in self.processes and self.processes["slurmctld"].running():
            try:
                self.call("scancel", "--state=PENDING", "--me", code=None)
                self.call("scancel", "--me", code=None)
                wait_for("jobs to end", lambda: not self.jobs(), 15, 0.2)
            except Exception:  # the daemons end all the same
                pass
        for name in ("slurmd", "slurmctld", "munged"):
            if name in self.processes:
                self.processes[name].stop()

    def show_logs(self):
        for name, process in self.processes.items():
            sys.stderr.write("---- %s\n%s\n" % (name, "\n".join(process.text().splitlines()[-25:])))

    # ---- commands

    def call(self, *words, code=0, timeout=30, input=None):
        done = subprocess.run([which(words[0])] + list(words[1:]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **self.env}, timeout=timeout, input=input)
        text = done.stdout.decode(errors="replace")
        if code is not None and done.returncode != code:
            raise RuntimeError("%s: exit %d\n%s" % (" ".join(words), done.returncode, text))
        return text if code is not None else (done.returncode, text)

    def node_state(self):
        return self.call("sinfo", "-h", "-N", "-n", self.node, "-o", "%T").split()[0].upper()

    def start_soon(self, job):
        """A requeued job waits until its old credential has expired; to be past its revocation is enough."""
        wait_for("job %s to wait" % job, lambda: self.jobs().get(job) == "PENDING", 20, 0.1)
        self.call("scontrol", "update", "JobId=" + job, "StartTime=now+2", code=None)

    def jobs(self):
        """id -> state of the jobs that squeue shows as not over."""
        text = self.call("squeue", "-h", "-t", "PD,R,CG,S,CF,RQ", "-o", "%i %T")
        return dict(line.split() for line in text.splitlines() if line.strip())
