"""Whatever two valid manifests say: their difference is told, and there is none with itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell.server.discoveries.manifests import checked
from stepwell.server.reviews.changes import Standing
from stepwell.server.reviews.diff import compare

pytestmark = pytest.mark.slow

AT = datetime(2026, 1, 5, tzinfo=UTC)

names = st.sampled_from(["load", "report", "nightly", "daily", "send-it", "a"])
words = st.sampled_from(["day", "title", "limit", "password", "description", "a/b~c", ""])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text(max_size=4)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
KINDS = ["string", "integer", "number", "boolean", "null", "array", "object"]


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(words, inner, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(KINDS)
            | st.lists(st.sampled_from(KINDS), unique=True, min_size=1),
            "properties": properties,
            "required": st.lists(words, unique=True, max_size=3),
            "items": inner,
            "additionalProperties": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "enum": st.lists(anything, min_size=1, max_size=3),
            "const": anything,
            "default": anything,
            "minimum": st.integers(-3, 3),
            "maxLength": st.integers(0, 5),
            "pattern": st.just("^a"),
            "title": st.text(max_size=3),
            "$ref": st.sampled_from(["#/$defs/day", "#/$defs/nowhere", "#"]),
            "$defs": st.dictionaries(st.just("day"), inner, max_size=1),
        },
    )


schemas: st.SearchStrategy[Any] = st.recursive(st.booleans() | st.just({}), _schemas, max_leaves=6)
objects = _schemas(schemas)
rubbish = st.dictionaries(
    st.sampled_from(["type", "properties", "enum", "x"]), anything, max_size=3
)
declared = objects | rubbish

inputs = st.fixed_dictionaries(
    {
        "from": st.sampled_from(["parameter", "load", "gone"]),
        "schema": declared,
        "required": st.booleans(),
    }
)
operations = st.fixed_dictionaries(
    {"name": names, "order": st.integers(1, 9), "output": words},
    optional={
        "retries": st.integers(0, 3),
        "timeout": st.none() | st.floats(0.1, 10),
        "halt_on_error": st.booleans(),
        "tags": st.lists(words, max_size=2),
        "inputs": st.dictionaries(words, inputs, max_size=3),
        "returns": st.none() | declared,
    },
)
schedules = st.sampled_from(
    [
        None,
        {"kind": "cron", "expression": "30 7 * * *", "timezone": "Europe/Oslo"},
        {"kind": "cron", "expression": "*/5 * * * *"},
        {"kind": "interval", "seconds": 60},
        {"kind": "once", "at": "2020-01-01T00:00:00+00:00"},
    ]
)
workflows = st.fixed_dictionaries(
    {
        "name": names,
        "class": st.sampled_from(["Nightly", "Daily", "Other"]),
        "deadline": st.floats(1, 100),
        "parameters": declared,
        "operations": st.lists(
            operations, min_size=1, max_size=4, unique_by=lambda one: one["name"]
        ),
        "schedule": schedules,
    },
    optional={"description": st.text(max_size=5), "tags": st.lists(words, max_size=2)},
)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """The workflows of a manifest that the server has accepted."""
    given_ = draw(st.lists(workflows, max_size=4, unique_by=lambda one: one["name"]))
    about = {"name": "weather", "entry_point": "weather:group"}
    manifest = checked(
        {"manifest_version": 1, "sdk_version": "1", "group": about, "workflows": given_}
    )
    return {entry["name"]: entry for entry in manifest.as_json()["workflows"]}


patient = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(entries())
def test_a_manifest_does_not_differ_from_itself(one: dict[str, Any]) -> None:
    found = compare(one, one, at=AT)
    assert set(found.counts) <= {Standing.SAME}
    assert all(each.changes == () for each in found.workflows)


@patient
@given(entries(), entries())
def test_any_two_manifests_can_be_compared(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = compare(before, after, at=AT)
    told = {one.workflow for one in found.workflows}
    told |= {one.renamed_from for one in found.workflows if one.renamed_from}
    assert told == set(before) | set(after)
    for one in found.workflows:
        assert (one.standing is Standing.SAME) == (one.changes == ())
        for change in one.changes:
            assert change.path.startswith("/workflows/")
            assert change.sentence.endswith(".")


@patient
@given(entries(), entries(), st.data())
def test_an_entry_of_another_version_that_lacks_fields_can_be_compared(
    before: dict[str, Any], after: dict[str, Any], data: st.DataObject
) -> None:
    """What is missing is unavailable on that side, and is never told as a change to nothing."""
    for entry in [*before.values(), *after.values()]:
        for field in data.draw(
            st.sets(st.sampled_from(["tags", "schedule", "parameters", "class"]))
        ):
            del entry[field]
        for operation in entry["operations"]:
            for field in data.draw(st.sets(st.sampled_from(["inputs", "returns", "retries"]))):
                del operation[field]
    for one in compare(before, after, at=AT).workflows:
        for change in one.changes:
            for side in change.unavailable:
                assert getattr(change, side) is None
                assert "unavailable" in change.sentence
