"""A job scheduler: each job at its time, late ones by their own rule, and by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from patterns.job_scheduler import JOBS, build, declare, run_now

from stepwell import Registry, Step
from stepwell.schedules import Timetable
from stepwell.stores.memory import MemoryStore
from stepwell.testing.clock import VirtualClock
from stepwell.testing.virtual import VirtualEngine


class Office:
    """A store, and processes that start on it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))  # a Thursday
        self.store = MemoryStore(self.clock)
        self.ran: list[str] = []

    def process(self) -> VirtualEngine:
        registry: Registry = build(self._run)
        engine = VirtualEngine(registry, store=self.store, clock=self.clock)
        declare(Timetable(engine, registry, clock=self.clock))
        return engine

    def _run(self, step: Step) -> None:
        self.ran.append(step.name)


@pytest.fixture
def office() -> Office:
    return Office()


def test_each_job_runs_at_its_time(office: Office) -> None:
    office.process().advance(days=4)
    assert office.ran.count("v1/close-day") == 4
    assert office.ran.count("v1/send-report") == 2  # Friday and Monday
    assert office.ran.count("v1/refresh-cache") == 4 * 24 * 4


def test_after_four_days_without_power_each_job_does_what_its_rule_says(office: Office) -> None:
    office.process().close()
    office.clock.advance(timedelta(days=4).total_seconds() + 300)
    office.process().advance(minutes=5)  # closing days one after another takes a while
    assert office.ran.count("v1/close-day") == 4
    assert office.ran.count("v1/send-report") == 1
    assert office.ran.count("v1/refresh-cache") == 0


def test_a_job_can_be_run_out_of_turn(office: Office) -> None:
    engine = office.process()
    run_now(engine, "v1/send-report")
    engine.drain()
    assert office.ran == ["v1/send-report"]


def test_many_processes_declare_one_schedule_each(office: Office) -> None:
    engines = [office.process() for _ in range(3)]
    timetable = Timetable(engines[0], clock=office.clock)
    assert sorted(plan.declaration.name for plan in timetable.plans()) == sorted(JOBS)
