"""What a transaction settles, and which spawned steps its engine takes over (R16, R21)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest

from stepwell.clock import SYSTEM, now
from stepwell.engine.batch import MOST_LINKS, Batch
from stepwell.engine.committer import Committer, Ended
from stepwell.engine.held import Held, Holding
from stepwell.errors import StoreUnavailable
from stepwell.ids import new_id
from stepwell.outcome import Settlement
from stepwell.step import Addition, EndedAs, Step, StepQuery
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import ClaimRequest, EngineInfo

NAMES = ("v1/parent", "v1/child")


class World:
    """A store with an engine, and what it holds."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.store.migrate()
        self.engine_id = new_id()
        self.committer = Committer(self.store, Held(), lambda: None)
        self.put: list[Ended] = []
        self.committer.put = lambda *ended: self.put.extend(ended)  # type: ignore[method-assign] # noted
        with self.store.transaction() as tx:
            tx.join(EngineInfo(id=self.engine_id, name="me", version="1", handles=(), queues=()))

    def request(self, limit: int = 100) -> ClaimRequest:
        """In whose name spawned steps are inserted."""
        return ClaimRequest(engine_id=self.engine_id, request_id=new_id(), names=NAMES, limit=limit)

    def ended(self, *children: Step, links: int = 0, engine_id: UUID | None = None) -> Ended:
        """A parent that is done and spawns."""
        with self.store.transaction() as tx:
            tx.add([Addition(make("v1/parent"))])
            (step,) = tx.claim(self.request()).steps
        holding = Holding(step, engine_id or self.engine_id, 0.0, links=links)
        settlement = Settlement(
            claim=step.claim,
            ended_as=EndedAs.DONE,
            description=None,
            activation_seen=0,
            failure_count=0,
            execution_started_at=now(),
            execution_duration=0.1,
            executed_by="me",
            additions=tuple(map(Addition, children)),
        )
        nobody: Any = Mock()
        return Ended(holding, nobody, settlement)

    def batch(
        self,
        *ended: Ended,
        limit: int = 100,
        takes_over: Callable[[Addition], bool] = lambda addition: True,
    ) -> Batch:
        """These outcomes on their way into the store."""
        return Batch(self.committer, list(ended), takes_over, self.request(limit), SYSTEM)

    def settle(self, batch: Batch) -> list[Holding]:
        """In a transaction; what is held afterwards."""
        with self.store.transaction() as tx:
            batch.settle(tx)
        batch.close()
        return batch.spawned(1.0)

    def find(self, step: Step) -> Step:
        """The row as it is."""
        with self.store.transaction() as tx:
            (found,) = tx.search(StepQuery(ids=(step.id,)))
        return found


def make(name: str = "v1/child", **fields: Any) -> Step:
    """A row that is due."""
    given: dict[str, Any] = {"id": new_id(), "flow_id": new_id(), "created_at": now()}
    return Step(name=name, **given | {"schedule_time": now() - timedelta(seconds=9)} | fields)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.store.close()


def test_what_is_taken_over_is_inserted_as_claimed(world: World) -> None:
    child = make()
    (holding,) = world.settle(world.batch(world.ended(child)))
    row = world.find(child)
    assert (row.claimed_by, row.claim) == (world.engine_id, holding.claim)
    assert (holding.engine_id, holding.links, holding.since) == (world.engine_id, 1, 1.0)
    assert world.committer.tally.done == 1


def test_what_is_not_wanted_is_inserted_free(world: World) -> None:
    child, other = make(), make("v1/other")
    batch = world.batch(world.ended(child, other), takes_over=lambda one: one.step.id == child.id)
    assert [holding.step.id for holding in world.settle(batch)] == [child.id]
    assert world.find(other).claimed_by is None


def test_no_more_are_taken_over_than_the_engine_asks_for(world: World) -> None:
    children = [make() for _ in range(5)]
    batch = world.batch(world.ended(*children[:2]), world.ended(*children[2:]), limit=3)
    assert len(world.settle(batch)) == 3
    free = [child for child in children if world.find(child).claimed_by is None]
    assert len(free) == 2


def test_after_fifty_in_a_row_a_step_is_left_to_whoever_claims_it(world: World) -> None:
    children = [make(), make()]
    taken = world.settle(
        world.batch(
            world.ended(children[0], links=MOST_LINKS - 1),
            world.ended(children[1], links=MOST_LINKS),
        )
    )
    assert [holding.step.id for holding in taken] == [children[0].id]
    assert taken[0].links == MOST_LINKS == 50


def test_nothing_is_taken_over_from_a_refused_settlement(world: World) -> None:
    ended = world.ended(make())
    with world.store.transaction() as tx:
        tx.release(world.engine_id, [ended.holding.claim])
    assert world.settle(world.batch(ended)) == []
    assert world.committer.tally.refused == 1


def test_nothing_is_taken_over_under_the_id_of_before_a_declared_death(world: World) -> None:
    """R11: the claim would be that of another engine."""
    child = make()
    ended = world.ended(child, engine_id=new_id())
    assert world.settle(world.batch(ended)) == []


def test_refused_data_goes_to_the_committer_as_it_was(world: World) -> None:
    """R16: without claims, for nobody will take these over."""
    key = {"unique_key": "k", "schedule_time": now() + timedelta(days=1)}
    with world.store.transaction() as tx:
        tx.add([Addition(make("v1/keyed", **key))])
    good, bad = world.ended(make()), world.ended(make("v1/keyed", **key))
    batch = world.batch(good, bad, takes_over=lambda one: one.step.unique_key is None)
    assert world.settle(batch) == []
    assert batch.handed_on
    assert world.put == [good, bad]
    assert all(one.step.claimed_by is None for one in good.settlement.additions)
    assert batch.settled == []


def test_of_a_transaction_that_is_taken_back_nothing_stays_taken_over(world: World) -> None:
    """R21: the committer inserts the steps for anybody, as no engine knows of these claims."""
    ended, late = world.ended(make()), world.ended()
    batch = world.batch(ended)
    with suppress(StoreUnavailable), world.store.transaction() as tx:
        batch.settle(tx)
        (addition,) = ended.settlement.additions
        assert addition.step.claimed_by == world.engine_id
        raise StoreUnavailable("The connection is gone.")
    batch.hand_on(late)
    step = addition.step
    assert (step.claimed_by, step.claim_no, step.claim_request, step.claimed_at) == (
        None,
        0,
        None,
        None,
    )
    assert world.put == [ended, late]


def test_a_store_that_cannot_be_reached_is_the_callers_to_deal_with(world: World) -> None:
    tx: Any = Mock()
    tx.settle.side_effect = StoreUnavailable("gone")
    with pytest.raises(StoreUnavailable):
        world.batch(world.ended()).settle(tx)
    assert world.put == []
