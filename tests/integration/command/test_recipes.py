#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recipes of configs/labs/command-*: the scripts keep the contract line by line. Inspect itself is not to be had from Debian; a stand-in for its modules is asked instead."""
import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
LABS = os.path.join(ROOT, "configs", "labs")
TOOL = {"type": "function", "function": {"name": "ls", "description": "Lists.", "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}}}


def request(*messages, **more):
    return {"model": "m", "messages": list(messages), "n": 1, "stream": False, "temperature": 0.5, "top_p": 1, "seed": 9,
            "max_tokens": 64, **more}


def user(text):
    return {"role": "user", "content": text}


def talk(words, requests, **environment):
    """One process, all requests, and every line it wrote."""
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run(words, input=lines.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=True, env={**os.environ, **environment})
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


class Document(unittest.TestCase):
    """docs/EXECUTORS.md says what the tables in the code say."""

    def setUp(self):
        with open(os.path.join(ROOT, "docs", "EXECUTORS.md"), encoding="utf-8") as file:
            self.text = file.read()

    def read(self, *path):
        with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
            return file.read()

    def test_failures(self):
        header = self.read("worker", "executor", "command_line.h")
        rows = re.findall(r'X\(([A-Z_]+), ([A-Z]+), "([^"]+)"\)', header)
        self.assertEqual(len(rows), 12)
        for name, kind, what in rows:
            status = "timeout" if kind == "NONE" else "error:" + kind.lower()
            self.assertRegex(self.text, r"\| %s \| .*`%s` \|" % (re.escape(what), status), name)
        for word in re.findall(r'X\("([a-z]+)", [A-Z]+\)', header):
            self.assertIn("`%s`" % word, self.text)

    def test_limits(self):
        table = self.read("proto", "doc", "labconfig_table.c").split("confine_fields[] = {")[1].split("\n};")[0]
        fields = re.findall(r'\{"([a-z_]+)", RT_DOC_(.*?)\},', table, re.S)
        self.assertEqual(len(fields), 9)
        for key, rest in fields:
            preset = re.search(r'\.preset = "([^"]+)"', rest)
            self.assertIn("| `%s` | %s |" % (key, preset.group(1) if preset else "–"), self.text)


class Shell(unittest.TestCase):
    def test_canned(self):
        words = [os.path.join(LABS, "command-shell", "canned.sh"), "Done."]
        replies = talk(words, [request(user("a\nb")), request(user("c"))])
        self.assertEqual([r["choices"][0]["message"]["content"] for r in replies], ["Done.", "Done."])

    def test_curl_without_a_server(self):
        words = [os.path.join(LABS, "command-shell", "curl.sh"), "/nonexistent/socket"]
        hello, reply = talk(words, [request(user("a"))])
        self.assertEqual(hello["ringtrial_command"], 1)
        self.assertEqual(reply["error"]["kind"], "network")


class Inspect(unittest.TestCase):
    def ask(self, *requests, more=()):
        words = [sys.executable, os.path.join(LABS, "command-inspect", "wrapper.py"), "hf/some/model", *more]
        hello, *replies = talk(words, requests, PYTHONPATH=os.path.join(HERE, "standin"), PYTHONDONTWRITEBYTECODE="1")
        self.assertEqual(hello, {"ringtrial_command": 1, "server": "inspect_ai", "version": "stand-in",
                                 "model": "hf/some/model"})
        self.assertEqual(len(replies), len(requests))
        return replies

    def test_what_is_handed_over(self):
        call = {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": '{"a": 1}'}}
        broken = {"id": "c2", "type": "function", "function": {"name": "ls", "arguments": "{"}}
        reply, = self.ask(request({"role": "system", "content": "S"}, user("U"),
                                  {"role": "assistant", "content": None, "tool_calls": [call, broken]},
                                  {"role": "tool", "content": "T", "tool_call_id": "c1"}, user("V"), tools=[TOOL]))
        seen = json.loads(reply["choices"][0]["message"]["content"])
        self.assertEqual([m["role"] for m in seen["messages"]], ["system", "user", "assistant", "tool", "user"])
        self.assertEqual([m["content"] for m in seen["messages"]], ["S", "U", "", "T", "V"])
        self.assertEqual(seen["messages"][2]["tool_calls"], [{"id": "c1", "function": "ls", "arguments": {"a": 1}},
                                                             {"id": "c2", "function": "ls", "arguments": {}}])
        self.assertEqual(seen["messages"][3]["function"], "ls")
        self.assertEqual(seen["tools"], [{"name": "ls", "description": "Lists.",
                                          "parameters": TOOL["function"]["parameters"]}])
        self.assertEqual(seen["config"], {"temperature": 0.5, "top_p": 1, "seed": 9, "max_tokens": 64, "num_choices": 1})
        self.assertEqual(reply["usage"], {"prompt_tokens": 7, "completion_tokens": 3})
        self.assertEqual(reply["model"], "stand-in-1")

    def test_what_comes_back(self):
        call, down, slow, error, long = self.ask(*[request(user(word), tools=[TOOL])
                                                   for word in ("call", "raise", "slow", "error", "long")])
        choice = call["choices"][0]
        self.assertEqual(choice["finish_reason"], "tool_calls")
        self.assertIsNone(choice["message"]["content"])
        self.assertEqual(choice["message"]["tool_calls"], [{"id": "c1", "type": "function", "function": {
            "name": "ls", "arguments": '{"a": 1}'}}])
        self.assertEqual(down["error"], {"message": "RuntimeError: the provider is down", "kind": "network"})
        self.assertEqual(slow["error"]["kind"], "timeout")
        self.assertEqual(error["error"], {"message": "refused by the provider", "kind": "http"})
        self.assertEqual(long["choices"][0]["finish_reason"], "length")

    def test_an_agent(self):
        reply, = self.ask(request(user("hello")), more=["--agent", "standin_agent:echo"])
        self.assertEqual(reply["choices"][0]["message"]["content"], "agent heard: hello")


if __name__ == "__main__":
    unittest.main()
