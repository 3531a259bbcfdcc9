"""Concurrency and rate limits per key (R20): never too many, nothing leaks, nobody starves."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from stepwell.ids import new_id
from stepwell.step import EndedAs, Priority, Step, StepQuery, StepStatus
from stepwell.stores.controls import ControlKind
from stepwell.stores.protocol import Claimed, Store
from stepwell.testing.store_contract.base import Cut, Where, ago, ahead, needs, together
from stepwell.testing.store_contract.controls import LIMIT, ControlsContract

EITHER = pytest.mark.parametrize("where", ["before", "after"])
_ROUNDS = 12


class LimitsContract(ControlsContract):
    """What holds of rows with a limit or rate key."""

    def some(self, store: Store, count: int, **fields: Any) -> list[Step]:
        """Rows due in order, with the limit key 'smtp' unless they say otherwise."""
        keys = {"limit_key": "smtp"} if "rate_key" not in fields else {}
        rows = [
            self.make_step(schedule_time=ago(600 - place), **keys | fields)
            for place in range(count)
        ]
        self.add(store, *rows)
        return rows

    def limited(self, store: Store, engine_id: UUID, *labels: str, **fields: Any) -> Claimed:
        """A limited claim; one that a locked key was kept from is made again."""
        for _ in range(200):
            claimed = self.claim(store, engine_id, *labels, limited=True, **fields)
            if claimed.steps or not claimed.limited_due:
                return claimed
        raise AssertionError("the store says for ever that more can be taken, and gives nothing")

    def taken(self, store: Store, key: str = "smtp") -> int:
        """How many rows of the key are claimed."""
        query = StepQuery(limit_key=key, claimed=True, status=StepStatus.READY, limit=1000)
        with store.transaction() as tx:
            return len(tx.search(query))

    # -- slots -----------------------------------------------------------------

    @needs("set_control")
    def test_an_ordinary_claim_takes_no_limited_row_and_tells_of_it(self, store: Store) -> None:
        engine = self.make_engine(store)
        assert not self.claim(store, engine).limited_due
        self.some(store, 1)
        self.some(store, 1, rate_key="smtp")
        plain = self.added(store)
        claimed = self.claim(store, engine)
        assert [step.id for step in claimed.steps] == [plain.id]
        assert (claimed.limited_due, claimed.next_due) == (True, None)

    @needs("set_control")
    def test_an_ordinary_claim_tells_when_a_limited_row_will_be_due(self, store: Store) -> None:
        due = ahead()
        self.added(store, limit_key="smtp", schedule_time=due)
        engine = self.make_engine(store)
        assert self.claim(store, engine) == Claimed((), next_due=due)
        self.some(store, 1)
        assert self.claim(store, engine) == Claimed((), next_due=due, limited_due=True)

    @needs("set_control")
    def test_a_limited_claim_takes_no_ordinary_row(self, store: Store) -> None:
        self.added(store)
        assert self.limited(store, self.make_engine(store)) == Claimed()

    @needs("set_control")
    def test_without_any_word_on_slots_one_runs_at_a_time(self, store: Store) -> None:
        rows = self.some(store, 3)
        engine = self.make_engine(store)
        (step,) = self.limited(store, engine).steps
        assert (step.id, step.claim_no, step.claimed_by) == (rows[0].id, 1, engine)
        assert self.limited(store, engine) == Claimed()
        self.settle(store, engine, self.ending(step))
        assert [one.id for one in self.limited(store, engine).steps] == [rows[1].id]

    @needs("set_control")
    def test_the_rows_say_how_many_slots_there_are(self, store: Store) -> None:
        rows = self.some(store, 5, limit_slots=3)
        claimed = self.limited(store, self.make_engine(store))
        assert [step.id for step in claimed.steps] == [row.id for row in rows[:3]]
        assert not claimed.limited_due

    @needs("set_control")
    def test_the_control_has_the_last_word_on_slots(self, store: Store) -> None:
        self.some(store, 9, limit_slots=3)
        engine = self.make_engine(store)
        for slots, more in ((2, 2), (1, 0), (0, 0), (4, 2)):
            self.set_control(store, LIMIT, "smtp", slots=slots)
            assert len(self.limited(store, engine).steps) == more
        self.drop_control(store, LIMIT, "smtp")
        assert self.limited(store, engine) == Claimed()
        self.set_control(store, LIMIT, "other", slots=9)
        assert self.taken(store) == 4

    @needs("set_control")
    def test_a_limited_claim_takes_no_more_than_it_asks_for_and_says_so(self, store: Store) -> None:
        self.some(store, 5, limit_slots=4)
        engine = self.make_engine(store)
        claimed = self.limited(store, engine, limit=3)
        assert (len(claimed.steps), claimed.limited_due) == (3, True)
        claimed = self.limited(store, engine, limit=3)
        assert (len(claimed.steps), claimed.limited_due) == (1, False)

    @needs("set_control")
    def test_several_keys_are_served_by_one_claim(self, store: Store) -> None:
        for key in ("a", "b", "c"):
            self.some(store, 4, limit_key=key, limit_slots=2)
        steps = self.limited(store, self.make_engine(store)).steps
        assert sorted(str(step.limit_key) for step in steps) == ["a", "a", "b", "b", "c", "c"]

    @needs("set_control")
    def test_a_full_key_with_many_rows_keeps_no_other_waiting(self, store: Store) -> None:
        self.some(store, 400)
        engine = self.make_engine(store)
        assert len(self.limited(store, engine, limit=2).steps) == 1
        other = self.added(store, limit_key="other")
        assert [step.id for step in self.limited(store, engine, limit=2).steps] == [other.id]

    @needs("set_control")
    def test_of_very_many_full_keys_none_hides_the_others(self, store: Store) -> None:
        keys = [f"key-{number:04}" for number in range(600)]
        engine = self.make_engine(store)
        self.add(store, *[self.make_step(limit_key=key) for key in keys])
        got = 0
        beyond = ""
        for _ in range(10):
            claimed = self.limited(store, engine, limit=1000, beyond=beyond)
            got, beyond = got + len(claimed.steps), claimed.beyond
        assert got == 600
        self.add(store, *[self.make_step(limit_key=key) for key in keys])
        last = self.added(store, limit_key="z-last")
        found: list[Step] = []
        for _ in range(10):
            claimed = self.claim(store, engine, limited=True, beyond=beyond)
            found, beyond = [*found, *claimed.steps], claimed.beyond
        assert [step.id for step in found] == [last.id]

    @needs("set_control")
    def test_a_higher_band_and_then_the_older_row_goes_first(self, store: Store) -> None:
        low = self.some(store, 2, priority=Priority.LOW, limit_slots=3)
        high = self.some(store, 2, priority=Priority.URGENT, limit_slots=3)
        steps = self.limited(store, self.make_engine(store)).steps
        assert [step.id for step in steps] == [high[0].id, high[1].id, low[0].id]

    @needs("set_control")
    def test_a_limited_row_of_a_foreign_name_is_left_as_it_is(self, store: Store) -> None:
        row = self.added(store, "foreign", limit_key="smtp")
        mine, theirs = self.make_engine(store), self.make_engine(store, "foreign")
        assert self.claim_all(store, mine) == []
        assert self.claim(store, mine) == Claimed()
        assert self.limited(store, mine) == Claimed()
        assert not self.find(store, row).parked
        assert self.claim(store, theirs, "foreign").limited_due
        assert [one.id for one in self.limited(store, theirs, "foreign").steps] == [row.id]

    @needs("set_control", "many flows")
    def test_limited_rows_of_other_queues_are_not_claimed(self, store: Store) -> None:
        row = self.added(store, limit_key="smtp", queue="mail")
        engine = self.make_engine(store)
        assert self.claim(store, engine) == Claimed()
        assert self.limited(store, engine) == Claimed()
        assert self.claim(store, engine, queues=("mail",)).limited_due
        assert [one.id for one in self.limited(store, engine, queues=("mail",)).steps] == [row.id]

    @needs("set_control", "many flows")
    def test_slots_are_shared_by_all_queues_names_and_flows(self, store: Store) -> None:
        flow = new_id()
        self.added(store, limit_key="smtp", queue="mail")
        mine = self.added(store, "other", limit_key="smtp", flow_id=flow)
        engine = self.make_engine(store)
        assert self.claim(store, engine, "other", flow_id=flow).limited_due
        (step,) = self.limited(store, engine, "other", flow_id=flow).steps
        assert step.id == mine.id
        assert self.limited(store, engine, queues=("mail",)) == Claimed()
        self.settle(store, engine, self.ending(step))
        assert len(self.limited(store, engine, queues=("mail",)).steps) == 1

    # -- nothing leaks ---------------------------------------------------------

    @needs("set_control")
    @pytest.mark.parametrize("way", ["done", "failed", "rerun", "release", "end", "reschedule"])
    def test_whatever_ends_a_claim_frees_its_slot(self, store: Store, way: str) -> None:
        self.some(store, 2)
        engine = self.make_engine(store)
        (step,) = self.limited(store, engine).steps
        assert self.limited(store, engine) == Claimed()
        self._give_up(store, engine, step, way)
        assert len(self.limited(store, engine).steps) == 1
        assert self.taken(store) == 1

    def _give_up(self, store: Store, engine: UUID, step: Step, way: str) -> None:
        with store.transaction() as tx:
            ways: dict[str, Callable[[], object]] = {
                "done": lambda: tx.settle(engine, [self.ending(step)]),
                "failed": lambda: tx.settle(engine, [self.ending(step, ended_as=EndedAs.FAILED)]),
                "rerun": lambda: tx.settle(engine, [self.rerunning(step, schedule_time=ahead())]),
                "release": lambda: tx.release(engine, [step.claim]),
                "end": lambda: tx.end(step.id, EndedAs.CANCELLED, "by hand"),
                "reschedule": lambda: tx.reschedule(step.id, ahead()),
            }
            ways[way]()

    @needs("set_control", "wake")
    @pytest.mark.parametrize("way", ["done", "rerun", "release", "end", "reschedule"])
    def test_whatever_frees_a_slot_wakes_engines(
        self, store: Store, other_store: Store, way: str
    ) -> None:
        self.some(store, 2)
        engine = self.make_engine(store)
        (step,) = self.limited(store, engine).steps
        wake = other_store.wake()
        try:
            while wake.wait(0.3):
                pass
            self._give_up(store, engine, step, way)
            assert wake.wait(90)
        finally:
            wake.close()

    @needs("set_control", "bury")
    def test_the_slots_of_a_dead_engine_are_free_when_it_is_buried(self, store: Store) -> None:
        rows = self.some(store, 3, limit_slots=2)
        dead, heir = self.make_engine(store), self.make_engine(store)
        assert len(self.limited(store, dead).steps) == 2
        assert self.limited(store, heir) == Claimed()
        self.bury(store, dead)
        steps = self.limited(store, heir).steps
        assert [step.id for step in steps] == [row.id for row in rows[:2]]

    @needs("set_control")
    def test_the_slots_of_an_engine_that_leaves_are_free(self, store: Store) -> None:
        self.some(store, 1)
        first, second = self.make_engine(store), self.make_engine(store)
        assert len(self.limited(store, first).steps) == 1
        with store.transaction() as tx:
            tx.leave(first)
        assert len(self.limited(store, second).steps) == 1

    @needs("set_control")
    @EITHER
    def test_a_limited_claim_whose_answer_was_lost_leaks_no_slot(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        self.some(store, 2, limit_slots=2)
        engine = self.make_engine(store)
        with cut(store, where):
            self.claim(store, engine, limited=True)
        with store.transaction() as tx:
            lost = tx.claimed(engine)
        assert len(lost) == (2 if where == "after" else 0)
        self.release(store, engine, *lost)
        assert len(self.limited(store, engine).steps) == 2

    @needs("set_control", "bury")
    def test_a_limited_suspect_is_claimed_alone_and_within_its_slots(self, store: Store) -> None:
        (row,) = self.some(store, 1)
        for _ in range(2):
            engine = self.make_engine(store)
            assert len(self.limited(store, engine).steps) == 1
            self.bury(store, engine)
        engine = self.make_engine(store)
        (other,) = self.some(store, 1, limit_slots=1)
        claimed = self.claim(store, engine)
        assert (claimed.limited_due, claimed.suspect_due) == (True, False)
        claimed = self.limited(store, engine)
        assert [step.id for step in claimed.steps] == [other.id]
        assert self.limited(store, engine, alone=True) == Claimed()
        self.settle(store, engine, self.ending(claimed.steps[0]))
        assert self.limited(store, engine).suspect_due
        claimed = self.limited(store, engine, alone=True)
        assert [step.id for step in claimed.steps] == [row.id]

    # -- many at once ----------------------------------------------------------

    @needs("set_control")
    def test_engines_that_claim_at_once_never_exceed_the_slots(
        self, store: Store, other_store: Store
    ) -> None:
        # Each has rows of its own to take, so that no lock on a row keeps them apart.
        engines = [
            (one, self.make_engine(one, label), label)
            for one, label in zip((store, other_store) * 2, "abcd", strict=True)
        ]
        for *_, label in engines:
            rows = (self.make_step(label, limit_key="smtp", limit_slots=3) for _ in range(40))
            self.add(store, *rows)
        for _ in range(_ROUNDS):
            calls = [partial(self.claim, *three, limited=True, limit=2) for three in engines]
            held: list[tuple[int, Step]] = []
            for place, claimed in enumerate(together(*calls)):
                assert isinstance(claimed, Claimed), claimed
                held += [(place, step) for step in claimed.steps]
            assert 1 <= len(held) <= 3
            assert self.taken(store) == len(held)
            for place, step in held:
                self.settle(*engines[place][:2], self.ending(step))

    @needs("set_control")
    def test_limited_rows_and_ordinary_ones_do_not_stand_in_each_others_way(
        self, store: Store
    ) -> None:
        self.some(store, 300)
        plain = [self.added(store) for _ in range(3)]
        engine = self.make_engine(store)
        claimed = self.claim(store, engine, limit=2)
        assert [step.id for step in claimed.steps] == [row.id for row in plain[:2]]
        assert len(self.limited(store, engine).steps) == 1

    @needs("set_control")
    def test_kinds_of_controls_of_one_key_are_apart(self, store: Store) -> None:
        for kind in ControlKind:
            self.set_control(store, kind, "default", slots=1, period=1.0)
        self.some(store, 2, limit_key="default")
        engine = self.make_engine(store)
        assert len(self.limited(store, engine).steps) == 1
        plain = self.added(store)
        assert self.claim_one(store, engine).id == plain.id
