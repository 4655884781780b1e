#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model, or an agent, of Inspect (inspect_ai) as a ringtrial command: one request line in, one reply line out.

Usage: wrapper.py MODEL              any model Inspect knows, such as hf/org/name or openai-api/lab/name
       wrapper.py MODEL --agent M:F  an agent: F() of module M makes it; it brings tools of its own, and those of the
                                     scenario are not offered to it

See docs/EXECUTORS.md for the contract. Standard output belongs to the contract alone, so whatever a library prints goes
to standard error.
"""
import argparse
import asyncio
import importlib
import json
import os
import sys

STOPS = {"stop": "stop", "max_tokens": "length", "model_length": "length", "tool_calls": "tool_calls",
         "content_filter": "content_filter"}


def messages_of(request, inspect_model, inspect_tool):
    """The request's messages as Inspect's."""
    result = []
    names = {}
    for message in request["messages"]:
        role, text = message["role"], message.get("content") or ""
        if role == "system":
            result.append(inspect_model.ChatMessageSystem(content=text))
        elif role == "user":
            result.append(inspect_model.ChatMessageUser(content=text))
        elif role == "tool":
            call = message["tool_call_id"]
            result.append(inspect_model.ChatMessageTool(content=text, tool_call_id=call, function=names.get(call)))
        else:
            calls = []
            for call in message.get("tool_calls") or []:
                names[call["id"]] = call["function"]["name"]
                try:
                    arguments = json.loads(call["function"]["arguments"])
                except ValueError:
                    arguments = {}
                calls.append(inspect_tool.ToolCall(id=call["id"], function=call["function"]["name"],
                                                   arguments=arguments if isinstance(arguments, dict) else {}))
            result.append(inspect_model.ChatMessageAssistant(content=text, tool_calls=calls or None))
    return result


def tools_of(request, inspect_tool):
    result = []
    for tool in request.get("tools") or []:
        function = tool["function"]
        result.append(inspect_tool.ToolInfo(name=function["name"], description=function.get("description", ""),
                                            parameters=inspect_tool.ToolParams(**function["parameters"])))
    return result


def config_of(request, inspect_model):
    limit = request.get("max_tokens", request.get("max_completion_tokens"))
    return inspect_model.GenerateConfig(temperature=request["temperature"], top_p=request["top_p"],
                                        seed=request["seed"], max_tokens=limit, num_choices=1)


def reply_of(output):
    """Inspect's output as a chat completion."""
    choice = output.choices[0]
    message = {"role": "assistant", "content": choice.message.text or None}
    if choice.message.tool_calls:
        message["tool_calls"] = [{"id": call.id, "type": "function",
                                  "function": {"name": call.function, "arguments": json.dumps(call.arguments)}}
                                 for call in choice.message.tool_calls]
    reply = {"model": output.model, "choices": [{"message": message,
                                                 "finish_reason": STOPS.get(choice.stop_reason, "stop")}]}
    if output.usage:
        reply["usage"] = {"prompt_tokens": output.usage.input_tokens, "completion_tokens": output.usage.output_tokens}
    return reply


class Subject:
    def __init__(self, model, agent):
        self.inspect_model = importlib.import_module("inspect_ai.model")
        self.inspect_tool = importlib.import_module("inspect_ai.tool")
        self.model = self.inspect_model.get_model(model)
        self.agent = None
        if agent:
            module, _, name = agent.partition(":")
            self.agent = getattr(importlib.import_module(module), name)()
            self.run = importlib.import_module("inspect_ai.agent").run

    async def answer(self, request):
        messages = messages_of(request, self.inspect_model, self.inspect_tool)
        if self.agent:
            return reply_of((await self.run(self.agent, messages)).output)
        output = await self.model.generate(messages, tools=tools_of(request, self.inspect_tool),
                                           config=config_of(request, self.inspect_model))
        if output.error:
            return {"error": {"message": output.error, "kind": "http"}}
        return reply_of(output)


async def serve(subject, lines, write):
    for line in lines:
        try:
            reply = await subject.answer(json.loads(line))
        except TimeoutError as error:
            reply = {"error": {"message": str(error) or "timeout", "kind": "timeout"}}
        except Exception as error:  # whatever a provider raises is this trial's error and not the wrapper's end
            reply = {"error": {"message": "%s: %s" % (type(error).__name__, error), "kind": "network"}}
        write(json.dumps(reply))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--agent")
    options = parser.parse_args()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def write(line):
        out.write(line + "\n")
        out.flush()

    subject = Subject(options.model, options.agent)
    version = getattr(importlib.import_module("inspect_ai"), "__version__", "")
    write(json.dumps({"ringtrial_command": 1, "server": "inspect_ai", "version": version, "model": options.model}))
    asyncio.run(serve(subject, sys.stdin, write))


if __name__ == "__main__":
    main()
