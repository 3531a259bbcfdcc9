"""Claims from where due rows began lately."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from tests.stores.postgres.plans import blocks, explain, of_lane
from tests.stores.postgres.support import add, claim, engine, ids, make

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Position


def test_a_claim_from_where_due_rows_began_passes_over_none_that_have_ended(
    store: PostgresStore, postgres_steps: str
) -> None:
    """They stay in the index until vacuum comes."""
    add(store, *[make() for _ in range(20_000)])
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute("ALTER TABLE stepwell_ready SET (autovacuum_enabled = off)")
        connection.execute("DELETE FROM stepwell_ready")
        connection.execute("ANALYZE stepwell_ready")
        add(store, first := make(), make())
        begins = Position(first.schedule_time, first.id)
        names = ("claim_parking", "claim_lane")
        from_the_first, from_there = (
            min(blocks(explain(store, names, of_lane(store, since))) for _ in range(3))
            for since in (None, begins)
        )
        connection.execute("ALTER TABLE stepwell_ready RESET (autovacuum_enabled)")
    assert from_the_first > 200
    assert from_there < 60


@pytest.mark.parametrize("locking", [True, False])
def test_a_claim_from_a_place_on_leaves_out_what_stands_before_it_and_says_so(
    store: PostgresStore, locking: bool
) -> None:
    me = engine(store)
    before, first, second = (make() for _ in range(3))
    add(store, before, first, second)
    place = Position(first.schedule_time, first.id)
    claimed = claim(store, me, locking=locking, since=place)
    assert ids(claimed.steps) == ids([first, second])
    assert not claimed.whole
    nothing = claim(store, me, since=Position(now(), new_id()))
    assert not nothing.steps
    assert nothing.may_be_more


def test_a_claim_says_where_due_rows_begin_unless_several_lanes_have_some(
    store: PostgresStore,
) -> None:
    me, first = engine(store), make()
    add(store, first, make(), make(schedule_time=now() + timedelta(hours=1)))
    claimed = claim(store, me, locking=True)
    assert claimed.front == (first.schedule_time, first.id)
    assert claimed.whole
    add(store, make(priority=0))
    weighed = claim(store, me, locking=True, since=claimed.front)
    assert weighed.front is None
