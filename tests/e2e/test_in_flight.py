#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""512 requests in flight on one worker: how much memory the whole process takes, and how many threads.

The endpoint holds every reply until 512 requests wait at the same time, so that the figure is taken at a
moment when all of them are really in flight, and then lets them go; the trials must all be counted."""
import asyncio
import json
import os
import threading
import unittest

from consortium import Consortium, wait_for

IN_FLIGHT = int(os.environ.get("RINGTRIAL_IN_FLIGHT") or 512)
MOST_MIB = 64
REPLY = json.dumps({"model": "slow", "choices": [{"index": 0, "finish_reason": "stop", "message": {
    "role": "assistant", "content": "I have read what you say. " * 40}}],
    "usage": {"prompt_tokens": 300, "completion_tokens": 240, "total_tokens": 540}}).encode()


class Slow:
    """Answers in half a second, so that the worker's limit grows; holds everything once it has `hold` requests."""

    def __init__(self, hold):
        self.hold, self.waiting, self.most, self.connections, self.answered = hold, 0, 0, 0, 0
        self.full, self.go = threading.Event(), None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),), daemon=True)
        ready = threading.Event()
        self.ready = ready
        self.thread.start()
        ready.wait(10)

    async def serve(self):
        self.go, self.end = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, backlog=1024)
        self.url = "http://127.0.0.1:%d/v1" % server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.end.wait()
        server.close()

    async def talk(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.split("content-length:")[1].split()[0]))
                self.waiting += 1
                self.most = max(self.most, self.waiting)
                if self.waiting >= self.hold:
                    self.full.set()
                if self.waiting < self.hold - 64 or self.go.is_set():
                    await asyncio.sleep(0.2)
                else:
                    await self.go.wait()
                self.waiting -= 1
                self.answered += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY))
                writer.write(REPLY)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    def release(self):
        self.loop.call_soon_threadsafe(self.go.set)

    def running(self):
        return self.thread.is_alive()

    def kill(self):
        self.loop.call_soon_threadsafe(self.go.set)
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join(5)


def memory(pid):
    """Figures of /proc/PID/status and smaps_rollup, in KiB."""
    figures = {}
    for name in ("status", "smaps_rollup"):
        with open("/proc/%d/%s" % (pid, name)) as file:
            for line in file:
                words = line.split()
                if len(words) == 3 and words[2] == "kB":
                    figures[words[0].rstrip(":")] = int(words[1])
    return figures


def threads(pid):
    names = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task)) as file:
            names.append(file.read().strip())
    return sorted(names)


class InFlight(unittest.TestCase):
    def test_memory_and_threads(self):
        with Consortium(labs=["uni-a"]) as c:
            slow = Slow(IN_FLIGHT)
            c.processes.append(slow)
            lab = c.labs["uni-a"]
            path = c.write_campaign(replicates=24, at_zero=24, phrasings="[p1, p2, p3, p4]",
                                    unit="{trials: 64, attempts: 3, reissue_after: 10m, accept_until: 1h}")
            lab.policy = "{classes: [public, synthetic], campaigns: {approve: automatic}, concurrency: %d}" % (2 * IN_FLIGHT)
            lab.start()
            c.register(path)
            c.wait_accepted("trial", "uni-a")
            wait_for("calm", lambda: threads(lab.process.pid))
            idle, idle_threads = memory(lab.process.pid), threads(lab.process.pid)
            lab.process.stop()
            lab.subjects = ("  synthetic-8b: {executor: chat, endpoint: \"%s\", model: slow, concurrency: %d, timeout: 10m}\n"
                            % (slow.url, IN_FLIGHT))
            lab.write()
            lab.start()
            c.act("start", "trial")
            wait_for("%d in flight" % IN_FLIGHT, slow.full.is_set, 60)
            full, full_threads = memory(lab.process.pid), threads(lab.process.pid)
            print("%d requests in flight at once on %d connections: RSS %.1f MiB (anonymous %.1f, peak %.1f), idle %.1f MiB; "
                  "threads %s, idle %s" % (slow.waiting, slow.connections, full["VmRSS"] / 1024, full["RssAnon"] / 1024,
                                           full["VmHWM"] / 1024, idle["VmRSS"] / 1024, full_threads, idle_threads))
            self.assertEqual(slow.waiting, IN_FLIGHT)
            self.assertLess(full["VmRSS"], MOST_MIB * 1024)
            self.assertEqual(full_threads, idle_threads, "HTTP has no thread of its own: the loop's is the one")
            planned = c.lab_status("trial", "uni-a")["planned"]
            self.assertGreater(planned, IN_FLIGHT)
            slow.release()
            c.wait("trial", "done", 120)
            row = c.lab_status("trial", "uni-a")
            peak = memory(lab.process.pid)["VmHWM"]
            print("%d trials counted of %d; peak %.1f MiB" % (row["final"], planned, peak / 1024))
            self.assertEqual(row["final"], planned)
            self.assertLess(peak, MOST_MIB * 1024)


if __name__ == "__main__":
    unittest.main()
