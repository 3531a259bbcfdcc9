"""The step: ids, names, and the moves between the tables."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest

from stepwell.errors import InvalidInput
from stepwell.ids import new_id
from stepwell.step import (
    Claim,
    EndedAs,
    NewStep,
    OnConflict,
    Priority,
    Step,
    StepStatus,
    new_step,
    one_or_many,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLUS_2 = timezone(timedelta(hours=2))


def row(**fields: object) -> Step:
    values = {"id": new_id(), "name": "v1/x", "flow_id": new_id()}
    return Step(**{**values, "created_at": NOON, "schedule_time": NOON, **fields})  # type: ignore[arg-type]


def test_an_id_is_a_version_7_uuid() -> None:
    made = new_id()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_begins_with_the_milliseconds_of_its_making() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_of_later_milliseconds_sort_behind() -> None:
    first = new_id()
    time.sleep(0.002)
    assert first < new_id()


def test_ids_made_one_after_another_sort_in_that_order() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)


def test_ids_of_one_millisecond_differ() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_after_a_fork_both_sides_draw_numbers_of_their_own() -> None:
    """The random bits are fetched for many ids at once, and must not be used twice."""
    new_id()  # so that some are left
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id().bytes)
        os._exit(0)
    os.close(writer)
    told = UUID(bytes=os.read(reader, 16))
    os.waitpid(child, 0)
    os.close(reader)
    random = (1 << 62) - 1
    assert told.int & random != new_id().int & random


def test_a_step_that_is_made_quickly_is_one_that_was_constructed() -> None:
    step_id = new_id()
    made = new_step("v1/x", 1, id=step_id, queue="q", schedule_time=NOON.astimezone(PLUS_2))
    assert made == NewStep(
        name="v1/x", state=1, id=step_id, queue="q", schedule_time=NOON.astimezone(PLUS_2)
    )
    assert type(made) is NewStep
    assert made.schedule_time is not None
    assert made.schedule_time.tzinfo is UTC
    assert list(new_step("v1/x").first) == [None]
    assert list(made.first) == []


def test_a_field_that_no_step_has_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(InvalidInput, match="colour"):
        new_step("v1/x", colour="red")


def test_a_new_step_has_an_id_before_any_store_sees_it() -> None:
    """Made by the caller, so that adding it twice adds it once (R1)."""
    assert new_step("v1/x").id.version == 7


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_a_step_name_has_1_to_200_characters(name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 200 characters"):
        new_step(name)


def test_a_singleton_is_the_empty_unique_key() -> None:
    assert new_step("v1/x", singleton=True).unique_key == ""


def test_without_a_key_a_step_is_not_unique() -> None:
    assert new_step("v1/x").unique_key is None


def test_a_singleton_with_a_key_is_refused() -> None:
    with pytest.raises(InvalidInput, match="either a singleton or has a unique key"):
        new_step("v1/x", singleton=True, unique_key="a")


def test_a_conflict_is_an_error_unless_told_otherwise() -> None:
    assert new_step("v1/x", unique_key="a").on_conflict is OnConflict.ERROR
    assert new_step("v1/x", unique_key="a", on_conflict="ignore").on_conflict is OnConflict.IGNORE


def test_an_unknown_conflict_policy_names_those_that_exist() -> None:
    with pytest.raises(InvalidInput, match="'error', 'ignore', 'replace'"):
        new_step("v1/x", on_conflict="overwrite")


def test_a_schedule_time_becomes_utc() -> None:
    oslo = timezone(timedelta(hours=2))
    made = new_step("v1/x", schedule_time=datetime(2026, 7, 1, 9, tzinfo=oslo))
    assert made.schedule_time == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert made.schedule_time is not None
    assert made.schedule_time.tzinfo is UTC


def test_a_schedule_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no time zone"):
        new_step("v1/x", schedule_time=datetime(2026, 7, 1, 9))


@pytest.mark.parametrize(
    ("ended_as", "status"),
    [
        (None, StepStatus.READY),
        (EndedAs.DONE, StepStatus.DONE),
        (EndedAs.SKIPPED, StepStatus.DONE),
        (EndedAs.FAILED, StepStatus.FAILED),
        (EndedAs.CANCELLED, StepStatus.FAILED),
    ],
)
def test_how_a_step_ended_says_in_which_table_it_is(
    ended_as: EndedAs | None, status: StepStatus
) -> None:
    assert row(ended_as=ended_as).status is status


def test_a_row_shows_the_claim_it_was_read_with() -> None:
    step = row(claim_no=3)
    assert step.claim == Claim(step.id, 3)


def test_there_are_four_bands_of_priority() -> None:
    assert [band.value for band in Priority] == [0, 1, 2, 3]


def test_next_may_be_nothing_one_or_many() -> None:
    a, b = new_step("a"), new_step("b")
    assert one_or_many(None) == ()
    assert one_or_many(a) == (a,)
    assert one_or_many(step for step in (a, b)) == (a, b)


def test_a_priority_is_one_of_four_by_name_or_number() -> None:
    assert new_step("v1/x", priority=1).priority is Priority.HIGH
    with pytest.raises(InvalidInput, match=r"Priority\.URGENT"):
        new_step("v1/x", priority="high")
