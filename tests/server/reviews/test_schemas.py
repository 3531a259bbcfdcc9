"""Whether every value of one schema is a value of another."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell.server.reviews.schemas import misfits, value_misfits

TEXT, NUMBER, NULL = {"type": "string"}, {"type": "number"}, {"type": "null"}
POINT = {"type": "object", "properties": {"x": NUMBER, "y": NUMBER}, "required": ["x", "y"]}

FITS: list[tuple[Any, Any]] = [
    (TEXT, TEXT),
    (TEXT, {}),
    ({"type": "integer"}, NUMBER),
    (TEXT, {"anyOf": [TEXT, NULL]}),
    ({"anyOf": [NULL, TEXT]}, {"anyOf": [TEXT, NULL]}),
    ({"const": "a"}, {"enum": ["a", "b"]}),
    ({"enum": ["a", "b"]}, TEXT),
    ({**TEXT, "title": "Day", "description": "a day"}, TEXT),
    ({**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 10}),
    (POINT, {"type": "object", "properties": {"x": NUMBER}, "required": ["x"]}),
    ({"$ref": "#/$defs/P", "$defs": {"P": POINT}}, POINT),
    ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": NUMBER}),
    ({"type": ["string", "null"]}, {"anyOf": [TEXT, NULL]}),
]

MISFITS: list[tuple[Any, Any, str]] = [
    ({}, TEXT, "anything is given where a string is taken"),
    (NUMBER, {"type": "integer"}, "a number is given"),
    ({"anyOf": [TEXT, NULL]}, TEXT, "a null is given"),
    (TEXT, {"enum": ["a", "b"]}, "only 'a' or 'b' is taken"),
    ({"enum": ["a", "c"]}, {"enum": ["a", "b"]}, "'c' is not taken"),
    (TEXT, {**TEXT, "maxLength": 10}, "maxLength is 10"),
    (TEXT, {**TEXT, "format": "date"}, "format is 'date'"),
    (TEXT, {**TEXT, "pattern": "a+"}, "pattern is 'a+'"),
    ({"type": "object"}, POINT, "'x' is required"),
    (POINT, {**POINT, "properties": {"x": NUMBER}, "additionalProperties": False}, "'y' is not"),
    ({"type": "array"}, {"type": "array", "items": TEXT}, "[]: anything is given"),
    ({**POINT, "properties": {"x": TEXT, "y": NUMBER}}, POINT, "x: a string is given"),
]


@pytest.mark.parametrize(("narrow", "wide"), FITS)
def test_a_schema_that_only_widens_has_no_misfits(narrow: Any, wide: Any) -> None:
    assert misfits(narrow, wide) == []


@pytest.mark.parametrize(("narrow", "wide", "words"), MISFITS)
def test_a_schema_that_narrows_says_where_and_why(narrow: Any, wide: Any, words: str) -> None:
    assert words in "; ".join(misfits(narrow, wide))


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"day": "2026-01-01", "limit": 5}, True),
        ({"day": "2026-01-01", "limit": 50}, False),
        ({"day": "2026-01-01", "limit": "5"}, False),
        ({"limit": 5}, False),
        ({"day": "2026-01-01", "other": 1}, False),
        ({"day": "2026-01-01", "limit": None}, False),
    ],
)
def test_a_schedules_values_are_judged_against_the_new_parameters(value: Any, fits: bool) -> None:
    schema = {
        "type": "object",
        "properties": {
            "day": {"type": "string", "format": "date"},
            "limit": {"type": "integer", "maximum": 10},
        },
        "required": ["day"],
        "additionalProperties": False,
    }
    assert (value_misfits(value, schema) == []) is fits


def test_a_schema_that_refers_to_itself_is_compared_without_end() -> None:
    tree = {
        "$defs": {"T": {"type": "object", "properties": {"of": {"$ref": "#/$defs/T"}}}},
        "$ref": "#/$defs/T",
    }
    deeper = {**tree, "$defs": {"T": {**tree["$defs"]["T"], "required": ["of"]}}}  # type: ignore[index]
    assert misfits(tree, tree) == []
    assert misfits(tree, deeper)
