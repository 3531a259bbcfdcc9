"""How the verbs of a store cross the wire: the JSON that pydantic makes of their signatures."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter

from stepwell.outcome import Settlement, Verdict
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Pulse, Transaction


@dataclass(frozen=True, slots=True)
class Joined:
    """An engine's first pulse, and its first claim."""

    pulse: Pulse
    claimed: Claimed


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of settlements, and the claim right after them.

    `claimed` is None if the engine was declared dead, which its own claim will tell it (R11).
    `left` says that nothing is left to do or to wait for, and so the engine has left.
    """

    verdicts: list[Verdict]
    claimed: Claimed | None
    left: bool = False


class Paired(Protocol):
    """Two verbs in one request and one transaction, for engines that are far from the store."""

    def join_and_claim(self, engine: EngineInfo, request: ClaimRequest) -> Joined:
        """`join`, then `claim`."""
        ...

    def settle_and_claim(
        self, engine_id: UUID, settlements: Sequence[Settlement], request: ClaimRequest
    ) -> Settled:
        """`settle`, then `claim`, and `leave` if there is nothing left."""
        ...


@dataclass(frozen=True, slots=True)
class Signature:
    """How a verb crosses the wire: the type of each keyword argument, which of them must be
    given, and the type of the result."""

    arguments: Mapping[str, TypeAdapter[Any]]
    required: frozenset[str]
    result: TypeAdapter[Any]

    def write_arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Python values as JSON data."""
        return {
            name: self.arguments[name].dump_python(value, mode="json")
            for name, value in values.items()
        }

    def read_arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """JSON data as Python values; raises pydantic's ValidationError, or KeyError."""
        return {name: self.arguments[name].validate_python(value) for name, value in data.items()}


@cache
def signature(verb: str) -> Signature:
    """The wire form of a verb of `Transaction` or `Paired`; AttributeError if there is none."""
    function = getattr(Paired, verb, None) or getattr(Transaction, verb)
    hints = get_type_hints(function)
    result = TypeAdapter(hints.pop("return"))
    parameters = inspect.signature(function).parameters
    return Signature(
        {name: TypeAdapter(_listed(kind)) for name, kind in hints.items()},
        frozenset(name for name in hints if parameters[name].default is inspect.Parameter.empty),
        result,
    )


def _listed(kind: Any) -> Any:
    """Anything that can be iterated crosses the wire as a list."""
    return list[get_args(kind)[0]] if get_origin(kind) in (Iterable, Sequence) else kind  # type: ignore[misc] # a type made at run time
