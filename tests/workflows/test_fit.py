"""Whether what one operation gives can fit what another takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict  # before Python 3.12 pydantic wants this one

from stepwell.workflows.fit import mismatch
from stepwell.workflows.schema import input_schema, output_schema


@dataclass
class Row:
    day: date
    amount: float


@dataclass
class Half:
    day: date


class Wrong(BaseModel):
    day: int
    amount: float


class Tree(TypedDict):
    children: list[Tree]


def found(given: Any, wanted: Any) -> str | None:
    return mismatch(output_schema(given, "it"), input_schema(wanted, "it"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (int, int),
        (int, float),
        (Row, Row),
        (Row, Half),
        (Row, dict[str, Any]),
        (Row, Any),
        (Any, Row),
        (list[Row], list[Half]),
        (Row | None, Row),
        (datetime, str),
        (str, date),
        (dict[str, Any], Row),
        (Tree, Tree),
    ],
)
def test_what_may_fit_is_let_through(given: Any, wanted: Any) -> None:
    assert found(given, wanted) is None


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [
        (int, str, "an integer is given where a string is wanted"),
        (float, int, "a number is given where an integer is wanted"),
        (list[int], list[str], "an integer is given where a string is wanted"),
        (Half, Row, "the field 'amount' is not there"),
        (Wrong, Row, "in the field 'day', an integer is given where a string is wanted"),
        (Row, list[Row], "an object is given where an array is wanted"),
        (None, int, "a null is given where an integer is wanted"),
    ],
)
def test_what_can_never_fit_is_told(given: Any, wanted: Any, words: str) -> None:
    assert found(given, wanted) == words
