"""The types of what handlers read are found, or missed, when an engine starts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from stepwell import Engine, Registry, new_step
from stepwell.errors import HandlerInvalid
from stepwell.stores.memory import MemoryStore
from stepwell.testing.virtual import VirtualEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

early = Registry()
seen: list[Any] = []


@early.handler("v1/early")
def take(state: Later, activation: Later) -> None:
    seen.append((state, activation))


@early.handler("v1/early-class")
class Taker:
    def handle(self, state: Later) -> None:
        seen.append(state)


@dataclass
class Later:
    number: int


@pytest.fixture(params=[Engine, VirtualEngine])
def engine_of(request: pytest.FixtureRequest) -> Callable[[Registry], Any]:
    """Makes an engine of either kind."""
    if request.param is Engine:
        return lambda registry: Engine(MemoryStore(), registry)
    return VirtualEngine


def test_a_class_may_stand_below_its_handler(engine_of: Callable[[Registry], Any]) -> None:
    seen.clear()
    engine = engine_of(early)
    first = engine.add(new_step("v1/early", Later(1)))
    engine.activate(first, Later(2))
    engine.add(new_step("v1/early-class", Later(3)))
    engine.drain()
    assert sorted(seen, key=repr) == [(Later(1), Later(2)), Later(3)]


def test_a_class_that_never_comes_keeps_the_engine_from_starting(
    engine_of: Callable[[Registry], Any],
) -> None:
    registry = Registry()

    @registry.handler("v1/never")
    def never(state: Never) -> None: ...  # type: ignore[name-defined] # noqa: F821 - it is missing

    with pytest.raises(HandlerInvalid, match="name 'Never' is not defined"):
        engine_of(registry).drain()


def test_a_name_for_type_checkers_alone_gives_plain_json(
    engine_of: Callable[[Registry], Any],
) -> None:
    registry, states = Registry(), []

    @registry.handler("v1/checked")
    def checked(state: Mapping[str, int]) -> None:
        states.append(state)

    engine = engine_of(registry)
    engine.add(new_step("v1/checked", {"a": 1}))
    engine.drain()
    assert states == [{"a": 1}]


def test_a_type_that_only_the_users_hook_is_told_may_be_missing(
    engine_of: Callable[[Registry], Any],
) -> None:
    asked: list[tuple[str, Any]] = []
    registry = Registry(resolve=lambda name, kind: asked.append((name, kind)))

    @registry.handler("v1/hook")
    def hook(state: Later, mailer: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821

    engine = engine_of(registry)
    engine.add(new_step("v1/hook", Later(1)))
    engine.drain()
    assert asked == [("mailer", None)]


def test_names_are_those_of_the_module_where_the_function_was_written() -> None:
    """And not of the decorator's."""
    space: dict[str, Any] = {"wraps": functools.wraps}
    exec(_DECORATOR, space)
    registry = Registry(resolve=lambda name, kind: None)

    def wrapped(state: Later, mailer: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821

    registry.add(space["logged"](wrapped), "v1/wrapped")
    registry.read_types()
    assert registry.find("v1/wrapped").parameters["state"] is Later


_DECORATOR = """
def logged(function):
    @wraps(function)
    def call(**given):
        return function(**given)
    return call
"""
