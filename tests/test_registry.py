"""Step name -> handler, and which parameters can be filled."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from stepwell.errors import HandlerInvalid
from stepwell.registry import Registry
from stepwell.retry import DEFAULT, NEVER

if TYPE_CHECKING:
    from sqlite3 import Connection


@dataclass
class Order:
    number: int


def test_one_handler_may_answer_to_several_names() -> None:
    registry = Registry()

    @registry.handler("v1/a", "v2/a")
    def handle() -> None: ...

    assert registry.find("v1/a") is registry.find("v2/a")
    assert registry.names == ("v1/a", "v2/a")


def test_the_decorated_function_stays_what_it_was() -> None:
    """It can be called in a unit test without any engine."""
    registry = Registry()

    @registry.handler("v1/double")
    def double(state: int) -> int:
        return 2 * state

    assert double(4) == 8


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Registry().find("v1/unknown")


def test_a_name_has_one_handler() -> None:
    registry = Registry()
    registry.add(lambda: None, "v1/a")
    with pytest.raises(HandlerInvalid, match="'v1/a' has two handlers"):
        registry.add(lambda: None, "v1/a")


def test_a_refused_registration_leaves_nothing_behind() -> None:
    registry = Registry()
    registry.add(lambda: None, "v1/b")
    with pytest.raises(HandlerInvalid):
        registry.add(lambda: None, "v1/a", "v1/b")
    assert registry.names == ("v1/b",)


def test_a_handler_needs_a_name() -> None:
    with pytest.raises(HandlerInvalid, match="under no name"):
        Registry().add(lambda: None)


def test_parameters_are_known_by_name_and_annotation() -> None:
    def handle(state: Order, step: Any, activation: dict[str, int] | None) -> None: ...

    handler = Registry().add(handle, "v1/a")
    assert handler.parameters["state"] is Order
    assert handler.parameters["activation"] == dict[str, int] | None


def test_a_type_only_known_to_type_checkers_hides_no_other() -> None:
    def handle(state: Order, database: Connection) -> None: ...

    handler = Registry(resolve=lambda name, kind: kind).add(handle, "v1/a")
    assert handler.parameters == {"state": Order, "database": None}


@pytest.mark.parametrize("function", [lambda *args: None, lambda **more: None])
def test_star_parameters_are_refused(function: Any) -> None:
    with pytest.raises(HandlerInvalid, match="filled by name"):
        Registry().add(function, "v1/a")


def test_a_parameter_that_nobody_fills_is_refused_and_named() -> None:
    def handle(state: Any, mailer: object) -> None: ...

    with pytest.raises(HandlerInvalid, match="nobody fills: mailer"):
        Registry().add(handle, "v1/a")


def test_an_injection_hook_fills_the_rest() -> None:
    def handle(state: Any, mailer: Order) -> None: ...

    handler = Registry(resolve=lambda name, kind: kind).add(handle, "v1/a")
    assert handler.needs_injection == ("mailer",)


def test_coroutine_functions_are_told_apart() -> None:
    async def handle() -> None: ...

    class Callable:
        async def __call__(self, state: Order) -> None: ...

    registry = Registry()
    assert registry.add(handle, "v1/a").is_async
    assert registry.add(partial(handle), "v1/b").is_async
    assert not registry.add(lambda: None, "v1/c").is_async
    called = registry.add(Callable(), "v1/d")
    assert called.is_async
    assert called.parameters == {"state": Order}


def test_a_partial_keeps_the_annotations_of_its_function() -> None:
    def handle(size: int, state: Order) -> None: ...

    handler = Registry().add(partial(handle, 3), "v1/a")
    assert handler.parameters == {"state": Order}


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are looked up at once")
def test_names_that_only_a_type_checker_knows_need_no_quotes() -> None:
    program = """
class Handler:
    def __init__(self, unknown: Unknown = None) -> None: ...

    def run(self, state: Order, step: Unknown) -> Unknown | None: ...

def handle(state: Later, step: list[Unknown]) -> Unknown: ...
"""
    names: dict[str, Any] = {"Order": Order}
    exec(compile(program, "program.py", "exec", dont_inherit=True), names)
    registry = Registry()
    made = registry.add(names["Handler"], "v1/a")
    assert made.parameters == {"state": Order, "step": None}
    assert registry.add(names["handle"], "v1/b").parameters == {"state": None, "step": None}


def test_a_retry_policy_belongs_to_the_registration() -> None:
    registry = Registry()
    registry.add(lambda: None, "v1/a", retry=NEVER)
    registry.add(lambda: None, "v1/b")
    assert registry.find("v1/a").retry is NEVER
    assert registry.find("v1/b").retry is DEFAULT


def test_a_handler_that_asks_for_the_connection_is_known_by_name() -> None:
    registry = Registry()
    made = registry.add(lambda connection: None, "v1/b", "v1/a", transaction_timeout=5)
    registry.add(lambda state: None, "v1/c")
    assert registry.exactly_once == ("v1/a", "v1/b")
    assert made.transaction_timeout == 5


def test_a_coroutine_cannot_have_the_connection() -> None:
    async def buy(connection: object) -> None: ...

    with pytest.raises(HandlerInvalid, match="Make it a `def`"):
        Registry().add(buy, "v1/a")


@pytest.mark.parametrize("limit", [0, -1])
def test_a_transaction_needs_time(limit: float) -> None:
    with pytest.raises(HandlerInvalid, match="limits nothing"):
        Registry().add(lambda connection: None, "v1/a", transaction_timeout=limit)


def test_a_time_limit_without_a_transaction_is_a_mistake() -> None:
    with pytest.raises(HandlerInvalid, match="limits nothing"):
        Registry().add(lambda: None, "v1/a", transaction_timeout=5)
