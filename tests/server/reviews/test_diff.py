"""What two manifests differ in, told as data and in sentences."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.server.support import operation, workflow

from stepwell.schedules import Schedule
from stepwell.server.reviews import diff, schemas
from stepwell.server.reviews.cadence import more_often
from stepwell.server.reviews.changes import Change, Difference, Impact, Kind, Standing

AT = datetime(2026, 1, 5, tzinfo=UTC)
DAILY = {"kind": "cron", "expression": "30 7 * * *", "timezone": "Europe/Oslo"}


def compare(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Difference:
    old, new = ({one["name"]: one for one in entries} for entries in (before, after))
    return diff.compare(old, new, at=AT)


def only(before: dict[str, Any], after: dict[str, Any]) -> Change:
    """The one change between two entries of one workflow."""
    found = compare([before], [after]).workflows
    assert len(found) == 1
    assert len(found[0].changes) == 1, [one.sentence for one in found[0].changes]
    return found[0].changes[0]


def changed(entry: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {**copy.deepcopy(entry), **values}


def parameters(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def test_equal_manifests_have_no_changes() -> None:
    found = compare([workflow("a"), workflow("b")], [workflow("b"), workflow("a")])
    assert found.counts == {Standing.SAME: 2}
    assert all(one.changes == () for one in found.workflows)


def test_what_is_equal_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(path: tuple[str, ...], *_: object) -> tuple[Change, ...]:
        looked.append(path[-1])
        return ()

    monkeypatch.setattr(diff, "field_changes", look)
    one, other = workflow("same"), workflow("other")
    compare([one, other], [copy.deepcopy(one), changed(other, description="New.")])
    assert looked == ["other"]


def test_a_new_workflow_and_a_removed_one_are_told_apart_from_changes() -> None:
    found = compare([workflow("old", "x", "y")], [workflow("new", "p", "q", "r")])
    standings = {one.workflow: one.standing for one in found.workflows}
    assert standings == {"new": Standing.ADDED, "old": Standing.REMOVED}
    assert [one.breaking for one in found.workflows] == [False, True]


def test_a_renamed_workflow_is_recognised_by_its_class() -> None:
    old = workflow("nightly", "load", "report")
    new = changed(workflow("daily", "fetch", "send"), **{"class": old["class"]})
    found = compare([old], [new]).workflows
    assert [(one.workflow, one.renamed_from) for one in found] == [("daily", "nightly")]


def test_a_renamed_workflow_is_recognised_by_its_operations() -> None:
    found = compare([workflow("nightly", "a", "b", "c", "d")], [workflow("daily", *"abcd")])
    assert found.workflows[0].standing is Standing.RENAMED
    assert found.workflows[0].changes[0].impact is Impact.DATA


def test_two_candidates_that_fit_equally_well_are_no_rename() -> None:
    new = [workflow("one", "a", "b"), workflow("two", "a", "b")]
    found = compare([workflow("old", "a", "b")], new)
    assert Standing.RENAMED not in found.counts


@pytest.mark.parametrize(
    ("after", "kinds"),
    [
        (("a", "b", "c", "d"), {}),
        (("a", "c", "b", "d"), {"moved": 1}),
        (("d", "a", "b", "c"), {"moved": 1}),
        (("a", "b", "d"), {"removed": 1}),
        (("a", "x", "b", "c", "d"), {"added": 1}),
        (("d", "c", "b", "a"), {"moved": 3}),
    ],
)
def test_operations_are_aligned_with_the_fewest_changes(
    after: tuple[str, ...], kinds: dict[str, int]
) -> None:
    found = compare([workflow("w", *"abcd")], [workflow("w", *after)]).workflows[0]
    assert {kind: [one.kind for one in found.changes].count(Kind(kind)) for kind in kinds} == kinds
    assert len(found.changes) == sum(kinds.values())


def test_an_operation_renamed_in_its_place_is_recognised_by_what_it_takes_and_gives() -> None:
    numbers = {"type": "array", "items": {"type": "integer"}}
    old = workflow("w", operations=[operation("load", 1, returns=numbers), operation("end", 2)])
    new = changed(old)
    new["operations"][0].update(name="fetch")
    change = only(old, new)
    assert (change.kind, change.before, change.after) == (Kind.RENAMED, "load", "fetch")
    assert change.path == "/workflows/w/operations/fetch/name"


def test_an_input_that_follows_a_renamed_operation_is_no_change() -> None:
    numbers = {"type": "array"}
    given = {"rows": {"from": "load", "schema": numbers, "required": True}}
    entries = [operation("load", 1, returns=numbers), operation("end", 2, inputs=given)]
    old = workflow("w", operations=entries)
    new = changed(old)
    new["operations"][0].update(name="fetch")
    new["operations"][1]["inputs"]["rows"]["from"] = "fetch"
    assert only(old, new).kind is Kind.RENAMED


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("before", "after", "breaking", "words"),
    [
        (parameters(), parameters(a={**TEXT, "default": "x"}), False, "by default it is 'x'"),
        (parameters(), parameters(("a",), a=TEXT), True, "it must be given"),
        (parameters(a=TEXT), parameters(), True, "not taken any more"),
        (parameters(a=TEXT), parameters(("a",), a=TEXT), True, "became required"),
        (parameters(("a",), a=TEXT), parameters(a=TEXT), False, "became optional"),
        (parameters(a=NUMBER), parameters(a={"type": "number"}), False, "still fits"),
        (parameters(a={"type": "number"}), parameters(a=NUMBER), True, "a number is given"),
        (
            parameters(a={**TEXT, "default": "x"}),
            parameters(a={**TEXT, "default": "y"}),
            False,
            "from 'x' to 'y'",
        ),
    ],
)
def test_a_change_of_parameters_is_compatible_or_breaking(
    before: dict[str, Any], after: dict[str, Any], breaking: bool, words: str
) -> None:
    old = workflow("w", parameters=before)
    change = only(old, changed(old, parameters=after))
    assert change.breaking is breaking
    assert words in change.sentence
    assert change.impact is Impact.DATA


def test_a_result_that_may_be_what_it_never_was_breaks_its_readers() -> None:
    old = workflow("w", operations=[operation("load", returns=NUMBER)])
    wider = {"anyOf": [NUMBER, {"type": "null"}]}
    new = workflow("w", operations=[operation("load", returns=wider)])
    assert only(old, new).breaking is True
    assert only(new, old).breaking is False


@pytest.mark.parametrize(
    ("field", "value", "impact", "words"),
    [
        ("halt_on_error", False, Impact.BEHAVIOUR, "does not end the run"),
        ("retries", 3, Impact.BEHAVIOUR, "from 0 to 3"),
        ("timeout", 60.0, Impact.BEHAVIOUR, "stopped after 60 s, before never"),
        ("tags", ["slow"], Impact.NONE, "from none to slow"),
        ("description", "Loads.", Impact.NONE, "description changes"),
    ],
)
def test_each_field_of_an_operation_says_what_its_change_means(
    field: str, value: Any, impact: Impact, words: str
) -> None:
    old = workflow("w", operations=[operation("load")])
    new = workflow("w", operations=[operation("load", **{field: value})])
    change = only(old, new)
    assert (change.impact, change.path) == (impact, f"/workflows/w/operations/load/{field}")
    assert words in change.sentence


APPROVAL = {"within": 60.0, "message": "", "on_timeout": "fail"}


@pytest.mark.parametrize(
    ("field", "value", "impact", "words"),
    [
        ("owner", "team-data", Impact.NONE, "from none to team-data"),
        ("limit", 1, Impact.BEHAVIOUR, "from none to 1"),
        ("pool", "warehouse", Impact.BEHAVIOUR, "from none to warehouse"),
        ("targets", {"success": 0.99}, Impact.NONE, "from none to success 0.99"),
    ],
)
def test_what_a_manifest_leaves_out_counts_as_said_and_not_as_unknown(
    field: str, value: Any, impact: Impact, words: str
) -> None:
    old, new = workflow("w"), workflow("w", **{field: value})
    change = only(old, new)
    assert (change.impact, change.unavailable) == (impact, ())
    assert words in change.sentence
    assert only(new, old).after in (None, "")


def test_an_approval_that_is_dropped_is_a_matter_of_security() -> None:
    asks = workflow("w", operations=[operation("pay", approval=APPROVAL)])
    change = only(asks, workflow("w", operations=[operation("pay")]))
    assert (change.impact, change.after) == (Impact.SECURITY, None)
    assert change.sentence.endswith("changes from within 60.0, on_timeout fail to none.")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({**DAILY, "expression": "*/15 * * * *"}, "more often (about 1 to 96 times a day)"),
        ({**DAILY, "expression": "30 7 * * 1"}, "less often"),
        ({**DAILY, "expression": "45 7 * * *"}, "as often, at other times"),
        ({**DAILY, "timezone": "America/Lima"}, "time zone changes from Europe/Oslo"),
        ({"kind": "interval", "seconds": 3600}, "more often"),
        ({**DAILY, "overlap": "queue"}, "overlap changes from None to queue"),
        (None, "does not run by itself any more"),
    ],
)
def test_a_change_of_schedule_says_how_often_and_where(after: Any, words: str) -> None:
    old = workflow("w", schedule=DAILY)
    assert words in only(old, changed(old, schedule=after)).sentence


def test_a_first_schedule_is_told() -> None:
    change = only(workflow("w"), workflow("w", schedule=DAILY))
    assert "It runs by itself: At 07:30" in change.sentence


def test_fires_are_computed_only_where_two_schedules_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A group of hundreds is reviewed in seconds: each schedule has hundreds of fires."""
    computed: list[Schedule] = []
    between = Schedule.between

    def count(schedule: Schedule, begin: datetime, end: datetime) -> Iterator[datetime]:
        computed.append(schedule)
        return between(schedule, begin, end)

    monkeypatch.setattr(Schedule, "between", count)
    hourly = {**DAILY, "expression": "0 * * * *"}
    compare([workflow("gone", schedule=DAILY)], [])
    compare([], [workflow("new", schedule=hourly)])
    assert not more_often(DAILY, dict(DAILY), AT)
    assert computed == []
    assert more_often(DAILY, hourly, AT)
    assert len(computed) == 2


def test_a_schema_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(Draft202012Validator, "check_schema", checked.append)
    schema = {"type": "string", "description": "of test_a_schema_is_checked_once"}
    assert schemas.sound(schema)
    assert schemas.sound(copy.deepcopy(schema))
    assert checked == [schema]


def test_a_schedule_that_leaves_a_required_parameter_open_is_told_once() -> None:
    needy = workflow("w", schedule=DAILY, parameters=parameters(("day",), day={"type": "string"}))
    gap = "Its schedule gives no value for day"
    (new,) = compare([], [needy]).workflows
    assert gap in new.changes[-1].sentence
    assert new.breaking
    asleep = changed(needy, schedule=None)
    assert any(gap in one.sentence for one in compare([asleep], [needy]).workflows[0].changes)
    assert gap not in only(needy, changed(needy, deadline=7)).sentence
    assert all(gap not in one.sentence for one in compare([], [asleep]).workflows[0].changes)


def test_the_same_declaration_in_another_image_is_a_change_of_code() -> None:
    entries = {"a": workflow("a"), "b": workflow("b")}
    before = {"a": "sha256:1", "b": "sha256:2"}
    found = diff.compare(
        entries, entries, at=AT, digests=(before, dict.fromkeys(entries, "sha256:2"))
    )
    standings = {one.workflow: one.standing for one in found.workflows}
    assert standings == {"a": Standing.CODE, "b": Standing.SAME}


def test_a_huge_difference_is_cut_and_says_so() -> None:
    old = workflow("w", *(f"old-{n}" for n in range(400)))
    new = workflow("w", *(f"new-{n}" for n in range(300)))
    for place, one in enumerate(new["operations"]):
        one["returns"] = {"type": "string", "const": str(place)}
    found = compare([old], [new])
    assert len(found.workflows[0].changes) == diff.MAX_CHANGES
    assert found.notice == "Only the first 500 of 700 changes are listed."


def test_a_huge_value_is_cut_and_says_how_long_it_is() -> None:
    old = workflow("w")
    change = only(old, changed(old, description="x" * 100_000))
    assert len(change.after) < 5000
    assert "100,002 characters" in change.after
