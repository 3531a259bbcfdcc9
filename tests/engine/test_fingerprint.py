"""The same failure has the same fingerprint, and another one another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stepwell import (
    Engine,
    FailStep,
    Outcome,
    Registry,
    RetryPolicy,
    StepClient,
    done,
    fail,
    new_step,
)
from stepwell.engine.fingerprint import fingerprint
from stepwell.stores.protocol import Store


def raised(act: Callable[[], Any]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def pay(amount: int = 1) -> None:
    raise LookupError(f"no account for {amount}")


def refund() -> None:
    raise LookupError("no account for 1")


def parse(text: str = "{") -> None:
    json.loads(text)


def parse_nothing() -> None:
    parse("")


def test_messages_and_lines_do_not_count() -> None:
    one, other = raised(lambda: pay(1)), raised(lambda: pay(2))
    assert fingerprint(one, "v1/pay") == fingerprint(other, "v1/pay")
    assert len(fingerprint(one, "v1/pay")) == 16


def test_type_place_and_step_count() -> None:
    prints = {
        fingerprint(raised(pay), "v1/pay"),
        fingerprint(raised(pay), "v1/pay-later"),
        fingerprint(raised(refund), "v1/pay"),
        fingerprint(raised(lambda: pay("x" + 1)), "v1/pay"),  # type: ignore[operator]
    }
    assert len(prints) == 4


def test_the_frame_is_the_projects_own_last_one_and_not_the_librarys() -> None:
    """Two ways into the same library fail in two places of the project."""
    error = raised(parse)
    assert fingerprint(error, "v1/x") == fingerprint(raised(lambda: parse("[1,")), "v1/x")
    assert fingerprint(error, "v1/x") != fingerprint(raised(lambda: json.loads("{")), "v1/x")


def test_an_error_without_a_traceback_has_one_too() -> None:
    assert fingerprint(ValueError("x"), "v1/x") != fingerprint(KeyError("x"), "v1/x")


def test_a_failure_is_kept_with_the_row_until_a_success(store: Store, registry: Registry) -> None:
    """On a retry, at the end of all attempts, for `FailStep`, and for what cannot be kept."""
    retry = RetryPolicy(attempts=2, delays=(0.001,))
    mended: list[int] = []
    registry.handler("v1/pay", retry=retry)(refund)
    registry.handler("v1/parse", retry=RetryPolicy(attempts=9, delays=(60.0,)))(parse_nothing)

    @registry.handler("v1/heals", retry=RetryPolicy(delays=(0.001,)))
    def heals() -> Outcome:
        if not mended:
            mended.append(1)
            pay()
        return done()

    @registry.handler("v1/no")
    def no() -> Outcome:
        raise FailStep("no")

    registry.handler("v1/says-no")(lambda: fail("no"))
    registry.handler("v1/unfit")(lambda: done({1, 2}.__iter__()))
    names = ("v1/pay", "v1/parse", "v1/heals", "v1/no", "v1/says-no", "v1/unfit")
    client = StepClient(store)
    ids = client.add_many(new_step(name) for name in names)
    Engine(store, registry).drain(patience=1)
    marks = {name: client.get(one).fingerprint for name, one in zip(names, ids, strict=True)}
    assert {name for name, mark in marks.items() if mark is None} == {"v1/heals", "v1/says-no"}
    assert len({mark for mark in marks.values() if mark}) == 4


def test_an_error_that_tells_of_another_one_is_grouped_by_that_one() -> None:
    """What a child process says of its failure is always the same kind of error."""

    def told(of: str) -> str:
        error = RuntimeError("in the child")
        error.origin = of  # type: ignore[attr-defined]
        return fingerprint(error, "v1/shop/load/read")

    assert told("builtins.ValueError|shop.py:read") != told("builtins.OSError|shop.py:read")
    assert told("builtins.OSError|shop.py:read") == told("builtins.OSError|shop.py:read")
