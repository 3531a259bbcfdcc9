"""What the steps of the benchmarks do: nothing, or ask for their successor, or sleep.

A step's state is 100 bytes of JSON. In a chain it says how many steps are still to come.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from stepwell import Outcome, Registry, done, new_step

STATE_BYTES: Final = 100
NAP: Final = 1.0
"""Seconds that a slow neighbour sleeps."""

State: TypeAlias = dict[str, Any]


def state(left: int = 0) -> State:
    """A state of 100 bytes, with so many steps after this one."""
    bare = {"left": left, "padding": ""}
    return bare | {"padding": "x" * (STATE_BYTES - len(json.dumps(bare, separators=(",", ":"))))}


def noop(state: State) -> None:
    """Nothing at all."""


def chain(state: State) -> tuple[str, State] | None:
    """The next step of a chain, as the limit loops take it; None at its end."""
    left: int = state["left"]
    return ("v1/chain", state | {"left": left - 1}) if left else None


HANDLERS: Final[dict[str, Callable[[State], tuple[str, State] | None]]] = {
    "v1/noop": noop,
    "v1/chain": chain,
}


def registry() -> Registry:
    """The same handlers as an application registers them."""
    handlers = Registry()
    handlers.add(noop, "v1/noop")
    handlers.add(_sleep, "v1/sleep")
    handlers.add(_chain, "v1/chain")
    return handlers


def async_registry() -> Registry:
    """The same as coroutines."""
    handlers = Registry()
    handlers.add(_noop_async, "v1/noop")
    handlers.add(_sleep_async, "v1/sleep")
    return handlers


REGISTRIES: Final = {"def": registry, "async": async_registry}


def _chain(state: State) -> Outcome:
    follow_up = chain(state)
    return done(next=new_step(*follow_up)) if follow_up else done()


def _sleep(state: State) -> None:
    time.sleep(NAP)


async def _noop_async(state: State) -> None:
    pass


async def _sleep_async(state: State) -> None:
    await asyncio.sleep(NAP)
