#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A recording proxy before an OpenAI-compatible server: every request's head and body goes to a file, one JSON
line each, and one completion may be edited on its way back.

usage: proxy.py UPSTREAM_PORT RECORD_FILE [EDIT_NUMBER]

EDIT_NUMBER: the how-manieth completion whose reply becomes a plain "I stop here." without tool calls (0: none).
Prints "proxy on 127.0.0.1:PORT" and serves until it is ended."""
import http.client
import http.server
import json
import sys
import threading

upstream, record_path = int(sys.argv[1]), sys.argv[2]
edit_number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
lock = threading.Lock()
count = 0


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            count += 1
            number = count
            with open(record_path, "a", encoding="utf-8") as record:
                record.write(json.dumps({"line": self.requestline, "headers": dict(self.headers.items()),
                                         "body": body.decode("utf-8")}) + "\n")
        server = http.client.HTTPConnection("127.0.0.1", upstream, timeout=20)
        server.request("POST", self.path, body, {"Content-Type": "application/json"})
        answer = server.getresponse()
        reply = answer.read()
        if number == edit_number:
            completion = json.loads(reply)
            message = completion["choices"][0]["message"]
            message.pop("tool_calls", None)
            message["content"] = "I stop here."
            completion["choices"][0]["finish_reason"] = "stop"
            reply = json.dumps(completion).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
server.daemon_threads = True
print(f"proxy on 127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
