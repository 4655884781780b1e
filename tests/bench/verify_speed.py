#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast `verify` is, beside what Ed25519 alone costs on this machine, and how much memory it takes.

    verify_speed.py BIN [RESULTS…]        default 10000 100000; prints and asserts nothing

Bundles are made by `ringtrial-coordinator speed`, which also measures the cost of one verification; each result comes with
two signatures, the lab's on the result and the coordinator's on the unit.
"""
import os
import re
import subprocess
import sys
import tempfile
import time


def run(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def measure(folder, tools, results):
    text = run(f"{tools}/ringtrial-coordinator", "speed", "--units", str(results), "--keep", "--dir", folder)
    cost_us = float(re.search(r"verify ([0-9.]+)", text).group(1))
    made = next(os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("rt-speed."))
    bundle = os.path.join(folder, "bundle")
    run(f"{tools}/ringtrial-coordinator", "bundle", "speed", "--state", os.path.join(made, "coordinator"), "--out", bundle)
    start = time.monotonic()
    process = subprocess.Popen([f"{tools}/ringtrial-audit", "verify", bundle], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.DEVNULL)
    said = process.stdout.read()
    _, code, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    cpu = used.ru_utime + used.ru_stime
    assert os.waitstatus_to_exitcode(code) in (0, 5), said
    signatures = int(re.search(r"signatures +(\d+)", said).group(1))
    counted = int(re.search(r"results +(\d+)", said).group(1))
    crypto = signatures * cost_us / 1e6
    print(f"{counted:8d} results {signatures:8d} signatures: {wall:6.2f} s, CPU {cpu:6.2f} s; Ed25519 alone {crypto:6.2f} s "
          f"({cost_us:.1f} us each): {100 * crypto / wall:.0f} % of the limit by the clock, {100 * crypto / cpu:.0f} % by CPU "
          f"time; {used.ru_maxrss / 1024:.0f} MiB resident", flush=True)


def main():
    tools, sizes = sys.argv[1], [int(word) for word in sys.argv[2:]] or [10000, 100000]
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for results in sizes:
        with tempfile.TemporaryDirectory(dir=memory, prefix="ringtrial-verify-") as folder:
            measure(folder, tools, results)


if __name__ == "__main__":
    main()
