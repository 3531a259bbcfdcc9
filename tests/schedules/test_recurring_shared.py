"""Timetables that share the handlers of one registry, as those of a program's tests do."""

from __future__ import annotations

from datetime import timedelta

from stepwell import Registry, Step, new_step
from stepwell.schedules import Every
from stepwell.schedules.recurring import SCHEDULE, Timetable, correlation, due_at
from stepwell.testing.crashing import crash_everywhere
from stepwell.testing.effects import Effects
from stepwell.testing.virtual import VirtualEngine

WORK = "v1/work"


def test_engines_on_different_stores_may_share_handlers_and_each_keeps_its_own_schedules() -> None:
    registry = Registry()
    registry.handler(WORK)(lambda: None)
    first, second = VirtualEngine(registry), VirtualEngine(registry)
    for engine in (first, second):
        Timetable(engine, registry, clock=engine.clock).schedule(WORK, every=3600, overlap="skip")
    later = first.clock.now() + timedelta(days=1)
    second.add(new_step("v1/active", correlation_id=correlation(WORK), schedule_time=later))
    for engine in (first, second):
        engine.advance(hours=2)
        assert engine.errors == []
    assert first.count(name=WORK).done == 2, "a run that is active elsewhere is none of its own"
    assert second.count(name=WORK).done == 0


def test_a_crash_around_a_schedule_costs_no_instant() -> None:
    registry, effects = Registry(), Effects()

    @registry.handler(WORK)
    def work(step: Step) -> None:
        effects.record("report", due_at(step), key=step.id)

    def flow(engine: VirtualEngine) -> None:
        Timetable(engine, registry, clock=engine.clock).schedule(WORK, Every(hours=1))
        engine.advance(hours=2)

    report = crash_everywhere(flow, registry, effects=effects)
    report.assert_effects_once()
    report.assert_same_ends()
    assert report.repeated == {SCHEDULE, WORK}
