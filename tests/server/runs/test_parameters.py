"""Values against the JSON Schema of a workflow's parameters."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell.server.runs.parameters import check
from stepwell.workflows.errors import ParametersInvalid


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ({"type": "integer"}, 3, "3"),
        ({"type": "string", "format": "date"}, "2026-01-31", "2026-02-31"),
        ({"type": "string", "format": "date-time"}, "2026-01-31T07:00:00Z", "7 o'clock"),
        ({"type": "string", "format": "uuid"}, "01970000-0000-7000-8000-000000000000", "x"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, "x"),
        ({"type": "array", "items": {"type": "number"}}, [1, 2.5], [1, "x"]),
        ({"enum": ["a", "b"]}, "a", "c"),
    ],
)
def test_a_value_fits_or_is_named(kind: dict[str, Any], good: Any, bad: Any) -> None:
    check("nightly", schema(it=kind), {"it": good})
    with pytest.raises(ParametersInvalid) as caught:
        check("nightly", schema(it=kind), {"it": bad})
    assert "it" in str(caught.value.problems[0])


def test_definitions_are_followed() -> None:
    kind = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    whole = {**schema(point={"$ref": "#/$defs/Point"}), "$defs": {"Point": kind}}
    check("nightly", whole, {"point": {"x": 1}})
    with pytest.raises(ParametersInvalid, match="point"):
        check("nightly", whole, {"point": {}})


def test_a_workflow_without_parameters_takes_none() -> None:
    check("nightly", {}, {})
    with pytest.raises(ParametersInvalid, match="It takes none"):
        check("nightly", {}, {"day": 1})
