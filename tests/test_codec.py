"""State and results as text, and back (R4)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from stepwell import codec
from stepwell.codec import JSON, MAX_BYTES, limited
from stepwell.errors import NotDecodable, NotEncodable, ValueTooLarge


class Colour(Enum):
    RED = "red"


@dataclass
class Line:
    article: str
    count: int = 1


@dataclass
class Order:
    number: UUID
    due: date
    lines: list[Line] = field(default_factory=list)
    colour: Colour = Colour.RED


class Row(TypedDict):
    day: date


class Model(BaseModel):
    name: str
    wait: timedelta


ORDER = Order(UUID(int=7), date(2026, 1, 31), [Line("nut", 2)])


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "Ærø", [1, "a"], {"a": {"b": None}}])
def test_json_values_come_back_as_they_were(value: Any) -> None:
    assert JSON.decode(JSON.encode(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        "a",
        '\u2028 \\ " \x07 Ærø',
        -1.5e-9,
        10**30,
        {1: [True, None], "b": {}},
        [[], ()],
        [Colour.RED],
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_the_text_is_the_one_that_the_standard_library_writes(
    monkeypatch: pytest.MonkeyPatch, value: Any, fast: bool
) -> None:
    if not fast:  # as where Python has no encoder in C
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
        monkeypatch.setattr(codec, "_pieces", codec._ready_made())
    standard = json.dumps(
        value, default=lambda one: one.value, ensure_ascii=False, separators=(",", ":")
    )
    assert JSON.encode(value) == standard


def test_the_text_is_json_that_people_and_sql_can_read() -> None:
    assert JSON.encode({"city": "Ærø", "n": 1}) == '{"city":"Ærø","n":1}'


def test_a_dataclass_comes_back_by_its_annotation() -> None:
    assert JSON.decode(JSON.encode(ORDER), Order) == ORDER


def test_without_an_annotation_plain_json_values_come_back() -> None:
    assert JSON.decode(JSON.encode(Line("nut")), None) == {"article": "nut", "count": 1}
    assert JSON.decode(JSON.encode(Line("nut")), Any) == {"article": "nut", "count": 1}


def test_typed_dicts_and_pydantic_models_come_back_by_their_annotation() -> None:
    day = Row(day=date(2026, 1, 31))
    model = Model(name="a", wait=timedelta(minutes=2))
    assert JSON.decode(JSON.encode(day), Row) == day
    assert JSON.decode(JSON.encode(model), Model) == model


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), '"2026-01-31T12:00:00+00:00"'),
        (date(2026, 1, 31), '"2026-01-31"'),
        (timedelta(minutes=2), "120.0"),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        (Path("a/b"), '"a/b"'),
        (Colour.RED, '"red"'),
        ({"b", "a"}, '["a","b"]'),
    ],
)
def test_common_types_have_a_readable_form(value: Any, text: str) -> None:
    assert JSON.encode(value) == text
    assert JSON.decode(text, type(value)) == value


@pytest.mark.parametrize("value", [object(), b"raw", float("nan"), {(1, 2): 3}, {1, "a"}, Line])
def test_what_json_has_no_form_for_is_refused_with_the_reason(value: Any) -> None:
    with pytest.raises(NotEncodable) as caught:
        JSON.encode(value)
    assert caught.value.why


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotEncodable):
        JSON.encode(loop)


@pytest.mark.parametrize("text", ["{", "", '{"article": 1}', '{"count": 1}', "[]"])
def test_text_that_does_not_fit_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(NotDecodable, match="does not fit Line") as caught:
        JSON.decode(text, Line)
    assert caught.value.why


def test_without_pydantic_dataclasses_still_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.codec._compiled", codec._compiled.__wrapped__)
    monkeypatch.setattr("stepwell.codec._adapter", lambda annotation: None)
    assert JSON.decode('{"article": "nut"}', Line) == Line("nut")
    assert JSON.decode("[1]", list[int]) == [1]


def test_an_annotation_is_compiled_once() -> None:
    """Decoding is on the way of every step."""
    assert codec._reader(Order) is codec._reader(Order)


def test_an_annotation_without_a_hash_works_too() -> None:
    marked: Any = Annotated[int, ["not hashable"]]
    assert JSON.decode('"3"', marked) == 3


def test_256_kib_are_allowed_and_one_byte_more_is_not() -> None:
    """The error names the size and the remedy (R4)."""
    assert limited("x" * MAX_BYTES, "state")
    with pytest.raises(ValueTooLarge) as caught:
        limited("x" * (MAX_BYTES + 1), "state")
    assert "262,145 bytes" in caught.value.what
    assert "Store the data elsewhere" in caught.value.fix


def test_the_limit_counts_bytes_not_characters() -> None:
    with pytest.raises(ValueTooLarge):
        limited("Æ" * (MAX_BYTES // 2 + 1), "result")


def test_text_that_is_not_unicode_is_refused() -> None:
    """No database takes a lone surrogate."""
    with pytest.raises(NotEncodable, match="not Unicode"):
        limited(JSON.encode("\ud800"), "state")


def test_the_format_has_the_name_json() -> None:
    assert JSON.format == "json"
    assert json.loads(JSON.encode([1])) == [1]
