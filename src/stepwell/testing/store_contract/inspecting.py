"""What an operator sees: counts per queue and state, engines, parked names, suspects."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from datetime import datetime, timedelta

from stepwell.clock import now
from stepwell.step import EndedAs
from stepwell.stores.inspecting import Inspectable, Inspection
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import ContractBase, ago, ahead, needs


class InspectingContract(ContractBase):
    """What holds of a store that is `Inspectable`."""

    @needs("inspection")
    def test_an_empty_store_has_nothing_to_see(self, store: Store) -> None:
        assert self._counts(store) == {}
        seen = self._inspect(store)
        assert (seen.engines, seen.parked, seen.suspects) == ((), (), ())

    @needs("inspection")
    def test_the_stores_time_is_told(self, store: Store) -> None:
        leeway, before = timedelta(seconds=5), now()
        told = self._inspect(store).now
        assert before - leeway < told < now() + leeway

    @needs("inspection")
    def test_each_step_is_counted_once_by_queue_and_state(self, store: Store) -> None:
        engine = self.make_engine(store)
        self.added(store)
        self.claim_one(store, engine)
        self.added(store)
        waiting = self.make_step(waiting_for=1)
        self.add(store, self.make_step(schedule_time=ahead(), join_id=waiting.id), waiting)
        self.added(store, lost_count=2)
        self.added(store, limit_key="gpu", limit_slots=1)
        self.added(store, queue="mail")
        self.added(store, queue="mail")
        assert self._counts(store) == {
            ("default", "running"): 1,
            ("default", "due"): 1,
            ("default", "later"): 1,
            ("default", "joining"): 1,
            ("default", "suspect"): 1,
            ("default", "limited"): 1,
            ("mail", "due"): 2,
        }

    @needs("inspection")
    def test_the_longest_due_step_is_told(self, store: Store) -> None:
        oldest = self.added(store, schedule_time=ago(900).replace(microsecond=0))
        self.added(store)
        (line,) = self._seen(store).overview(now()).lines
        assert (line.count, line.oldest) == (2, oldest.schedule_time)

    @needs("inspection")
    def test_done_steps_count_since_an_instant_and_failed_ones_always(self, store: Store) -> None:
        engine = self.make_engine(store, "a", "b")
        for label in ("a", "a", "b"):
            self.added(store, label)
        steps = self.claim_all(store, engine, "a", "b")
        self.settle(store, engine, *(self.ending(step) for step in steps))
        self.added(store, "a")
        last = self.claim_one(store, engine, "a", "b")
        self.settle(store, engine, self.ending(last, ended_as=EndedAs.FAILED))
        assert self._counts(store, ago(60)) == {("default", "done"): 3, ("default", "failed"): 1}
        assert self._counts(store, ahead(60)) == {("default", "failed"): 1}

    @needs("inspection")
    def test_engines_are_told_with_their_beat(self, store: Store) -> None:
        engine = self.make_engine(store, "a", "b")
        (before,) = self._inspect(store).engines
        with store.transaction() as tx:
            tx.beat(engine, [])
        (after,) = self._inspect(store).engines
        assert (after.id, after.handles, after.queues) == (
            engine,
            self.names(["a", "b"]),
            ("default",),
        )
        assert after.beat > before.beat

    @needs("inspection")
    def test_parked_names_are_told_with_their_number(self, store: Store) -> None:
        engine = self.make_engine(store)
        oldest = self.added(store, "strange", schedule_time=ago(900).replace(microsecond=0))
        self.added(store, "strange")
        self.claim_all(store, engine)
        (parked,) = self._inspect(store).parked
        assert (parked.name, parked.queue, parked.count, parked.oldest) == (
            self.name("strange"),
            "default",
            2,
            oldest.schedule_time,
        )
        assert self._counts(store) == {("default", "parked"): 2}

    @needs("inspection")
    def test_suspects_are_told(self, store: Store) -> None:
        suspect = self.added(store, lost_count=2)
        self.added(store, lost_count=1)
        assert self._inspect(store).suspects == (suspect.id,)

    def _seen(self, store: Store) -> Inspectable:
        assert isinstance(store, Inspectable)
        return store

    def _inspect(self, store: Store) -> Inspection:
        return self._seen(store).inspect()

    def _counts(self, store: Store, since: datetime | None = None) -> dict[tuple[str, str], int]:
        lines = self._seen(store).overview(since or now()).lines
        return {(line.queue, line.state): line.count for line in lines}
