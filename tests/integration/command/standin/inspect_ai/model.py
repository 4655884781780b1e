# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import asdict, dataclass
from types import SimpleNamespace

from inspect_ai.tool import ToolCall


@dataclass
class ChatMessageSystem:
    content: str
    role: str = "system"


@dataclass
class ChatMessageUser:
    content: str
    role: str = "user"


@dataclass
class ChatMessageAssistant:
    content: str
    tool_calls: list = None
    role: str = "assistant"


@dataclass
class ChatMessageTool:
    content: str
    tool_call_id: str
    function: str = None
    role: str = "tool"


@dataclass
class GenerateConfig:
    temperature: float
    top_p: float
    seed: int
    max_tokens: int
    num_choices: int


def output(text, calls=None, stop="stop", error=None):
    choice = SimpleNamespace(message=SimpleNamespace(text=text, tool_calls=calls), stop_reason=stop)
    return SimpleNamespace(choices=[choice], model="stand-in-1", error=error,
                           usage=SimpleNamespace(input_tokens=7, output_tokens=3))


class Model:
    """Does what the last message says."""

    async def generate(self, messages, tools, config):
        print("a library that prints to standard output")
        word = messages[-1].content
        if word == "call":
            return output("", [ToolCall("c1", tools[0].name, {"a": 1})], "tool_calls")
        if word == "raise":
            raise RuntimeError("the provider is down")
        if word == "slow":
            raise TimeoutError("too slow")
        if word == "error":
            return output("", error="refused by the provider")
        if word == "long":
            return output("cut of", stop="max_tokens")
        return output(json.dumps({"messages": [asdict(m) for m in messages], "tools": [asdict(t) for t in tools],
                                  "config": asdict(config)}))


def get_model(name):
    return Model()
