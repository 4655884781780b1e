# SPDX-License-Identifier: Apache-2.0
"""Endpoints for the chat executor: the program's own serve-subject, a recording proxy, and misbehaving ones."""
import http.client
import http.server
import json
import os
import socket
import ssl
import threading
import time

from consortium import WORKER, Process, run, wait_for


class Subject:
    """`ringtrial-worker serve-subject` on a free port."""

    def __init__(self, consortium, bench, *words):
        self.process = Process(os.path.join(consortium.folder, "subject-%d.log" % len(consortium.processes)),
                               WORKER, "serve-subject", "--bench", bench, *words)
        consortium.processes.append(self.process)
        wait_for("serve-subject", lambda: "serving http" in self.process.text())
        self.port = int(self.process.text().split("serving http://127.0.0.1:")[1].split("/")[0])
        self.url = "http://127.0.0.1:%d/v1" % self.port


class Server:
    """An HTTP server of this test's own, in a thread."""

    def __init__(self, answer, certificate=None):
        """answer(method, path, headers, body) returns (status, headers, body), or None to hang."""
        outer = self
        self.hanging = threading.Event()
        self.connections = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                outer.connections += 1
                super().setup()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = answer(self.command, self.path, dict(self.headers), body)
                if reply is None:
                    outer.hanging.wait(120)
                    self.close_connection = True
                    return
                status, headers, data = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = "http%s://127.0.0.1:%d/v1" % ("s" if certificate else "", self.port)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def running(self):
        return self.thread.is_alive()

    def kill(self):
        self.hanging.set()
        self.server.shutdown()
        self.server.server_close()


class Proxy(Server):
    """Passes everything on to another endpoint and keeps every exchange; `edit` may change a reply."""

    def __init__(self, port, edit=None, certificate=None):
        self.exchanges, self.edit, self.lock = [], edit, threading.Lock()

        def answer(method, path, headers, body):
            path = path[path.index("/v1"):]  # a forward proxy is asked for a whole URL
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            line.request(method, path, body or None,
                         {k: v for k, v in headers.items() if k.lower() not in ("host", "content-length")})
            reply = line.getresponse()
            data = reply.read()
            line.close()
            request = json.loads(body) if body else None
            if self.edit and request and reply.status == 200:
                changed = self.edit(request, json.loads(data))
                data = json.dumps(changed).encode() if changed else data
            with self.lock:
                self.exchanges.append((method, path, headers, request))
            return reply.status, {"Content-Type": "application/json"}, data

        super().__init__(answer, certificate)


def certificate(folder):
    """A certificate for 127.0.0.1 that only its own ca.pem vouches for: (certificate, key)."""
    cert, key = os.path.join(folder, "ca.pem"), os.path.join(folder, "tls.key")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab", "-addext",
        "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert)
    return cert, key


def refused_port():
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(moment):
    time.sleep(max(0, moment - time.monotonic()))
