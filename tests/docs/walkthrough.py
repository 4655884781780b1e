#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the README's sh blocks, from "An operator's first ten minutes" to the end of the auditor's, as one script with
`set -e`, in a copy of the sample configuration. Usage: walkthrough.py SOURCE_DIR BIN_DIR"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def script_of(readme):
    text = open(readme, encoding="utf-8").read()
    story = text.split("## An operator's first ten minutes", 1)[1].split("## How fast", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", story, re.S)
    if len(blocks) != 5:
        sys.exit(f"README.md: expected 5 blocks in the story, found {len(blocks)}")
    return "set -eu\nmkdir trial\n" + "\n".join(blocks)


def main():
    source, bin_dir = sys.argv[1:3]
    folder = tempfile.mkdtemp(prefix="rt-readme-")
    shutil.copytree(os.path.join(source, "configs"), os.path.join(folder, "configs"))
    # The default address may be taken on this machine; nothing else of the text is changed.
    script = script_of(os.path.join(source, "README.md")).replace(
        "init --consortium", f"init --address tcp://127.0.0.1:{free_port()} --consortium")
    env = dict(os.environ, PATH=bin_dir + ":" + os.environ["PATH"])
    # To a file and not a pipe: the programs that the story leaves running would keep a pipe open.
    log = os.path.join(folder, "story.log")
    with open(log, "w", encoding="utf-8") as out_file:
        process = subprocess.Popen(["bash", "-c", script], cwd=folder, env=env, stdout=out_file,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(timeout=240)
        except subprocess.TimeoutExpired:
            pass
        finally:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
    out = open(log, encoding="utf-8").read()
    if process.returncode is None:
        sys.exit(out[-4000:] + "\nthe README's story did not end")
    if process.returncode:
        sys.exit(out[-4000:] + f"\nthe README's story ended with {process.returncode}")
    for wanted in ("authentic and complete", "key words", "registered at log index"):
        if wanted not in out:
            sys.exit(out[-4000:] + f"\nthe README's story never said '{wanted}'")
    shutil.rmtree(folder)
    print("the README's story runs as it stands")


main()
