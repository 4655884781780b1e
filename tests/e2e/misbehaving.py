# SPDX-License-Identifier: Apache-2.0
"""An endpoint that misbehaves in every way that servers are known for, one way at a time.

It stands before a well-behaved one and passes requests on byte for byte over plain sockets, so that it can
break what an HTTP library would not let it break. HEALED: the worker asks again and the trial never knows.
ENDED: the attempt ends with an error of a kind that is written down, and the campaign deals the trial again.
HARMLESS: unusual, and no reason for anything.
"""
import copy
import datetime
import email.utils
import json
import socket
import struct
import threading
import time

FINE = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def error(status, shape, *headers):
    body = json.dumps({"error": shape}).encode()
    return ("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n" % (
        status, len(body), "".join(line + "\r\n" for line in headers))).encode() + body


def date(seconds):
    return email.utils.format_datetime(
        datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds), usegmt=True)


def reset(line, data):
    """RST in the middle of the body."""
    line.sendall((FINE + "Content-Length: %d\r\n\r\n" % len(data)).encode() + data[:len(data) // 2])
    time.sleep(0.05)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def chunks_cut(line, data):
    half = data[:len(data) // 2]
    line.sendall((FINE + "Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(half)).encode() + half + b"\r\n400\r\n{")
    return False


def length_too_large(line, data):
    line.sendall((FINE + "Content-Length: %d\r\n\r\n" % (len(data) + 500)).encode() + data)
    return False


def length_too_small(line, data):
    line.sendall((FINE + "Content-Length: %d\r\n\r\n" % (len(data) - 20)).encode() + data)
    return False


def drip(line, data):
    """A byte now and then, for longer than a request may take."""
    line.sendall((FINE + "Content-Length: %d\r\n\r\n" % len(data)).encode())
    for i in range(60):
        line.sendall(data[i:i + 1])
        time.sleep(0.1)
    return False


def close_unsaid(line, data):
    """Keep-alive is promised and not kept."""
    line.sendall((FINE + "Connection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(data)).encode() + data)
    return False


def raw(data, keep=True):
    def way(line, _):
        line.sendall(data() if callable(data) else data)
        return keep
    return way


def body(text):
    data = text if isinstance(text, bytes) else text.encode()
    return (FINE + "Content-Length: %d\r\n\r\n" % len(data)).encode() + data


def many_headers(line, _):
    line.sendall(FINE.encode() + b"".join(b"X-Filler-%d: %s\r\n" % (i, b"x" * 1000) for i in range(100)) + b"\r\n")
    return False


HEALED = {
    "429 in seconds": raw(error("429 Too Many Requests", {"message": "slow down", "type": "rate", "code": "rate_limit"},
                                "Retry-After: 1")),
    "429 as a date": raw(lambda: error("429 Too Many Requests", {"message": "slow down", "code": None},
                                       "Retry-After: " + date(1))),
    "429 with limits": raw(error("429 Too Many Requests", {"message": "slow down", "code": 429},
                                 "x-ratelimit-reset-requests: 300ms", "x-ratelimit-reset-tokens: 0.1s")),
    "503 loading": raw(error("503 Service Unavailable", {"message": "Loading model", "type": "unavailable_error",
                                                         "code": 503})),
    "500": raw(error("500 Internal Server Error", {"message": "CUDA out of memory", "type": "server_error",
                                                   "param": None, "code": "boom"})),
    "408": raw(error("408 Request Timeout", "too slow")),
    "reset in the body": reset,
    "chunks that end early": chunks_cut,
    "length too large": length_too_large,
    "closed without a word": raw(b"", False),
}
# Each with what the worker's log says of it.
ENDED = {
    "half an object": (raw(lambda: body('{"choices": [{"message": {"content": "I')), "not a JSON object"),
    "length too small": (length_too_small, "not a JSON object"),
    "a web page": (raw(body("<html>502 Bad Gateway</html>")), "not a JSON object"),
    "no choices": (raw(body('{"id": "x", "choices": []}')), "no choices"),
    "nothing": (raw(body("")), "is empty"),
    "huge": (raw(lambda: body(b'{"choices": "' + b"x" * 9000000 + b'"}'), False), "over 8 MiB"),
    "endless header": (many_headers, "header is over 64 KiB"),
    "NUL in the text": (raw(body('{"choices": [{"message": {"content": "a\\u0000b"}, "finish_reason": "stop"}]}')),
                        "reply"),
    "33 calls": (raw(body(json.dumps({"choices": [{"message": {"content": None, "tool_calls": [
        {"id": str(i), "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in range(33)]}}]}))),
        "too many tool calls"),
    "redirect": (raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/v1\r\nContent-Length: 0\r\n\r\n"), "HTTP 302"),
    "401": (raw(error("401 Unauthorized", {"message": "who are you", "code": "invalid_api_key"})), "HTTP 401"),
    "400": (raw(error("400 Bad Request", {"object": "error", "message": "no", "code": 400})), "HTTP 400"),
    "slow drip": (drip, "no reply in time"),
}


def message_of(reply):
    return reply["choices"][0]["message"]


def null_content(reply):
    if message_of(reply).get("tool_calls"):
        message_of(reply)["content"] = None


def no_usage(reply):
    reply.pop("usage", None)


def reasoning(reply):
    message_of(reply)["reasoning"] = "I think of something else entirely, such as [[nothing]]."


def reasoning_content(reply):
    message_of(reply)["reasoning_content"] = "I think of something else entirely."


def stop_with_calls(reply):
    reply["choices"][0]["finish_reason"] = "stop"


def no_finish(reply):
    if message_of(reply).get("tool_calls"):
        reply["choices"][0]["finish_reason"] = "function_call"


def same_ids(reply):
    for call in message_of(reply).get("tool_calls") or []:
        call["id"] = "call_0"


def no_ids(reply):
    for call in message_of(reply).get("tool_calls") or []:
        call["id"] = ""


def object_arguments(reply):
    for call in message_of(reply).get("tool_calls") or []:
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])


def parts(reply):
    if message_of(reply).get("content"):
        message_of(reply)["content"] = [{"type": "text", "text": message_of(reply)["content"]}]


def extras(reply):
    reply.update(object="x", created="soon", choices=reply["choices"] + [{"index": 1, "message": {"content": "no"}}],
                 prompt_logprobs=None, timings={"cache_n": -1}, system_fingerprint=None)
    message_of(reply).update(refusal=None, audio=None, annotations=[], function_call=None)


HARMLESS = {way.__name__.replace("_", " "): way for way in (
    null_content, no_usage, reasoning, reasoning_content, stop_with_calls, no_finish, same_ids, no_ids,
    object_arguments, parts, extras)}


class Misbehaving:
    """ways: names to meet, in this order, at every `every`-th request after the first `spare`."""

    def __init__(self, port, ways, every=5, spare=6):
        self.port, self.ways, self.every, self.spare = port, list(ways), every, spare
        self.asked, self.met, self.lock = 0, [], threading.Lock()
        self.silenced = {}
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "http://127.0.0.1:%d/v1" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(line,), daemon=True).start()

    def talk(self, line):
        with line:
            try:
                file = line.makefile("rb")
                while self.exchange(line, file):
                    pass
            except (OSError, ValueError):
                pass

    def exchange(self, line, file):
        head = [file.readline()]
        while head[-1] not in (b"\r\n", b""):
            head.append(file.readline())
        if head[-1] == b"":
            return False
        size = next(int(h.split(b":")[1]) for h in head if h.lower().startswith(b"content-length"))
        request = file.read(size)
        data = self.ask(request)
        with self.lock:
            self.asked += 1
            turn = self.asked > self.spare and self.asked % self.every == 0 and self.ways
            way = self.ways.pop(0) if turn else None
            if way:
                self.met.append(way)
        if way in HEALED:
            return HEALED[way](line, data)
        if way in ENDED:
            return ENDED[way][0](line, data)
        if way == "closed after a reply":
            return close_unsaid(line, data)
        if way:
            reply = copy.deepcopy(json.loads(data))
            if way == "null content":
                asked = json.loads(request)
                self.silenced[self.place(asked, len(asked["messages"]))] = message_of(reply)["content"]
            HARMLESS[way](reply)
            data = json.dumps(reply).encode()
        line.sendall(body(data))
        return True

    @staticmethod
    def place(asked, at):
        return json.dumps([asked.get("seed"), asked["temperature"], asked["messages"][:2], at])

    def ask(self, request):
        # What was left out of a reply is given back to the subject, whose draws go by what it said.
        asked = json.loads(request)
        for at, message in enumerate(asked["messages"]):
            if message["role"] == "assistant" and not message.get("content"):
                text = self.silenced.get(self.place(asked, at))
                if text:
                    message["content"] = text
                    request = json.dumps(asked).encode()
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
                         b"application/json\r\nContent-Length: %d\r\n\r\n" % len(request) + request)
            answer = line.makefile("rb").read()
        return answer.split(b"\r\n\r\n", 1)[1]

    def running(self):
        return self.thread.is_alive()

    def kill(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
