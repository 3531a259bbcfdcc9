"""Many rows of names that the claiming engine does not handle (R19)."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.stores.postgres.plans import explain, indexes, of_claim, whole_tables
from tests.stores.postgres.support import add, claim, engine, ids, make, request

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.stores.postgres import PostgresStore, claiming
from stepwell.stores.protocol import Claimed, ClaimRequest, Position

FLOOD: Final = 4000
BOTH: Final = ("default", "mail")


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How far each round of the claims reached."""
    reached: list[int] = []
    whole = claiming._round

    def count(statements: Any, request: ClaimRequest, reach: int) -> tuple[Claimed, int]:
        reached.append(reach)
        return whole(statements, request, reach)

    monkeypatch.setattr(claiming, "_round", count)
    return reached


def flood(store: PostgresStore, **fields: Any) -> None:
    """As many rows as no claim parks at once where it finds its own behind them."""
    add(store, *[make("v1/elsewhere", **fields) for _ in range(FLOOD)])


def parked(store: PostgresStore) -> int:
    """How many rows are parked."""
    return sum(group.count for group in store.inspect().parked)


@pytest.mark.parametrize("locking", [False, True])
def test_of_many_foreign_rows_a_claim_parks_some_and_passes_over_the_others(
    store: PostgresStore, rounds: list[int], locking: bool
) -> None:
    flood(store)
    add(store, first := make(), second := make())
    claimed = claim(store, engine(store), limit=10, locking=locking)
    assert ids(claimed.steps) == ids([first, second])
    assert rounds == [10, 40, 160, 10]
    assert parked(store) == sum(rounds[:-1])
    place = Position(first.queue, first.priority, first.schedule_time, first.id)
    assert (claimed.front, claimed.whole) == ((place,), False)
    assert claimed.may_be_more, "the others are still to be parked"


def test_the_next_claim_begins_behind_them(store: PostgresStore, rounds: list[int]) -> None:
    flood(store)
    rows = [make() for _ in range(20)]
    add(store, *rows)
    me = engine(store)
    claimed = claim(store, me, limit=10)
    rounds.clear()
    again = claim(store, me, limit=10, since=claimed.front)
    assert ids(claimed.steps + again.steps) == ids(rows)
    assert len(rounds) <= 1


@pytest.mark.parametrize("other", [{"priority": 0}, {"queue": "mail"}])
def test_so_it_is_in_each_queue_and_band(store: PostgresStore, other: dict[str, Any]) -> None:
    """One has rows behind the foreign ones, one none, one no foreign ones."""
    flood(store)
    flood(store, **other)
    add(store, first := make(**other), second := make(**other), alone := make(priority=3))
    claimed = claim(store, engine(store, *BOTH), queues=BOTH, limit=10)
    assert ids(claimed.steps) == ids([first, second, alone])
    assert claimed.front is not None
    assert {one.id for one in claimed.front} == ids([first, alone])


@pytest.mark.parametrize("locking", [False, True])
@pytest.mark.parametrize("begins", [False, True])
def test_where_others_follow_behind_its_own_it_passes_over_those_too(
    store: PostgresStore, locking: bool, begins: bool
) -> None:
    """Also where its own are the first of all, and those that it has only locked stay due."""
    if not begins:
        flood(store)
    add(store, first := make())
    flood(store)
    flood(store)
    add(store, second := make())
    claimed = claim(store, engine(store), limit=10, locking=locking)
    assert [step.id for step in claimed.steps] == [first.id, second.id]
    assert parked(store) < 2 * FLOOD
    assert claimed.front is not None
    assert [one.id for one in claimed.front] == [first.id], "what is given back stands there"


def test_where_nothing_is_handled_a_claim_parks_many_and_the_next_the_others(
    store: PostgresStore, rounds: list[int]
) -> None:
    """Something else may be due before all are parked: so each takes a tenth of a second."""
    flood(store)
    flood(store)
    me = engine(store)
    claimed = claim(store, me, limit=10)
    assert rounds == [10, 40, 160, 5000]
    assert parked(store) == sum(rounds)
    assert (claimed.steps, claimed.front, claimed.may_be_more) == ((), None, True)
    assert claimed.next_due is not None
    assert claimed.next_due <= now(), "it comes back at once"
    claimed = claim(store, me, limit=10)
    assert parked(store) == 2 * FLOOD
    assert (claimed.steps, claimed.whole, claimed.next_due) == ((), True, None)


def test_steps_do_not_wait_for_the_parking_of_others_where_no_more_stand_behind_those(
    store: PostgresStore, rounds: list[int]
) -> None:
    """Nor do the next claims read what was passed over, where a few steps come now and then."""
    add(store, first := make(priority=0))
    flood(store)
    me = engine(store)
    claimed = claim(store, me, limit=10, locking=True)
    assert ids(claimed.steps) == ids([first])
    assert parked(store) < FLOOD
    assert claimed.front is not None
    assert [one.id for one in claimed.front] == [first.id]
    assert not claimed.whole


def test_first_of_all_a_claim_passes_over_those_and_parks_none(
    store: PostgresStore, rounds: list[int]
) -> None:
    flood(store)
    add(store, first := make(), second := make())
    me = engine(store)
    for locking in (True, False):
        claimed = claim(store, me, limit=10, locking=locking, parks=False)
        assert [step.id for step in claimed.steps] == [first.id, second.id]
        place = Position(first.queue, first.priority, first.schedule_time, first.id)
        assert (claimed.front, claimed.whole) == ((place,), False)
    assert {step.claimed_by for step in claimed.steps} == {me}
    assert not rounds
    assert parked(store) == 0


@pytest.mark.parametrize("few", [1, 9])
def test_where_it_has_none_behind_those_it_parks_them_all_the_same(
    store: PostgresStore, few: int
) -> None:
    add(store, *[make("v1/elsewhere") for _ in range(few)])
    claimed = claim(store, engine(store), limit=few, parks=False)
    assert parked(store) == few
    assert (claimed.steps, claimed.whole, claimed.next_due) == ((), True, None)


def test_its_own_that_another_claim_holds_before_those_do_not_hide_the_ones_behind(
    store: PostgresStore, rounds: list[int]
) -> None:
    """As the two bursts of one engine do: each would park from there on until all are."""
    add(store, make())
    flood(store)
    add(store, behind := make())
    me = engine(store)
    with store.transaction() as tx:
        held = tx.claim(request(me, limit=1, locking=True))
        claimed = claim(store, me, limit=10, locking=True)
    assert ids(claimed.steps) == ids([behind])
    assert not ids(held.steps) & ids(claimed.steps)
    assert claimed.front is not None
    assert [one.id for one in claimed.front] == [behind.id]
    assert parked(store) < FLOOD


def test_a_flow_is_read_as_it_is(store: PostgresStore, rounds: list[int]) -> None:
    """R36: where rows that are handled begin in the queues says nothing of it."""
    flow = new_id()
    flood(store, flow_id=flow)
    add(store, mine := make(flow_id=flow), make())
    claimed = claim(store, engine(store), flow_id=flow, limit=10)
    assert ids(claimed.steps) == ids([mine])
    assert claimed.whole
    assert rounds[:6] == [10, 40, 160, 640, 2560, 5000]


def test_rows_that_were_passed_over_are_left_for_the_engines_that_handle_them(
    store: PostgresStore,
) -> None:
    flood(store)
    add(store, make())
    claim(store, engine(store), limit=10)
    claimed = claim(store, engine(store), names=("v1/elsewhere",), limit=FLOOD)
    assert len(claimed.steps) == FLOOD
    assert parked(store) == 0


def test_to_look_for_its_own_a_claim_reads_the_index_of_claims(store: PostgresStore) -> None:
    flood(store)
    add(store, make())
    plan = explain(store, ("claim_own",), of_claim(store))
    assert whole_tables(plan) == set()
    assert indexes(plan) == {"stepwell_ready_claim"}
