"""Claims begin where due rows began lately, and everything is looked at soon enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.fronts import MANY, Claims, Rows, Shared, place
from tests.stores.postgres.support import make

from stepwell import Engine, Registry, new_step
from stepwell.engine import front
from stepwell.step import Priority
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Claimed, ClaimRequest


def test_claims_begin_a_second_before_the_first_due_row_of_the_last_look_at_all() -> None:
    claims = Claims()
    step = claims.step(due_since=0.1)
    rows = Rows(step, claims.step(due_since=0))
    for _ in range(3):
        claims(rows)
    assert rows.looks == [True, False, False]
    for since in rows.asked[1:]:
        assert since is not None
        begin = since["default", step.priority]
        assert begin.schedule_time == step.schedule_time - timedelta(seconds=1)
        assert begin.id < step.id


def test_in_a_backlog_claims_begin_at_its_first_row() -> None:
    claims = Claims()
    step = claims.step(due_since=60)
    rows = Rows(step)
    claims(rows)
    claims(rows)
    assert rows.asked[1] is not None
    assert rows.asked[1]["default", step.priority] == place(step)


def test_each_queue_and_band_has_a_place_of_its_own() -> None:
    """A backlog in one does not make the claims of another pass over what has ended there."""
    claims = Claims()
    now, second = claims.clock.now(), timedelta(seconds=1)
    backlog = claims.step(due_since=60, priority=3)
    fresh = claims.step(due_since=0.5, priority=0)
    elsewhere = claims.step(due_since=2, queue="mail")
    rows = Rows(backlog, fresh, elsewhere)
    for _ in range(2):
        claims(rows, queues=("default", "mail"))
    since = rows.asked[1]
    assert since is not None
    assert since["default", 3] == place(backlog)
    assert since["default", 0].schedule_time == now - 1.5 * second
    assert since["mail", elsewhere.priority].schedule_time == now - 3 * second
    assert len(since) == 8


def test_where_nothing_was_due_claims_begin_a_second_before_that_was_seen() -> None:
    claims = Claims()
    rows = Rows(claims.step(due_since=60))
    looked = claims.clock.now()
    claims(rows)
    claims.clock.advance(0.1)
    claims(rows)
    assert rows.asked[1] is not None
    assert rows.asked[1]["default", 0].schedule_time == looked - timedelta(seconds=1)


def test_of_other_queues_all_is_looked_at_first() -> None:
    """As when one is no longer paused, or has a share of the workers to itself."""
    claims = Claims()
    rows = Rows(claims.step(due_since=0), claims.step(due_since=0, queue="mail"))
    for queues in (("default",), ("default", "mail"), ("mail",), ("default",), ("mail",)):
        claims(rows, queues=queues)
    assert rows.looks == [True, True, True, False, False]


def test_the_more_was_claimed_lately_the_longer_it_takes_until_all_is_looked_at_again() -> None:
    for lately, whole_again in ((MANY, 0.3), (MANY // 10, 0.03), (100 * MANY, 1.0)):
        claims = Claims(lately)
        rows = Rows(claims.step(due_since=0))
        claims(rows)
        claims.clock.advance(whole_again * 0.99)
        claims(rows)
        claims.clock.advance(whole_again * 0.02)
        claims(rows)
        assert rows.looks == [True, False, True]


def test_an_engine_that_has_claimed_nothing_for_minutes_looks_at_all() -> None:
    claims = Claims()
    rows = Rows(claims.step(due_since=0))
    claims(rows)
    for seconds in (1200, 0.001):
        claims.clock.advance(seconds)
        claims(rows)
    assert rows.looks == [True, True, True]


def test_on_a_store_that_says_of_no_place_all_is_looked_at() -> None:
    class Elsewhere(Rows):
        def claim(self, request: ClaimRequest) -> Claimed:
            return replace(super().claim(request), front=None)

    claims = Claims()
    rows = Elsewhere(claims.step(due_since=0))
    for _ in range(3):
        claims(rows)
    assert rows.looks == [True, True, True]


def test_who_finds_nothing_at_the_front_comes_back_for_what_may_be_before_it() -> None:
    claims = Claims()
    claims(Rows(claims.step(due_since=0)))
    claims.clock.advance(0.1)
    claimed = claims(Rows())
    assert claimed.may_be_more
    assert claimed.next_due is not None
    in_seconds = (claimed.next_due - claims.clock.now()).total_seconds()
    assert in_seconds == pytest.approx(0.2, abs=0.01)


def test_each_queue_that_has_a_share_is_claimed_from_where_its_rows_began() -> None:
    claims = Shared()
    rows = Rows(make(), make(queue="mail"))
    for _ in range(2):
        claims(rows)
    assert rows.looks == [True, True, False, False]
    begun_in = [{queue for queue, _ in since} for since in rows.asked[2:] if since]
    assert sorted(begun_in, key=sorted) == [{"default"}, {"mail"}]


def test_claims_of_queues_with_shares_have_looked_at_all_when_each_of_them_has() -> None:
    """Else an engine would never be idle whose queues were looked at by turns."""
    claims = Shared()
    assert claims(Rows(make()), full="mail").may_be_more
    claims.clock.advance(0.1)
    assert not claims(Rows()).whole, "one was looked at all of, the other is from a place on"
    claims.clock.advance(0.2)
    assert claims(Rows()).whole
    assert not claims(Rows()).whole


@pytest.mark.parametrize("takes_none", [{"limit": 0}, {"alone": True}])
@pytest.mark.parametrize("kind", [Claims, Shared])
def test_a_claim_that_takes_none_of_the_due_rows_begins_there_too(
    kind: type[Claims | Shared], takes_none: dict[str, Any]
) -> None:
    """A busy engine makes many that only settle something."""
    claims = kind()
    rows = Rows(make())
    for _ in range(3):
        claims(rows, **takes_none)
    assert rows.looks == [True, False, False]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each look at all, claims begin at the front for the longest time."""
    monkeypatch.setattr(front, "LASTS", 1.0)


@pytest.mark.parametrize("queues", [("default", "mail"), {"default": 3, "mail": 2}])
@pytest.mark.parametrize("lanes", [[{}], [{}, {"priority": Priority.URGENT}, {"queue": "mail"}]])
@pytest.mark.usefixtures("busy", "patient")
def test_a_step_that_comes_to_stand_before_the_front_runs_and_nothing_is_over_before(
    postgres_steps: str, registry: Registry, queues: Any, lanes: list[dict[str, Any]]
) -> None:
    """Whether one lane has due rows or several, and whether the queues have shares."""
    store = PostgresStore(postgres_steps)
    before: list[int] = []
    registry.handler("v1/plain")(lambda: None)
    registry.handler("v1/before")(lambda: before.append(1))
    engine = Engine(store, registry, queues=queues)

    @registry.handler("v1/last")
    def last() -> None:
        engine.add(new_step("v1/before", schedule_time=long_ago))

    long_ago = make().schedule_time - timedelta(hours=1)
    for lane in lanes:
        engine.add_many(new_step("v1/plain", **lane) for _ in range(500 // len(lanes)))
    engine.add(new_step("v1/last"))
    engine.drain()
    assert before == [1]
    store.close()


def test_beside_other_steps_nobody_looks_again_for_a_moment_where_nothing_was_due() -> None:
    claims, rows = Claims(), Rows()
    for _ in range(3):
        claimed = claims(rows, beside=True)
    assert len(rows.asked) == 1
    assert claimed.may_be_more
    claims(rows, queues=("mail",), beside=True)
    assert len(rows.asked) == 2
    claims.clock.advance(front.NOTHING)
    claims(rows, beside=True)
    assert len(rows.asked) == 3


def test_who_has_nothing_else_to_do_looks_at_once() -> None:
    claims, rows = Claims(), Rows()
    for _ in range(3):
        claims(rows)
    assert len(rows.asked) == 3


@pytest.mark.parametrize("fields", [{"suspect_due": True}, {"limited_due": True}])
def test_what_is_to_be_claimed_in_another_way_is_asked_for_again(fields: dict[str, Any]) -> None:
    claims, rows = Claims(), Rows()
    rows.nothing = Claimed(**fields)
    for _ in range(3):
        assert claims(rows, beside=True) == rows.nothing
    assert len(rows.asked) == 3


def test_what_falls_due_within_the_moment_is_found_in_time() -> None:
    claims, rows = Claims(), Rows()
    soon = front.NOTHING / 2
    rows.nothing = Claimed(next_due=claims.clock.now() + timedelta(seconds=soon))
    claims(rows, beside=True)
    claims.clock.advance(soon)
    claims(rows, beside=True)
    assert len(rows.asked) == 2


def test_a_claim_that_may_take_nothing_says_nothing_of_what_is_due() -> None:
    claims, rows = Claims(), Rows()
    claims(rows, limit=0, beside=True)
    claims(rows, beside=True)
    assert len(rows.asked) == 2
