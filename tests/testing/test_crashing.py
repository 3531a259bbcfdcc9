"""An engine that is killed everywhere shows which handlers can stand it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from stepwell import Outcome, Registry, RetryPolicy, Step, StepQuery, done, new_step, rerun
from stepwell.errors import InvalidInput
from stepwell.step import StepStatus
from stepwell.stores.memory import MemoryStore
from stepwell.stores.memory_verbs import MemoryTransaction
from stepwell.stores.protocol import Burial
from stepwell.testing.clock import VirtualClock
from stepwell.testing.crash_report import CrashReport, Place
from stepwell.testing.crashing import FlowUnsteady, crash_everywhere
from stepwell.testing.effects import Effects
from stepwell.testing.life import Moment
from stepwell.testing.virtual import VirtualEngine

WHOLE = [
    Moment.CLAIMING,
    Moment.CLAIMED,
    Moment.STARTING,
    Moment.BEFORE_EFFECT,
    Moment.AFTER_EFFECT,
    Moment.ENDED,
    Moment.SETTLED,
]


def order(engine: VirtualEngine) -> None:
    engine.add(new_step("v1/order", 10))


def harms(report: CrashReport) -> list[tuple[str, dict[Any, int]]]:
    return [(crash.place.step, dict(crash.doubled)) for crash in report.crashes if crash.doubled]


# -- what is found -------------------------------------------------------------


def test_each_moment_of_each_step_is_died_at(shop: Registry, effects: Effects) -> None:
    report = crash_everywhere(order, shop, effects=effects)
    died_at: dict[str, list[Moment]] = {}
    for crash in report.crashes:
        died_at.setdefault(crash.place.step, []).append(crash.place.moment)
    without = [one for one in WHOLE if one not in {Moment.BEFORE_EFFECT, Moment.AFTER_EFFECT}]
    assert died_at == {"v1/order": without, "v1/charge": WHOLE, "v1/send-mail": WHOLE}


def test_an_effect_without_a_key_is_doubled_by_a_crash_before_its_settlement(
    shop: Registry, effects: Effects
) -> None:
    report = crash_everywhere(order, shop, effects=effects)
    assert harms(report) == 2 * [("v1/send-mail", {("mail",): 1})]
    places = [crash.place for crash in report.crashes if crash.doubled]
    assert places == [
        Place(Moment.AFTER_EFFECT, "v1/send-mail", ("mail",)),
        Place(Moment.ENDED, "v1/send-mail"),
    ]
    assert report.doubled == {"v1/send-mail"}
    assert not report.lost


def test_an_effect_under_the_key_of_its_step_happens_once(effects: Effects) -> None:
    """Its handler runs twice all the same."""
    registry = Registry()

    @registry.handler("v1/charge")
    def charge(step: Step) -> None:
        effects.record("charge", key=step.id)

    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/charge")), registry, effects=effects
    )
    report.assert_effects_once()
    report.assert_same_ends()
    assert report.repeated == {"v1/charge"}
    repeats = [crash.place.moment for crash in report.crashes if crash.repeated]
    assert repeats == [Moment.BEFORE_EFFECT, Moment.AFTER_EFFECT, Moment.ENDED]


def test_the_assertion_lets_named_handlers_double(shop: Registry, effects: Effects) -> None:
    report = crash_everywhere(order, shop, effects=effects)
    with pytest.raises(AssertionError, match="mail happened twice instead of once"):
        report.assert_effects_once()
    report.assert_effects_once(except_for={"v1/send-mail"})


def test_an_effect_that_is_noted_before_it_happens_is_lost(effects: Effects) -> None:
    """Who remembers first and acts then, forgets to act."""
    registry = Registry()
    sent: set[UUID] = set()

    @registry.handler("v1/send-mail")
    def send_mail(step: Step) -> None:
        if step.id not in sent:
            sent.add(step.id)
            effects.record("mail")

    def flow(engine: VirtualEngine) -> None:
        sent.clear()
        engine.add(new_step("v1/send-mail"))

    report = crash_everywhere(flow, registry, effects=effects)
    assert report.lost == {"v1/send-mail"}
    assert not report.doubled
    with pytest.raises(AssertionError, match="mail happened never instead of once"):
        report.assert_effects_once()


def test_a_handler_that_fails_the_second_time_ends_otherwise() -> None:
    registry, booked = Registry(), set[UUID]()

    @registry.handler("v1/book", retry=RetryPolicy(attempts=1))
    def book(step: Step) -> None:
        if step.id in booked:
            raise ValueError("booked already")
        booked.add(step.id)

    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/book")), registry, effects=lambda: ["one"]
    )
    report.assert_effects_once()
    with pytest.raises(AssertionError, match="1 more of v1/book failed"):
        report.assert_same_ends()
    report.assert_same_ends(except_for={"v1/book"})


def test_a_step_that_a_handler_adds_by_itself_is_doubled(effects: Effects) -> None:
    """What it adds must come with its outcome: `done(next=...)`."""
    registry, engines = Registry(), list[VirtualEngine]()
    registry.add(lambda: effects.record("mail") and None, "v1/send-mail")

    @registry.handler("v1/order")
    def add_by_itself() -> None:
        engines[-1].add(new_step("v1/send-mail"))

    def flow(engine: VirtualEngine) -> None:
        engines.append(engine)
        order(engine)

    report = crash_everywhere(flow, registry, effects=effects)
    assert report.doubled == {"v1/order", "v1/send-mail"}
    with pytest.raises(AssertionError, match="1 more of v1/send-mail done"):
        report.assert_same_ends()


def test_cleaning_up_in_a_handler_does_nothing_after_its_death(effects: Effects) -> None:
    """A dead process runs no `except` and no `finally`."""
    registry = Registry()

    @registry.handler("v1/careful")
    def careful() -> Outcome:
        try:
            effects.record("one")
        except BaseException:
            effects.record("undo one")
        finally:
            effects.record("two")
        return done()

    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/careful")), registry, effects=effects
    )
    assert report.calm.effects == Counter([("one",), ("two",)])
    assert {effect for crash in report.crashes for effect in crash.doubled} == {("one",), ("two",)}
    assert not report.lost


def test_a_handler_that_swallows_its_death_is_dead(effects: Effects) -> None:
    registry = Registry()

    @registry.handler("v1/stubborn")
    def stubborn() -> Outcome:
        try:
            effects.record("one")
        except BaseException:
            return done("went well")
        return done()

    def flow(engine: VirtualEngine) -> None:
        step = engine.add(new_step("v1/stubborn"))
        engine.drain()
        assert engine.get(step).result is None
        assert engine.get(step).execution_count == 1

    assert crash_everywhere(flow, registry, effects=effects).repeated == {"v1/stubborn"}


# -- flows of more than one act ------------------------------------------------


def test_a_flow_goes_on_after_the_crash(effects: Effects) -> None:
    """Its timers, activations and assertions meet the next engine."""
    registry = Registry()

    @registry.handler("v1/await-payment")
    def await_payment(step: Step, activation: str | None) -> Outcome:
        if activation is None:
            return rerun(after=timedelta(days=7))
        effects.record("ship", activation, key=step.id)
        return done()

    def flow(engine: VirtualEngine) -> None:
        step = engine.add(new_step("v1/await-payment"))
        engine.advance(days=1)
        engine.activate(step, "paid")
        engine.advance(days=20)
        assert engine.get(step).status is StepStatus.DONE

    report = crash_everywhere(flow, registry, effects=effects)
    assert len(report.crashes) == 5 + 7
    report.assert_effects_once()
    report.assert_same_ends()


def test_what_the_flow_asserts_is_noted_with_the_place(effects: Effects) -> None:
    registry = Registry()
    registry.add(lambda: effects.record("one") and None, "v1/x")

    def flow(engine: VirtualEngine) -> None:
        engine.add(new_step("v1/x"))
        engine.drain()
        assert effects.count("one") == 1

    with pytest.raises(AssertionError) as raised:
        crash_everywhere(flow, registry, effects=effects)
    assert raised.value.__notes__ == [
        "The engine was killed after an effect of its handler (v1/x): one."
    ]


def test_a_crash_uses_up_no_attempt_and_is_counted_as_lost(effects: Effects) -> None:
    """R15: the first loss makes no step a suspect."""
    registry, lost = Registry(), []

    @registry.handler("v1/x")
    def x(step: Step) -> None:
        lost.append((step.lost_count, step.failure_count))

    crash_everywhere(lambda engine: engine.add(new_step("v1/x")), registry)
    assert set(lost) == {(0, 0), (1, 0)}


# -- an engine that breaks its promises is noticed -----------------------------


def test_a_store_that_strands_the_claims_of_the_dead_is_noticed(
    shop: Registry, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: nothing is lost, nothing is stranded."""

    def bury(self: MemoryTransaction, engine_id: UUID, beat: int) -> Burial:
        self._tables.remove(self._tables.engines, engine_id)
        return Burial(0)

    monkeypatch.setattr(MemoryTransaction, "bury", bury)
    report = crash_everywhere(order, shop, effects=effects)
    assert report.lost == {"v1/order", "v1/charge", "v1/send-mail"}
    with pytest.raises(AssertionError, match="1 more of v1/order ready"):
        report.assert_same_ends()


def test_effects_may_have_lists_and_dicts_whoever_gives_them(effects: Effects) -> None:
    registry, world = Registry(), list[dict[str, list[int]]]()

    @registry.handler("v1/x")
    def x(state: list[int]) -> None:
        effects.record("x", {"numbers": state})
        world.append({"numbers": state})

    def flow(engine: VirtualEngine) -> None:
        world.clear()
        engine.add(new_step("v1/x", [1, 2]))

    assert crash_everywhere(flow, registry, effects=effects).doubled == {"v1/x"}
    assert crash_everywhere(flow, registry, effects=lambda: world).doubled == {"v1/x"}


# -- what cannot be tested so --------------------------------------------------


def test_a_flow_that_finds_another_world_each_time_is_refused(effects: Effects) -> None:
    registry, world = Registry(), []

    @registry.handler("v1/x")
    def x() -> None:
        world.append(1)
        effects.record("x", len(world))

    with pytest.raises(FlowUnsteady, match=r"\('x', 2\): 1"):
        crash_everywhere(lambda engine: engine.add(new_step("v1/x")), registry, effects=effects)


def test_a_flow_that_runs_nothing_is_refused(shop: Registry) -> None:
    with pytest.raises(InvalidInput, match="ran no step"):
        crash_everywhere(lambda engine: None, shop)


def test_a_flow_with_too_many_places_is_refused(shop: Registry) -> None:
    with pytest.raises(InvalidInput, match="15 places to die at, more than 10"):
        crash_everywhere(order, shop, most_places=10)


def test_each_run_has_a_store_of_its_own(shop: Registry) -> None:
    stores: list[MemoryStore] = []

    def make(clock: VirtualClock) -> MemoryStore:
        stores.append(MemoryStore(clock))
        return stores[-1]

    report = crash_everywhere(order, shop, store=make)
    assert len(stores) == len(report.crashes) + 2
    for store in stores:
        with store.transaction() as tx:
            assert tx.count(StepQuery()).done == 3
