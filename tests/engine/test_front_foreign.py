"""Claims begin behind foreign rows, and those are parked when there is time for it (R19)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.engine.fronts import Claims, Rows, Shared, place
from tests.stores.postgres.support import make

from stepwell import Engine, Registry, new_step
from stepwell.engine import front
from stepwell.ids import new_id
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Claimed


def test_behind_foreign_rows_claims_begin_at_the_first_row_that_is_handled() -> None:
    """A second earlier all the others might stand; in lanes without such a row none may."""
    claims = Claims()
    looked, step = claims.clock.now(), claims.step(due_since=0.1)
    rows = Rows(step)
    rows.foreign = lambda: None
    assert claims(rows).may_be_more
    claims(rows)
    since = rows.asked[1]
    assert since is not None
    assert since["default", step.priority] == place(step)
    assert since["default", 0].schedule_time == looked - timedelta(seconds=1)


@pytest.mark.parametrize(("took", "whole_again"), [(0.0, 0.3), (0.1, 2.0), (9.0, 10.0)])
def test_the_longer_it_takes_to_pass_over_foreign_rows_the_later_all_is_looked_at_again(
    took: float, whole_again: float
) -> None:
    """A twentieth of the time goes into that, and nothing waits for it longer than 10 seconds."""
    claims = Claims()
    rows = Rows(claims.step(due_since=0))
    rows.foreign = lambda: claims.clock.advance(took)
    began = claims.clock.monotonic()
    claims(rows)
    for share in (0.99, 1.01):
        claims.clock.advance(max(began + whole_again * share - claims.clock.monotonic(), 0))
        claims(rows)
    assert rows.looks == [True, False, True]


def test_only_from_the_second_look_on_foreign_rows_are_parked_before_its_own_run() -> None:
    claims = Claims()
    rows = Rows(claims.step(due_since=0))
    rows.foreign = lambda: None
    for _ in range(3):
        claims(rows)
        claims(rows)
        claims.clock.advance(1.0)
    rows.foreign = None
    claims(rows)
    claims.clock.advance(1.0)
    claims(rows)
    assert rows.looks == [True, False] * 3 + [True, True]
    assert rows.parks == [False, False, True, True, True, True, True, False]


def test_when_nothing_else_is_due_foreign_rows_are_parked_a_moment_later() -> None:
    """Not at once: the last steps may be about to be settled by the other burst."""
    claims = Claims()
    rows = Rows(claims.step(due_since=0))
    rows.foreign = lambda: claims.clock.advance(0.2)
    claims(rows)
    rows.nothing = Claimed(whole=False)
    claimed = claims(rows)
    assert claimed.next_due is not None
    in_seconds = (claimed.next_due - claims.clock.now()).total_seconds()
    assert in_seconds == pytest.approx(front.NOTHING)
    claims.clock.advance(front.NOTHING)
    for _ in range(3):  # each parks many, and says that there are more
        assert claims(rows).next_due == claims.clock.now()
    rows.nothing = Claimed()
    assert claims(rows).whole
    assert rows.looks == [True, False] + [True] * 4
    assert rows.parks == [False, False] + [True] * 4


@pytest.mark.parametrize("takes_none", [{"limit": 0}, {"alone": True}])
def test_a_claim_that_takes_none_does_not_say_that_nothing_else_is_due(
    takes_none: dict[str, Any],
) -> None:
    claims = Claims()
    rows = Rows(claims.step(due_since=0))
    rows.foreign = lambda: claims.clock.advance(0.2)
    claims(rows)
    rows.nothing = Claimed(whole=False)
    claims(rows, **takes_none)
    claims.clock.advance(1.0)
    claims(rows, **takes_none)
    assert rows.looks == [True, False, False]


def test_a_queue_without_due_rows_does_not_make_an_engine_look_for_foreign_rows_in_another() -> (
    None
):
    """Each look passes over all of them."""
    claims = Shared()
    rows = Rows(make())
    rows.foreign = lambda: claims.clock.advance(0.2)
    claims(rows)
    rows.foreign = None
    for _ in range(3):
        claims.clock.advance(0.1)
        claims(rows)
    assert rows.looks[2:] == [False] * 6


@pytest.mark.parametrize("queues", [("default", "mail"), {"default": 3, "mail": 2}])
@pytest.mark.usefixtures("patient")
def test_steps_behind_many_foreign_rows_run_and_nothing_is_over_before_those_are_parked(
    postgres_steps: str, registry: Registry, queues: Any
) -> None:
    """R19."""
    store = PostgresStore(postgres_steps)
    foreign = f"v1/{new_id()}"
    Engine(store, Registry()).add_many(new_step(foreign) for _ in range(6000))
    seen: list[int] = []

    def parked() -> int:
        return sum(group.count for group in store.inspect().parked if group.name == foreign)

    @registry.handler("v1/mine")
    def mine() -> None:
        seen.append(parked())

    engine = Engine(store, registry, queues=queues)
    for queue in ("default", "mail"):
        engine.add_many(new_step("v1/mine", queue=queue) for _ in range(50))
    engine.drain()
    assert len(seen) == 100
    assert seen[0] < 6000
    assert parked() == 6000
    store.close()
