"""The pytest plugin: fixtures for testing code that uses the engine.

pytest loads it wherever Stepwell is installed, so what a fixture needs is imported by the
fixture. Override `stepwell_registry`, and `stepwell_store` where memory will not do.
"""

# ruff: noqa: PLC0415 - a run that uses no fixture pays for none

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepwell.registry import Registry
    from stepwell.stores.protocol import Store
    from stepwell.testing.clock import VirtualClock
    from stepwell.testing.effects import Effects
    from stepwell.testing.virtual import VirtualEngine


@pytest.fixture
def stepwell_clock() -> VirtualClock:
    """A clock that stands still until the test, or a handler, moves it: `VirtualClock`."""
    from stepwell.testing.clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def stepwell_registry() -> Registry:
    """An empty `Registry`; override it to return that of your program."""
    from stepwell.registry import Registry

    return Registry()


@pytest.fixture
def stepwell_store(stepwell_clock: VirtualClock) -> Store:
    """A store in memory on the virtual clock; override it for handlers that take `connection`."""
    from stepwell.stores.memory import MemoryStore

    return MemoryStore(stepwell_clock)


@pytest.fixture
def stepwell_engine(
    stepwell_registry: Registry, stepwell_store: Store, stepwell_clock: VirtualClock
) -> Iterator[VirtualEngine]:
    """A `VirtualEngine` on the registry, the store and the clock of the test."""
    from stepwell.testing.virtual import VirtualEngine

    with VirtualEngine(stepwell_registry, store=stepwell_store, clock=stepwell_clock) as engine:
        yield engine


@pytest.fixture
def stepwell_effects() -> Effects:
    """`Effects`, in which stand-ins for the outside world record what handlers did to it."""
    from stepwell.testing.effects import Effects

    return Effects()
