"""Type hints as data types: JSON Schema, and values in and out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict  # before Python 3.12 pydantic wants this one

from stepwell.codec import MAX_BYTES
from stepwell.workflows.errors import TypeUnknown, ValueMisfit
from stepwell.workflows.schema import input_schema, output_schema, read, type_name, write


@dataclass
class Row:
    day: date
    amount: Decimal


class Model(BaseModel):
    rows: list[Row]


class Typed(TypedDict):
    name: str
    at: datetime


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, 3),
        (list[Row], [Row(date(2026, 1, 31), Decimal("1.10"))]),
        (Model, Model(rows=[Row(date(2026, 1, 31), Decimal(2))])),
        (Typed, {"name": "a", "at": datetime(2026, 1, 31, 7, tzinfo=UTC)}),
        (dict[str, tuple[int, str]], {"a": (1, "b")}),
        (bytes, b"\xff\x00"),
        (list[float], [float("inf"), 1.5]),
        (Row | None, None),
        (Any, {"a": [1, None]}),
    ],
)
def test_a_value_comes_back_as_its_annotated_type(kind: Any, value: Any) -> None:
    assert read(kind, write(kind, value, "it"), "it") == value


def test_schemas_carry_what_they_refer_to() -> None:
    schema = input_schema(list[Row], "it")
    assert schema["items"]["$ref"] == "#/$defs/Row"
    assert schema["$defs"]["Row"]["required"] == ["day", "amount"]


def test_what_is_written_and_what_is_accepted_may_differ() -> None:
    assert output_schema(Decimal, "it")["type"] == "string"
    assert {one["type"] for one in input_schema(Decimal, "it")["anyOf"]} == {"number", "string"}


@pytest.mark.parametrize("kind", [threading.Lock, Callable[[], int], list[threading.Event]])
def test_a_type_without_a_json_form_is_named(kind: Any) -> None:
    with pytest.raises(TypeUnknown) as caught:
        input_schema(kind, "The parameter 'it'")
    assert caught.value.what.startswith("The parameter 'it' has the type")
    assert caught.value.fix


def test_a_value_that_does_not_fit_says_where_and_what_was_given() -> None:
    with pytest.raises(ValueMisfit) as caught:
        read(list[Row], [{"day": "2026-13-01", "amount": 1}], "The input 'rows'")
    assert "0.day" in caught.value.why
    assert "'2026-13-01'" in caught.value.why


def test_a_result_that_does_not_fit_its_annotation_is_refused() -> None:
    with pytest.raises(ValueMisfit, match="does not fit int"):
        write(int, "many", "The result of 'count'")


def test_a_result_without_a_json_form_is_refused() -> None:
    with pytest.raises(ValueMisfit, match="cannot be stored as JSON"):
        write(Any, threading.Event(), "The result of 'load'")


def test_a_result_over_the_limit_names_the_remedy() -> None:
    with pytest.raises(ValueMisfit) as caught:
        write(str, "x" * MAX_BYTES, "The result of 'load'")
    assert "262,146 bytes" in caught.value.what
    assert "report" in caught.value.fix


def test_types_are_named_as_people_write_them() -> None:
    assert type_name(int) == "int"
    assert type_name(list[int]) == "list[int]"
    assert type_name(int | None) == "int | None"
