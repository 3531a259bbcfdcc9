"""Claims begin where due rows began lately, and everything is looked at soon enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from tests.stores.postgres.support import make, request

from stepwell import Engine, Registry, new_step
from stepwell.engine import front
from stepwell.engine.front import Front
from stepwell.ids import new_id
from stepwell.step import Step
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Claimed, ClaimRequest, Position, Transaction
from stepwell.testing.clock import VirtualClock

MANY = 1_000_000
"""So many claimed lately that claims begin at the front for 0.3 seconds."""


class Lane:
    """A transaction of a store that knows where due rows begin."""

    def __init__(self, *steps: Step, lanes: int = 1) -> None:
        self.steps, self.lanes = steps, lanes
        self.asked: list[Position | None] = []

    def claim(self, request: ClaimRequest) -> Claimed:
        """All of its steps, from the place on that is asked for."""
        self.asked.append(request.since)
        if request.since is not None:
            return Claimed(self.steps, whole=False)
        known = self.steps and self.lanes == 1
        first = Position(self.steps[0].schedule_time, self.steps[0].id) if known else None
        return Claimed(self.steps, front=first)


class Claims:
    """An engine's claims, one after the other, on a clock that moves only here."""

    def __init__(self, claimed_lately: int = MANY) -> None:
        self.clock = VirtualClock()
        self.front = Front(self.clock)
        self.front._claimed = claimed_lately

    def __call__(self, lane: Lane, **fields: Any) -> Claimed:
        """One claim."""
        return self.front.claim(cast(Transaction, lane), request(new_id(), **fields))

    def step(self, *, due_since: float) -> Step:
        """A step that has been due for so many seconds."""
        return make(schedule_time=self.clock.now() - timedelta(seconds=due_since))


def test_claims_begin_a_second_before_the_first_due_row_of_the_last_look_at_all() -> None:
    claims = Claims()
    step = claims.step(due_since=0.1)
    lane = Lane(step)
    for _ in range(3):
        claims(lane)
    begin = step.schedule_time - timedelta(seconds=1)
    assert [one and one.schedule_time for one in lane.asked] == [None, begin, begin]


def test_in_a_backlog_claims_begin_at_its_first_row() -> None:
    claims = Claims()
    step = claims.step(due_since=60)
    lane = Lane(step)
    claims(lane)
    claims(lane)
    assert lane.asked == [None, (step.schedule_time, step.id)]


def test_the_more_was_claimed_lately_the_longer_it_takes_until_all_is_looked_at_again() -> None:
    for lately, whole_again in ((MANY, 0.3), (MANY // 10, 0.03), (100 * MANY, 1.0)):
        claims = Claims(lately)
        lane = Lane(claims.step(due_since=0))
        claims(lane)
        claims.clock.advance(whole_again * 0.99)
        claims(lane)
        claims.clock.advance(whole_again * 0.02)
        claims(lane)
        assert [one is None for one in lane.asked] == [True, False, True]


def test_an_engine_that_has_claimed_nothing_for_minutes_looks_at_all() -> None:
    claims = Claims()
    lane = Lane(claims.step(due_since=0))
    claims(lane)
    for seconds in (1200, 0.001):
        claims.clock.advance(seconds)
        claims(lane)
    assert lane.asked == [None, None, None]


@pytest.mark.parametrize("sees_no_rows", [{"limit": 0}, {"alone": True}])
def test_a_claim_that_sees_no_due_rows_is_no_look_at_all_of_them(
    sees_no_rows: dict[str, Any],
) -> None:
    claims = Claims()
    lane = Lane(claims.step(due_since=0))
    claims(lane)
    for _ in range(4):
        claims.clock.advance(0.1)
        claims(lane, **sees_no_rows)
    claims(lane)
    assert lane.asked == [None] * 6


def test_where_lanes_are_weighed_against_each_other_all_is_looked_at() -> None:
    claims = Claims()
    step = claims.step(due_since=0)
    lanes = Lane(step, lanes=2)
    claims(Lane(step))
    claims.clock.advance(1)
    claims(lanes)
    claims(lanes)
    assert lanes.asked == [None, None]


def test_who_finds_nothing_at_the_front_comes_back_for_what_may_be_before_it() -> None:
    claims = Claims()
    claims(Lane(claims.step(due_since=0)))
    claims.clock.advance(0.1)
    claimed = claims(Lane())
    assert claimed.may_be_more
    assert claimed.next_due is not None
    in_seconds = (claimed.next_due - claims.clock.now()).total_seconds()
    assert in_seconds == pytest.approx(0.2, abs=0.01)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each look at all, claims begin at the front for the longest time."""
    monkeypatch.setattr(front, "LASTS", 1.0)


@pytest.mark.usefixtures("busy", "patient")
def test_a_step_that_comes_to_stand_before_the_front_runs_and_nothing_is_over_before(
    postgres_steps: str, registry: Registry
) -> None:
    store = PostgresStore(postgres_steps)
    before: list[int] = []
    registry.handler("v1/plain")(lambda: None)
    registry.handler("v1/before")(lambda: before.append(1))
    engine = Engine(store, registry)

    @registry.handler("v1/last")
    def last() -> None:
        engine.add(new_step("v1/before", schedule_time=long_ago))

    long_ago = make().schedule_time - timedelta(hours=1)
    engine.add_many(new_step("v1/plain") for _ in range(500))
    engine.add(new_step("v1/last"))
    engine.drain()
    assert before == [1]
    store.close()
