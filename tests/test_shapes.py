"""JSON values as annotated types, by the standard library alone."""

from __future__ import annotations

import subprocess
import sys
import typing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Optional
from uuid import UUID

import pytest
import typing_extensions
from pydantic import BaseModel

from stepwell.codec import JSON
from stepwell.errors import NotDecodable
from stepwell.shapes import shaped


class Colour(Enum):
    RED = "red"


class Row(typing.TypedDict):
    """The one of `typing`, which pydantic refuses before Python 3.12."""

    day: date
    note: NotRequired[str]


class ExtendedRow(typing_extensions.TypedDict):
    day: date


class Model(BaseModel):
    wait: timedelta


@dataclass
class Line:
    article: str
    count: int = 1


@dataclass
class Order:
    number: UUID
    lines: list[Line]
    by_name: dict[str, Line]
    due: date | None = None
    price: Decimal = Decimal(0)
    row: Row | None = None
    tags: set[str] = field(default_factory=set)


VALUES: list[tuple[Any, Any]] = [
    (Line("nut", 2), Line),
    (Order(UUID(int=1), [Line("nut")], {"a": Line("b")}, date(2026, 1, 31)), Order),
    (Order(UUID(int=1), [], {}, row=Row(day=date(2026, 1, 31)), tags={"x"}), Order),
    ({"day": date(2026, 1, 31)}, Row),
    ({"day": date(2026, 1, 31), "note": "x"}, Row),
    ({"day": date(2026, 1, 31)}, ExtendedRow),
    ([{"day": date(2026, 1, 31)}], list[Row]),
    ([Line("nut")], list[Line]),
    (None, Line | None),
    (Line("nut"), Optional[Line]),  # noqa: UP045 - people write it
    ("2026-01-31x", date | str),
    (date(2026, 1, 31), date | None),
    ((1, "a"), tuple[int, str]),
    ((1, 2), tuple[int, ...]),
    ({"a", "b"}, set[str]),
    (Colour.RED, Colour),
    (datetime(2026, 1, 31, 12, tzinfo=UTC), datetime),
    (time(7, 30), time),
    (timedelta(minutes=2), timedelta),
    (Path("a/b"), Path),
    (2.0, float),
    ("x", Literal["x", "y"]),
    (3, Annotated[int, "of something"]),
    (Model(wait=timedelta(seconds=5)), Model),
    ([Model(wait=timedelta(seconds=5))], list[Model]),
]


@pytest.mark.parametrize(("value", "kind"), VALUES)
def test_a_value_comes_back_as_its_type(value: Any, kind: Any) -> None:
    plain = JSON.decode(JSON.encode(value))
    assert shaped(plain, kind) == value


@pytest.mark.parametrize(("value", "kind"), VALUES)
def test_with_pydantic_it_comes_back_the_same(value: Any, kind: Any) -> None:
    assert JSON.decode(JSON.encode(value), kind) == value


@pytest.mark.parametrize(
    ("value", "kind", "why"),
    [
        ("3", int, "str is not int"),
        (True, int, "bool is not int"),
        ("3", float, "str is no number"),
        ([1, "2"], list[int], "1: str is not int"),
        ({"article": 1}, Line, "article: int is not str"),
        ({"article": "a", "colour": 1}, Line, "Line has no colour"),
        ({}, Line, "article"),
        ({}, Row, "Row needs day"),
        ({"day": "tomorrow"}, Row, "day: "),
        ("z", Literal["x"], "'z' is none of 'x'"),
        ("blue", Colour, "blue"),
        ([1], tuple[int, int], "1 items, and not 2"),
        ([], int | None, "list is not"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_place(value: Any, kind: Any, why: str) -> None:
    with pytest.raises((TypeError, ValueError), match=why):
        shaped(value, kind)


def test_a_type_that_it_does_not_know_leaves_the_value_as_it_is() -> None:
    assert shaped({"a": 1}, Any) == {"a": 1}
    assert shaped([1], "a name that nobody resolves") == [1]


WITHOUT = """
import sys
sys.modules["pydantic"] = None  # as if it were not installed
from dataclasses import dataclass
from typing import TypedDict
from stepwell import Engine, Registry, done, new_step
from stepwell.stores.memory import MemoryStore

@dataclass
class Line:
    article: str

class Order(TypedDict):
    lines: list[Line]

registry = Registry()

@registry.handler("v1/order")
def order(state: Order, activation: Line | None):
    return done([line.article for line in state["lines"]])

engine = Engine(MemoryStore(), registry)
good = engine.add(new_step("v1/order", {"lines": [{"article": "nut"}]}))
bad = engine.add(new_step("v1/order", {"lines": [{"article": 7}]}))
engine.drain()
assert engine.get(good).result == '["nut"]', engine.get(good)
assert "lines: 0: article: int is not str" in engine.get(bad).description
assert "pydantic.main" not in sys.modules
"""


def test_without_pydantic_a_program_runs_the_same() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_a_typed_dict_of_typing_is_refused_with_the_place_too() -> None:
    with pytest.raises(NotDecodable, match="day"):
        JSON.decode('{"day":"tomorrow"}', Row)
