"""Schedules in a program of one's own: each due instant has one row, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stepwell import Engine, Priority, Registry, Step, StepClient, StepStatus, done, new_step, rerun
from stepwell.outcome import Outcome
from stepwell.schedules import Cron, Every, Misfire, Once, Overlap, Schedule, ScheduleInvalid
from stepwell.schedules.calendars import Calendar
from stepwell.schedules.errors import CalendarUnknown
from stepwell.schedules.ledger import Rules
from stepwell.schedules.recurring import (
    PASSED_OVER,
    SCHEDULE,
    Timetable,
    correlation,
    due_at,
    run_id,
)
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore
from stepwell.testing.clock import VirtualClock

WORK = "v1/work"
HOURLY = Every(hours=1)
BEGUN = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)

Declare = Callable[[Timetable], Any]


class World:
    """A store under a clock that stands still, and processes that start on it and end."""

    def __init__(self, store: Store, clock: VirtualClock) -> None:
        self.store, self.clock = store, clock
        self.steps = StepClient(store, clock=clock)
        self.work: Callable[[Step], Outcome] = lambda step: done()
        self.ran: list[tuple[datetime, Any]] = []

    def process(
        self,
        declare: Declare,
        rules: Rules | None = None,
        calendars: Mapping[str, Calendar] | None = None,
    ) -> None:
        """Start a process, let it do all that is due now, and end it."""
        registry = Registry()
        registry.add(self._work, WORK)
        engine = Engine(self.store, registry, clock=self.clock)
        more: Any = {"rules": rules or Rules(), "calendars": calendars}
        declare(Timetable(engine, registry, clock=self.clock, **more))
        engine.drain()

    def _work(self, step: Step, state: Any) -> Outcome:
        if step.execution_count == 0:
            self.ran.append((due_at(step), state))
        return self.work(step)

    def timetable(self) -> Timetable:
        """A timetable of a process that runs nothing."""
        return Timetable(self.steps, clock=self.clock)

    def hours(self) -> list[str]:
        """The instants that ran, as 'hh:mm' in the order in which they did."""
        return [f"{due:%H:%M}" for due, _ in self.ran]

    def book(self, name: str = WORK) -> list[tuple[str, str]]:
        """What became of each instant, in order: 'hh:mm', and 'ran' or why not."""
        rows = self.steps.search(correlation_id=correlation(name), oldest_first=True)
        return [(f"{due_at(row):%H:%M}", _fate(row)) for row in rows]


def _fate(row: Step) -> str:
    return (row.description or "").split(";")[0] if row.name == PASSED_OVER else "ran"


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    clock = VirtualClock(BEGUN)
    store: Store = (
        MemoryStore(clock) if request.param == "memory" else SQLiteStore(tmp_path / "s.db", clock)
    )
    store.migrate()
    yield World(store, clock)
    store.close()


def each(spec: Schedule, **more: Any) -> Declare:
    return lambda timetable: timetable.schedule(WORK, spec, **more)


def at(world: World, hour: int, minute: int = 0) -> None:
    world.clock.set(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour, minutes=minute))


def test_the_work_runs_at_each_due_instant_with_its_state(world: World) -> None:
    declare = each(HOURLY, state={"to": "ada"}, priority=Priority.HIGH)
    world.process(declare)
    assert world.ran == []
    for hour in (1, 2, 3):
        at(world, hour)
        world.process(declare)
        world.process(declare)
    assert world.hours() == ["01:00", "02:00", "03:00"]
    assert world.ran[0][1] == {"to": "ada"}
    (first, *_) = world.steps.search(name=WORK, oldest_first=True)
    assert first.id == first.flow_id == run_id(WORK, datetime(2026, 1, 1, 1, tzinfo=UTC))
    assert (first.priority, first.search_key) == (Priority.HIGH, "2026-01-01T01:00:00Z")


def test_declaring_it_again_at_every_start_changes_nothing(world: World) -> None:
    for _ in range(3):
        world.process(each(HOURLY))
    (step,) = world.steps.search(name=SCHEDULE)
    assert (step.activation_no, step.execution_count) == (0, 0)
    assert step.schedule_time == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert step.description == "Every hour; next 2026-01-01 01:00 UTC"


def test_after_downtime_the_latest_runs_and_the_others_are_entered_as_missed(world: World) -> None:
    world.process(each(HOURLY))
    at(world, 5, 10)
    world.process(each(HOURLY))
    assert world.book() == [("01:00", "missed: down"), ("05:00", "ran")]
    (note,) = world.steps.search(name=PASSED_OVER)
    assert note.ended_as == "skipped"
    assert "4 instants, 2026-01-01 01:00 UTC to 2026-01-01 04:00 UTC" in str(note.description)


def test_all_missed_instants_run_up_to_the_cap(world: World) -> None:
    spec = Every(hours=1, misfire=Misfire.ALL, overlap=Overlap.ALLOW)
    world.process(each(spec))
    at(world, 5, 10)
    world.process(each(spec), Rules(cap=3))
    assert sorted(world.hours()) == ["03:00", "04:00", "05:00"]
    assert world.book()[0] == ("01:00", "missed: cap")


def test_no_missed_instant_runs_if_they_are_to_be_skipped(world: World) -> None:
    spec = Every(hours=1, misfire=Misfire.SKIP)
    world.process(each(spec))
    at(world, 2, 10)
    world.process(each(spec))
    assert world.book() == [("01:00", "missed: down")]


def test_a_long_downtime_is_settled_in_bounded_passes(world: World) -> None:
    world.process(each(HOURLY))
    at(world, 23, 30)
    world.process(each(HOURLY), Rules(at_once=10))
    assert world.hours() == ["23:00"]
    assert [why for _, why in world.book()] == ["missed: down"] * 3 + ["ran"]


def test_an_instant_is_skipped_while_the_run_before_is_active(world: World) -> None:
    world.work = lambda step: rerun(after=90 * 60) if step.execution_count == 0 else done()
    for hour, minute in ((0, 30), (1, 0), (2, 0), (2, 40), (3, 0)):
        at(world, hour, minute)
        world.process(each(HOURLY))
    assert world.book() == [("01:00", "ran"), ("02:00", "skipped: overlap"), ("03:00", "ran")]


def test_a_run_is_active_until_all_that_it_spawned_has_ended(world: World) -> None:
    """A run is a flow: its second step is as good as its first."""
    later = new_step("v1/other", schedule_time=datetime(2026, 1, 2, tzinfo=UTC))
    world.work = lambda step: done(next=later)
    world.process(each(HOURLY))
    for hour in (1, 2):
        at(world, hour)
        world.process(each(HOURLY))
    (other,) = world.steps.search(name="v1/other")
    assert due_at(other) == other.schedule_time
    assert [row for row in world.book() if row[0] == "02:00"] == [("02:00", "skipped: overlap")]


def test_instants_wait_for_the_run_before_and_lose_nothing(world: World) -> None:
    spec = Every(hours=1, overlap=Overlap.QUEUE)
    world.work = lambda step: rerun(after=150 * 60) if step.execution_count == 0 else done()
    world.process(each(spec))
    for hour in (1, 2, 3):
        at(world, hour)
        world.process(each(spec))
    plan = world.timetable().find(WORK)
    assert plan is not None
    assert [f"{one:%H:%M}" for one in plan.waiting] == ["02:00", "03:00"]
    assert plan.describe().endswith("; 2 waiting for the run before")
    at(world, 3, 40)
    world.process(each(spec))
    at(world, 3, 41)
    world.process(each(spec))
    assert world.hours() == ["01:00", "02:00"]


def test_the_run_before_is_replaced(world: World) -> None:
    spec = Every(hours=1, overlap=Overlap.REPLACE)
    world.work = lambda step: rerun(after=10 * 3600)
    world.process(each(spec))
    for hour in (1, 2):
        at(world, hour)
        world.process(each(spec))
    first, second = world.steps.search(name=WORK, oldest_first=True)
    assert (first.ended_as, second.status) == ("cancelled", StepStatus.READY)


def test_a_changed_spec_settles_what_was_due_and_then_counts(world: World) -> None:
    """The pending tick of the old spec is neither lost nor run again by the new one."""
    world.process(each(HOURLY))
    at(world, 1)
    new = each(Every(minutes=20), state="new")
    world.process(new)
    assert world.ran == [(datetime(2026, 1, 1, 1, tzinfo=UTC), "new")]
    at(world, 1, 20)
    world.process(new)
    assert world.hours() == ["01:00", "01:20"]


def test_a_changed_spec_replaces_what_was_not_yet_due(world: World) -> None:
    world.process(each(HOURLY))
    new = each(Cron("45 * * * *"))
    world.process(new)
    for minute in (45, 60, 105):
        at(world, 0, minute)
        world.process(new)
    assert world.hours() == ["00:45", "01:45"]


def test_a_changed_state_leaves_the_pending_instant_where_it_is(world: World) -> None:
    world.process(each(HOURLY, state=1))
    world.process(each(HOURLY, state=2))
    plan = world.timetable().find(WORK)
    assert plan is not None
    assert plan.next_due == datetime(2026, 1, 1, 1, tzinfo=UTC)
    at(world, 1)
    world.process(each(HOURLY, state=2))
    assert [state for _, state in world.ran] == [2]


def test_a_change_after_a_long_downtime_waits_until_the_old_spec_is_settled(world: World) -> None:
    world.process(each(HOURLY))
    at(world, 23, 30)
    world.process(each(Every(minutes=7)), Rules(at_once=4))
    assert world.hours() == ["23:00"]
    plan = world.timetable().find(WORK)
    assert plan is not None
    assert plan.pending is None
    assert plan.declaration.spec == Every(minutes=7)


def test_an_unscheduled_one_is_no_longer_due_and_can_come_back(world: World) -> None:
    world.process(each(HOURLY))
    assert world.timetable().unschedule(WORK)
    assert not world.timetable().unschedule(WORK)
    assert world.timetable().plans() == []
    at(world, 2)
    world.process(lambda timetable: None)
    world.process(each(HOURLY))
    at(world, 3)
    world.process(each(HOURLY))
    assert world.book() == [("03:00", "ran")]


def test_one_work_may_have_several_schedules_of_their_own_names(world: World) -> None:
    def declare(timetable: Timetable) -> None:
        timetable.schedule(WORK, HOURLY, state="a", name="first")
        timetable.schedule(WORK, HOURLY, state="b", name="second")

    world.process(declare)
    at(world, 1)
    world.process(declare)
    assert sorted(state for _, state in world.ran) == ["a", "b"]
    assert sorted(plan.declaration.name for plan in world.timetable().plans()) == [
        "first",
        "second",
    ]


def test_a_single_shot_runs_once_and_does_not_come_back(world: World) -> None:
    spec = Once(datetime(2026, 1, 1, 2, tzinfo=UTC))
    for hour in (0, 2, 3):
        at(world, hour)
        world.process(each(spec))
    assert world.hours() == ["02:00"]
    assert world.steps.count(name=SCHEDULE).ready == 0
    assert world.steps.count(name=SCHEDULE).done == 1


def test_a_time_of_day_that_the_clock_leaves_out_or_shows_twice_runs_once(world: World) -> None:
    spec = Cron("30 2 * * *", timezone="Europe/Oslo", misfire=Misfire.ALL, overlap=Overlap.ALLOW)
    for month, day, expected in ((3, 29, "01:00"), (10, 25, "00:30")):
        midnight = datetime(2026, month, day, tzinfo=UTC)
        world.clock.set(midnight - timedelta(hours=2))
        world.process(lambda timetable: timetable.unschedule(WORK))
        world.process(each(spec))
        world.ran.clear()
        for half_hours in range(12):
            world.clock.set(midnight + timedelta(minutes=30 * half_hours))
            world.process(each(spec))
        assert world.hours() == [expected]


def test_an_instant_never_runs_twice_even_if_it_is_scheduled_again(world: World) -> None:
    """The row's id is made from the schedule's name and the instant."""
    world.process(each(HOURLY))
    at(world, 1)
    world.process(each(HOURLY))
    world.timetable().unschedule(WORK)
    at(world, 0, 59)  # the machine's clock was set back
    world.process(each(HOURLY))
    at(world, 1)
    world.process(each(HOURLY))
    assert world.hours() == ["01:00"]


def test_activating_a_schedule_by_hand_runs_nothing_early(world: World) -> None:
    world.process(each(HOURLY))
    (step,) = world.steps.search(name=SCHEDULE)
    world.steps.activate(step.id, {"by": "hand"})
    world.process(each(HOURLY))
    assert world.ran == []
    plan = world.timetable().find(WORK)
    assert plan is not None
    assert plan.next_due == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_many_that_declare_it_at_once_make_one(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: world.timetable().schedule(WORK, HOURLY), range(24)))
    assert world.steps.count(name=SCHEDULE).ready == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: world.timetable().schedule(WORK, Every(hours=2)), range(24)))
    at(world, 2)
    world.process(each(Every(hours=2)))
    assert world.book() == [("01:00", "missed: down"), ("02:00", "ran")]


def test_the_schedules_own_steps_stay_in_a_queue_of_their_own(world: World) -> None:
    for hour in (0, 3):
        world.clock.set(BEGUN + timedelta(hours=hour))
        registry = Registry()
        engine = Engine(world.store, registry, queues=("clockwork",), clock=world.clock)
        timetable = Timetable(engine, registry, queue="clockwork", clock=world.clock)
        timetable.schedule(WORK, HOURLY, queue="elsewhere")
        engine.drain()
    assert {step.name: step.queue for step in world.steps.search()} == {
        SCHEDULE: "clockwork",
        PASSED_OVER: "clockwork",
        WORK: "elsewhere",
    }
    assert world.steps.count(name=PASSED_OVER).done == 1


def test_what_is_no_schedule_is_refused_and_nothing_is_kept(world: World) -> None:
    with pytest.raises(ScheduleInvalid, match="is not a schedule"):
        world.timetable().schedule(WORK, "0 7 * * *")  # type: ignore[arg-type]
    assert world.timetable().plans() == []


def test_an_instant_on_a_day_of_a_calendar_is_skipped(world: World) -> None:
    daily = Cron("0 7 * * *", exclude=("company-days",))
    closed = {"company-days": Calendar({datetime(2026, 1, 2, tzinfo=UTC).date(): "closed"})}
    for day in (0, 1, 2):
        at(world, 24 * day + 7)
        world.process(each(daily), calendars=closed)
    at(world, 24 * 3 + 7)
    world.process(each(daily), calendars=closed)
    assert world.book() == [("07:00", "skipped: calendar"), ("07:00", "ran"), ("07:00", "ran")]
    assert [due.day for due, _ in world.ran] == [3, 4]


def test_a_calendar_that_is_not_there_is_refused_when_it_is_declared(world: World) -> None:
    with pytest.raises(CalendarUnknown):
        world.timetable().schedule(WORK, Cron("0 7 * * *", exclude=("company-days",)))
    assert world.timetable().plans() == []


def test_schedules_of_different_names_have_different_jitter(world: World) -> None:
    timetable, spec = world.timetable(), Every(hours=1, jitter=3000)
    for name in "abc":
        timetable.schedule(WORK, spec, name=name)
    dues = {plan.declaration.name: plan.next_due for plan in timetable.plans()}
    assert len(set(dues.values())) == 3
    assert dues == {name: spec.keyed(name).next_after(BEGUN) for name in "abc"}


def test_jitter_stays_the_same_from_pass_to_pass(world: World) -> None:
    spec = Every(hours=1, jitter=600)
    expected = list(spec.keyed(WORK).between(BEGUN, BEGUN + timedelta(hours=4)))
    world.process(each(spec))
    for due in expected:
        world.clock.set(due)
        world.process(each(spec))
    assert [due for due, _ in world.ran] == expected
