#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A command that misbehaves in the way its first argument names. What it found out, it tells in the message of an error
object, which is where the test reads it."""
import json
import os
import signal
import socket
import sys
import time

MODE, ARGUMENTS = sys.argv[1], sys.argv[2:]


def put(data):
    data = data if isinstance(data, bytes) else data.encode()
    while data:
        data = data[os.write(1, data):]


def reply(text="Done."):
    put(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}) + "\n")


def tell(text):
    put(json.dumps({"error": {"message": text, "kind": "budget"}}) + "\n")


def read():
    line = b""
    while not line.endswith(b"\n"):
        block = os.read(0, 65536)
        if not block:
            sys.exit(0)
        line += block
    return json.loads(line)


def sleep():
    while True:
        time.sleep(1000)


def fork_many():
    """As many children as there may be, at most as the third argument says; they stay."""
    count, most = 0, int(ARGUMENTS[0])
    try:
        while count < most:
            if os.fork() == 0:
                sleep()
            count += 1
    except OSError as error:
        tell("forked %d then %s" % (count, type(error).__name__))
        sleep()
    tell("forked %d and was let" % count)
    sleep()


def fill_memory():
    blocks = []
    try:
        while len(blocks) < 4096:
            blocks.append(b"x" * (1 << 20))
    except MemoryError:
        count = len(blocks)
        blocks.clear()
        tell("filled %d MiB then MemoryError" % count)
        return
    tell("filled 4 GiB and was let")


def fill_disk():
    told = []
    for folder in ("/tmp", "/home", "/dev/shm"):
        size = 0
        try:
            for number in range(4096):
                with open("%s/%d" % (folder, number), "wb") as file:
                    for _ in range(16):
                        size += file.write(b"x" * (1 << 16))
        except OSError as error:
            told.append("%s %d MiB %s" % (folder, size >> 20, error.strerror))
        else:
            told.append("%s and was let" % folder)
    tell("; ".join(told))


def one_file():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = 0
    try:
        with open("/tmp/one", "wb") as file:
            while size < 1 << 30:
                size += os.write(file.fileno(), b"x" * (1 << 16))
    except OSError as error:
        tell("one file of %d KiB then %s" % (size >> 10, error.strerror))
        return
    tell("one file of 1 GiB and was let")


def outside():
    """Writes where nothing may be written and reads what may not be seen."""
    done = []
    for path in ["/x", "/usr/x", "/usr/bin/x", "/etc/x", "/dev/x", "/var/tmp/x", "/root/x"]:
        try:
            with open(path, "w") as file:
                file.write("x")
            done.append("wrote " + path)
        except OSError:
            pass
    try:  # where the script lies; a memory file system of the sandbox's may lie over it
        with open(ARGUMENTS[0] + "/x", "w") as file:
            file.write("x")
    except OSError:
        pass
    for path in ["/etc/passwd", "/etc/shadow", ARGUMENTS[1]]:
        try:
            with open(path) as file:
                file.read()
            done.append("read " + path)
        except OSError:
            pass
    names = sorted(set(os.environ) - {"PATH", "HOME", "TMPDIR", "LANG", "USER", "LOGNAME", "RINGTRIAL_COMMAND", "PWD",
                                      "LC_CTYPE"})
    seen = [name for name in os.listdir("/proc") if name.isdigit()]
    tell("did: %s; environment: %s; processes seen: %d" % (", ".join(done) or "nothing", names or "none", len(seen)))


def open_socket():
    told = []
    for family, address in ((socket.AF_INET, ("127.0.0.1", int(ARGUMENTS[0]))), (socket.AF_INET, ("192.0.2.1", 80)),
                            (socket.AF_UNIX, "\0ringtrial-test-" + ARGUMENTS[0])):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as link:
                link.settimeout(0.3)
                link.connect(address)
            told.append("connected to %s" % (address,))
        except OSError:
            told.append("refused")
    tell(", ".join(told))


def ignore():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sleep()


def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(3):
                os.close(fd)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            sleep()
        os._exit(0)
    os.wait()
    reply()


def endless():
    while True:
        put(b"x" * 65536)


def endless_lines():
    reply()
    while True:
        reply()


def stderr_flood():
    for _ in range(400):
        os.write(2, b"noise " * 10000)
    os.write(2, b"\nthe last word\n")
    tell("still here")


def big_line():
    for _ in range(1600):
        put(b"x" * 65536)
    put("\n")


def closes():
    os.close(1)
    sleep()


def deaf():
    os.close(0)
    sleep()


def exits():
    sys.stderr.write("cannot find\x1b[31m my model\n")
    sys.exit(3)


def burn():
    while True:
        pass


MODES = {
    "good": reply,
    "fork": fork_many,
    "memory": fill_memory,
    "disk": fill_disk,
    "file": one_file,
    "outside": outside,
    "socket": open_socket,
    "ignore": ignore,
    "daemon": daemon,
    "endless": endless,
    "lines": endless_lines,
    "stderr": stderr_flood,
    "big": big_line,
    "half": lambda: put('{"choices": ['),
    "half_wait": lambda: (put('{"choices": ['), sleep()),
    "closes": closes,
    "deaf": deaf,
    "exit": exits,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "burn": burn,
    "garbage": lambda: put(bytes(range(11, 256)) + b"\n"),
    "utf8": lambda: put(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}\n'),
    "nul": lambda: put(b'{"choices": [{"message": {"content": "a\\u0000b"}}]}\n'),
    "other": lambda: put('{"ringtrial_command": 2}\n'),
    "twice": lambda: put('{"ringtrial_command": 1}\n' * 2),
}

request = read()
if MODE == "told":
    tell(" ".join(sorted(request)))
elif MODE == "turns":  # a process sees every turn of its trial, and no other
    for turn in range(1, 1000):
        reply("turn %d" % turn)
        read()
else:
    MODES[MODE]()
if MODE in ("good", "daemon", "stderr"):
    sys.stdin.buffer.read()
