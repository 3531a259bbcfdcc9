"""One pass over a schedule: whatever happens between passes, each instant has one row."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell import Step
from stepwell.ids import new_id
from stepwell.schedules import Every, Misfire, Overlap
from stepwell.schedules.base import iso
from stepwell.schedules.ledger import Rules
from stepwell.schedules.plan import Declaration, Plan, advance, due_at, planned, run_id
from stepwell.step import NewStep

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(cap=3, at_once=7)
overlaps, misfires = st.sampled_from(Overlap), st.sampled_from(Misfire)


def plan_of(spec: Every) -> Plan:
    declaration = Declaration(name="s", work="v1/work", spec=spec, state={"a": [1]})
    return Plan(declaration=declaration, next_due=spec.next_after(BEGUN))


def covered(row: NewStep) -> int:
    """How many instants a row speaks for."""
    many = re.search(r"(\d+) instants", row.state) if isinstance(row.state, str) else None
    return int(many[1]) if many else 1


@given(overlaps, misfires, st.lists(st.tuples(st.integers(0, 900), st.booleans()), max_size=12))
def test_every_instant_has_one_row_or_waits(
    overlap: Overlap, misfire: Misfire, passes: list[tuple[int, bool]]
) -> None:
    spec = Every(minutes=1, overlap=overlap, misfire=misfire)
    plan, now, rows = plan_of(spec), BEGUN, list[NewStep]()
    for seconds, busy in passes:
        now += timedelta(seconds=seconds)
        made = advance(planned(plan.as_json()), now, busy=busy, rules=RULES, queue="default")
        plan, rows = made.plan, [*rows, *made.steps]
        if overlap in (Overlap.SKIP, Overlap.QUEUE):
            assert sum(row.name == "v1/work" for row in made.steps) <= (not busy)
        assert len(plan.waiting) <= RULES.cap
        assert made.again_at is not None
        assert made.again_at > now or (plan.next_due is not None and plan.next_due <= now)
    assert plan.next_due is not None
    due = len(list(spec.between(BEGUN + timedelta(seconds=1), plan.next_due)))
    assert sum(covered(row) for row in rows) + len(plan.waiting) == due
    assert len({row.id for row in rows}) == len(rows)
    assert not {row.search_key for row in rows} & {iso(one) for one in plan.waiting}


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 5)), min_size=1, max_size=12))
def test_changes_at_any_time_lose_and_double_nothing(changes: list[tuple[int, int]]) -> None:
    """With every pass another spec: each settles all that was due until it changed."""
    spec = Every(minutes=1, overlap=Overlap.ALLOW, misfire=Misfire.ALL)
    plan, now, rows, due = plan_of(spec), BEGUN, list[NewStep](), list[datetime]()
    for seconds, every in changes:
        since, now = now, now + timedelta(seconds=seconds)
        tick = timedelta(microseconds=1)
        due += plan.declaration.spec.between(since + tick, now + tick)
        newer = replace(plan.declaration, spec=replace(spec, seconds=every * 60))
        plan, again = replace(plan, pending=newer), True
        while again:
            made = advance(plan, now, busy=True, rules=Rules(at_once=4), queue="default")
            plan, rows, again = made.plan, [*rows, *made.steps], made.again_at == now
        assert plan.declaration == newer
    assert [datetime.fromisoformat(str(row.search_key)) for row in rows] == due


def test_a_change_of_the_state_alone_leaves_the_next_instant_also_when_the_clock_goes_back() -> (
    None
):
    plan = plan_of(Every(minutes=1))
    newer = replace(plan.declaration, state={"a": [2]})
    before = BEGUN - timedelta(hours=1)
    made = advance(replace(plan, pending=newer), before, busy=False, rules=RULES, queue="default")
    assert made.plan == replace(plan, declaration=newer)


def test_the_id_of_an_instant_is_ordered_by_it_and_always_the_same() -> None:
    ids = [run_id("s", BEGUN + timedelta(seconds=n)) for n in range(5)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert run_id("s", BEGUN) == ids[0]
    assert run_id("t", BEGUN) != ids[0]


@pytest.mark.parametrize("key", [None, "order-7"])
def test_a_step_that_no_schedule_made_is_due_when_it_says(key: str | None) -> None:
    step = Step(
        id=new_id(),
        name="v1/work",
        flow_id=new_id(),
        created_at=BEGUN,
        schedule_time=BEGUN,
        search_key=key,
        correlation_id="schedule/s",
    )
    assert due_at(step) == BEGUN
