"""Claims from where due rows began lately."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import psycopg
import pytest
from tests.stores.postgres.plans import OF_LANE, WEIGHED, blocks, explain, nodes, of_claim
from tests.stores.postgres.support import add, claim, engine, ids, make, request

from stepwell.clock import SYSTEM, now
from stepwell.engine import front
from stepwell.engine.front import Front
from stepwell.ids import new_id
from stepwell.step import Priority, Step
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Position

BOTH: Final = ("default", "mail")


def place(step: Step) -> Position:
    """Where it stands."""
    return Position(step.queue, step.priority, step.schedule_time, step.id)


@pytest.fixture
def ended(store: PostgresStore, postgres_steps: str) -> Iterator[PostgresStore]:
    """In two bands many rows have ended, and stay in the index until vacuum comes."""
    bands = (Priority.NORMAL, Priority.URGENT)
    add(store, *[make(priority=band) for band in bands for _ in range(10_000)])
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute("ALTER TABLE stepwell_ready SET (autovacuum_enabled = off)")
        connection.execute("DELETE FROM stepwell_ready")
        connection.execute("ANALYZE stepwell_ready")
        yield store
        connection.execute("ALTER TABLE stepwell_ready RESET (autovacuum_enabled)")


@pytest.mark.parametrize(("parts", "bands"), [(OF_LANE, [2]), (OF_LANE, [2, 0]), (WEIGHED, [2, 0])])
def test_a_claim_from_where_due_rows_began_passes_over_none_that_have_ended(
    ended: PostgresStore, parts: tuple[str, ...], bands: list[int]
) -> None:
    rows = [make(priority=band) for band in bands for _ in range(2)]
    add(ended, *rows)
    whole = claim(ended, engine(ended), locking=True)
    assert whole.front is not None
    begins = {(one.queue, one.priority): one for one in whole.front}
    elsewhere = [Position("default", band, now(), new_id()) for band in Priority]
    since = [begins.get(one[:2], one) for one in elsewhere]
    from_the_first, from_there = (
        min(blocks(explain(ended, parts, of_claim(ended, places))) for _ in range(3))
        for places in (None, since)
    )
    assert from_the_first > 200
    assert from_there < 100


def test_a_look_at_all_passes_over_what_has_ended_once(ended: PostgresStore) -> None:
    """What it has found first is where it reads from then on."""
    add(ended, *[make(priority=band) for band in (2, 0)])
    plan = explain(ended, WEIGHED, of_claim(ended))
    dear = [node for node in nodes(plan) if "Index Name" in node and blocks(node) > 200]
    assert len(dear) == 1


@pytest.mark.parametrize("locking", [True, False])
@pytest.mark.parametrize("other", [{}, {"priority": 0}, {"queue": "mail"}])
def test_a_claim_from_places_on_leaves_out_what_stands_before_them_and_says_so(
    store: PostgresStore, locking: bool, other: dict[str, Any]
) -> None:
    me = engine(store, *BOTH)
    before, first, second = (make() for _ in range(3))
    there = [make(**other) for _ in range(3)]
    add(store, before, first, second, *there)
    places = {place(step)[:2]: place(step) for step in (there[1], first)}
    fields = {"locking": locking, "queues": BOTH}
    claimed = claim(store, me, since=tuple(places.values()), **fields)
    assert ids(claimed.steps) == ids([first, second, *(there if not other else there[1:])])
    assert not claimed.whole
    assert claimed.front is None
    later = tuple(one._replace(schedule_time=now()) for one in places.values())
    nothing = claim(store, me, since=later, **fields)
    assert not nothing.steps
    assert nothing.may_be_more


def test_of_a_queue_and_band_that_has_no_place_a_claim_leaves_out_nothing(
    store: PostgresStore,
) -> None:
    before, first = make(), make()
    elsewhere = [make(priority=0), make(queue="mail")]
    add(store, before, first, *elsewhere)
    claimed = claim(store, engine(store), since=(place(first),), queues=BOTH)
    assert ids(claimed.steps) == ids([first, *elsewhere])


@pytest.mark.parametrize("fields", [{}, {"limit": 1}, {"limit": 0}, {"alone": True}])
def test_a_claim_says_where_due_rows_begin_in_each_queue_and_band(
    store: PostgresStore, fields: dict[str, Any]
) -> None:
    """Also of those that it took nothing from."""
    me = engine(store, *BOTH)
    first = [make(), make(priority=0), make(queue="mail")]
    behind = [make(), make(priority=0), make(schedule_time=now() + timedelta(hours=1), priority=1)]
    add(store, *first, *behind)
    claimed = claim(store, me, locking=True, queues=BOTH, **fields)
    assert claimed.front is not None
    assert set(claimed.front) == {place(step) for step in first}
    assert len(claimed.front) == len(first)
    assert claimed.whole


@pytest.mark.parametrize("due", [0, 2])
def test_so_it_does_where_one_lane_has_due_rows_or_none_has(store: PostgresStore, due: int) -> None:
    rows = [make(priority=0) for _ in range(due)]
    add(store, *rows, make(schedule_time=now() + timedelta(hours=1)))
    claimed = claim(store, engine(store), locking=True)
    assert claimed.front == tuple(place(step) for step in rows[:1])
    assert claimed.whole


def test_a_claim_of_a_flow_looks_at_all_of_it_and_says_of_no_place(store: PostgresStore) -> None:
    """A flow is short."""
    flow = new_id()
    before, first = make(flow_id=flow), make(flow_id=flow)
    add(store, before, first)
    claimed = claim(store, engine(store), flow_id=flow, since=(place(first),))
    assert ids(claimed.steps) == ids([before, first])
    assert (claimed.front, claimed.whole) == (None, True)


def test_rows_that_are_parked_or_suspects_are_no_matter_of_the_place(store: PostgresStore) -> None:
    """R15, R19: they have indexes of their own."""
    parked, suspect, fresh = make(), make(lost_count=2), make()
    add(store, parked)
    claim(store, engine(store), names=("v1/elsewhere",))
    add(store, suspect, fresh)
    me, since = engine(store), (place(fresh),)
    claimed = claim(store, me, since=since)
    assert ids(claimed.steps) == ids([parked, fresh])
    assert claimed.suspect_due
    assert ids(claim(store, me, since=since, alone=True).steps) == {suspect.id}


@pytest.mark.parametrize("limit", [1, 4, 15, 40])
def test_where_nothing_stands_before_the_places_a_claim_takes_what_it_would_take_of_all(
    store: PostgresStore, limit: int
) -> None:
    """R18: the same shares of each band, in the same order."""
    draw = random.Random(limit)
    lanes = [(queue, band) for queue in BOTH for band in Priority]
    rows = [make(queue=queue, priority=band) for queue, band in draw.choices(lanes, k=120)]
    add(store, *rows)
    me = engine(store, *BOTH)
    for _ in range(6):
        skew = tuple(draw.random() for _ in range(4))
        wanted = request(me, limit=limit, skew=skew, queues=BOTH, locking=True)
        with store.transaction() as tx:
            whole = tx.claim(wanted)
            tx.connection.rollback()
        claimed = claim(store, me, limit=limit, skew=skew, queues=BOTH, since=whole.front)
        assert [step.id for step in claimed.steps] == [step.id for step in whole.steps]


def test_bands_share_the_batches_of_an_engine_whose_claims_begin_at_places(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R18: 8:4:2:1, whether their rows have been due for long or come only now."""
    monkeypatch.setattr(front, "LASTS", 1.0)
    long_ago = now() - timedelta(hours=1)
    old = [make(priority=band, schedule_time=long_ago) for band in (0, 3) for _ in range(100)]
    new = [make(priority=band) for band in (1, 2) for _ in range(100)]
    add(store, *old, *new)
    me, claims = engine(store), Front(SYSTEM)
    taken: Counter[int] = Counter()
    whole: list[bool] = []
    for _ in range(10):
        with store.transaction() as tx:
            claimed = claims.claim(tx, request(me, limit=15))
        taken.update(step.priority for step in claimed.steps)
        whole.append(claimed.whole)
    assert whole.count(False) > 0
    assert [taken[band] for band in Priority] == [80, 40, 20, 10]
