# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace


async def run(agent, messages):
    return await agent(SimpleNamespace(messages=messages))
