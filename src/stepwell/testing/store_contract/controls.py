"""Controls: pauses, limits and rates that an operator sets (R20)."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepwell.clock import now
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract.base import ContractBase, Cut, Where, needs

PAUSE, LIMIT, RATE = ControlKind.PAUSE, ControlKind.LIMIT, ControlKind.RATE


class ControlsContract(ContractBase):
    """What holds of the rows that say how fast steps may go."""

    def set_control(self, store: Store, kind: ControlKind, key: str, **fields: Any) -> None:
        """Set a control, as an operator does."""
        with store.transaction() as tx:
            tx.set_control(Control(kind=kind, key=key, **fields))

    def drop_control(self, store: Store, kind: ControlKind, key: str) -> bool:
        """Drop a control."""
        with store.transaction() as tx:
            return tx.drop_control(kind, key)

    def all_controls(self, store: Store) -> list[Control]:
        """All controls."""
        with store.transaction() as tx:
            return tx.controls()

    def paused(self, store: Store) -> tuple[str, ...]:
        """What an engine's beat says is paused."""
        engine = self.make_engine(store)
        with store.transaction() as tx:
            pulse = tx.beat(engine, [])
            tx.leave(engine)
        return pulse.paused

    @needs("set_control")
    def test_a_control_is_kept_as_it_was_set(self, store: Store, other_store: Store) -> None:
        self.set_control(store, RATE, "smtp", slots=5, period=2.5, reason="r", changed_by="me")
        (kept,) = self.all_controls(other_store)
        assert kept.changed_at is not None
        assert abs(kept.changed_at - now()) < timedelta(seconds=60)
        assert (kept.kind, kept.key, kept.slots, kept.period) == (RATE, "smtp", 5, 2.5)
        assert (kept.reason, kept.changed_by, kept.next_free_at) == ("r", "me", None)

    @needs("set_control")
    def test_controls_come_by_kind_and_key(self, store: Store) -> None:
        for kind, key in ((RATE, "b"), (PAUSE, "b"), (LIMIT, "b"), (LIMIT, "a"), (LIMIT, "B")):
            self.set_control(store, kind, key, slots=1, period=1.0)
        found = [(one.kind, one.key) for one in self.all_controls(store)]
        assert found == [(LIMIT, "B"), (LIMIT, "a"), (LIMIT, "b"), (PAUSE, "b"), (RATE, "b")]

    @needs("set_control")
    def test_a_control_set_again_is_replaced(self, store: Store) -> None:
        self.set_control(store, LIMIT, "smtp", slots=5, reason="first")
        self.set_control(store, LIMIT, "smtp", slots=2)
        (kept,) = self.all_controls(store)
        assert (kept.slots, kept.reason) == (2, None)

    @needs("set_control")
    def test_a_control_is_dropped_once(self, store: Store) -> None:
        self.set_control(store, LIMIT, "smtp", slots=5)
        self.set_control(store, RATE, "smtp", slots=5, period=1.0)
        assert self.drop_control(store, LIMIT, "smtp")
        assert not self.drop_control(store, LIMIT, "smtp")
        assert [one.kind for one in self.all_controls(store)] == [RATE]

    @needs("set_control")
    def test_joining_and_beating_tell_of_paused_queues(
        self, store: Store, other_store: Store
    ) -> None:
        assert self.paused(store) == ()
        for queue in ("mail", "default"):
            self.set_control(other_store, PAUSE, queue)
        self.set_control(store, LIMIT, "smtp", slots=1)
        assert self.paused(store) == ("default", "mail")
        self.drop_control(store, PAUSE, "default")
        assert self.paused(store) == ("mail",)

    @needs("set_control")
    def test_a_pause_hides_no_engine_from_the_others(self, store: Store) -> None:
        self.set_control(store, PAUSE, "mail")
        first, second = self.make_engine(store), self.make_engine(store)
        with store.transaction() as tx:
            assert tx.beat(first, []).beats == {first: 1, second: 0}

    @needs("set_control")
    @pytest.mark.parametrize("where", ["before", "after"])
    def test_a_control_set_after_a_cut_is_there_once(
        self, store: Store, cut: Cut, where: Where
    ) -> None:
        with cut(store, where):
            self.set_control(store, LIMIT, "smtp", slots=1)
        assert len(self.all_controls(store)) == (where == "after")
        self.set_control(store, LIMIT, "smtp", slots=1)
        assert len(self.all_controls(store)) == 1

    @needs("set_control", "transactions")
    def test_a_control_goes_with_its_transaction(self, store: Store) -> None:
        def fail() -> None:
            with store.transaction() as tx:
                tx.set_control(Control(kind=LIMIT, key="smtp", slots=1))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert self.all_controls(store) == []

    @needs("set_control", "wake")
    def test_a_change_of_a_control_wakes_engines(self, store: Store, other_store: Store) -> None:
        wake = store.wake()
        try:
            for change in (
                lambda: self.set_control(other_store, LIMIT, "smtp", slots=1),
                lambda: self.drop_control(other_store, LIMIT, "smtp"),
            ):
                while wake.wait(0.0):
                    pass
                change()
                assert wake.wait(90)
        finally:
            wake.close()
