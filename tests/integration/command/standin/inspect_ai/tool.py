# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass, field


@dataclass
class ToolCall:
    id: str
    function: str
    arguments: dict


@dataclass
class ToolParams:
    type: str = "object"
    properties: dict = field(default_factory=dict)
    required: list = field(default_factory=list)
    additionalProperties: bool = False


@dataclass
class ToolInfo:
    name: str
    description: str
    parameters: ToolParams
