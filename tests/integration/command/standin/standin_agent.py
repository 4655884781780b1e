# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

from inspect_ai.model import output


def echo():
    async def execute(state):
        return SimpleNamespace(output=output("agent heard: " + state.messages[-1].content))
    return execute
