#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow model for the tests: serve-subject behind a proxy that asks for the job's key and takes its time."""
import ctypes
import http.client
import http.server
import signal
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def main():
    worker, bench, host, port, key_file, delay_file = sys.argv[1:]
    with open(key_file) as file:
        key = "Bearer " + file.read().strip()
    subject = subprocess.Popen([worker, "serve-subject", "--bench", bench], stdout=subprocess.PIPE,
                               preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))  # else Slurm waits
    inner = int(subject.stdout.readline().decode().split("serving http://127.0.0.1:")[1].split("/")[0])

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != key and self.path != "/health":
                status, data = 401, b"{}"
            else:
                if self.command == "POST":
                    with open(delay_file) as file:
                        time.sleep(float(file.read() or 0))
                line = http.client.HTTPConnection("127.0.0.1", inner, timeout=60)
                line.request(self.command, self.path, body or None, {"Content-Type": "application/json"})
                reply = line.getresponse()
                status, data = reply.status, reply.read()
                line.close()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
