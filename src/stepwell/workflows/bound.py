"""A workflow as it will run: its parameters, and operations whose inputs have a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from stepwell.workflows.decorators import OperationOptions
from stepwell.workflows.group import Declaration
from stepwell.workflows.schema import Schema

PARAMETER: Final = "parameter"
"""Where an input comes from if it is not an operation's output."""


@dataclass(slots=True)
class Parameter:
    """A parameter of a workflow; without a default it is required. `default` is plain JSON."""

    name: str
    annotation: Any
    schema: Schema
    required: bool
    default: Any = None

    def __str__(self) -> str:
        return f"the parameter {self.name!r}"


@dataclass(slots=True)
class Input:
    """A parameter of an operation, and where its value comes from."""

    name: str
    source: str
    annotation: Any
    schema: Schema
    required: bool


@dataclass(slots=True)
class Operation:
    """A method that is one step of the run; `context` names its parameter for the Context."""

    name: str
    function: Callable[..., Any]
    options: OperationOptions
    output: str
    description: str
    returns: Any = Any
    returns_schema: Schema | None = None
    inputs: list[Input] = field(default_factory=list)
    context: str | None = None

    def __str__(self) -> str:
        return f"the operation {self.name!r}"

    @property
    def line(self) -> int:
        """Where the method begins in its file."""
        return self.function.__code__.co_firstlineno


@dataclass(slots=True)
class Workflow:
    """A class with its parameters and its operations in order."""

    name: str
    cls: type
    declaration: Declaration
    parameters: dict[str, Parameter] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)

    def operation(self, name: str) -> Operation:
        """The operation of that name; KeyError if there is none."""
        return {one.name: one for one in self.operations}[name]
