"""Schedules in a program of your own, without a server.

    timetable = Timetable(engine, registry)
    timetable.schedule("v1/nightly-report", cron="30 7 * * MON-FRI", timezone="Europe/Oslo")

A schedule is one step: a singleton that decides about what is due, spawns the work in
the settlement that moves it on, and reruns at the next due instant. So no instant is
lost or run twice, however many processes there are and whenever one dies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, TypeAlias

from stepwell.clock import SYSTEM, Clock
from stepwell.codec import JSON, decoded
from stepwell.engine import StepClient
from stepwell.errors import StepEnded, StepNotFound, Unavailable
from stepwell.events import emit
from stepwell.outcome import Outcome, Skip, done, rerun, skip
from stepwell.registry import Registry
from stepwell.retry import RetryPolicy
from stepwell.schedules.base import Misfire, Overlap, Schedule
from stepwell.schedules.calendars import Calendar, Exclusion, exclusion
from stepwell.schedules.ledger import Rules
from stepwell.schedules.plan import (
    OWN,
    PASSED_OVER,
    SCHEDULE,
    Declaration,
    Plan,
    advance,
    correlation,
    declared,
    due_at,
    planned,
    run_id,
)
from stepwell.schedules.words import spec_of
from stepwell.step import (
    NewStep,
    OnConflict,
    Priority,
    Retention,
    Step,
    StepQuery,
    StepStatus,
    new_step,
)

__all__ = [
    "PASSED_OVER",
    "SCHEDULE",
    "Plan",
    "ScheduleUnsettled",
    "Timetable",
    "correlation",
    "due_at",
    "run_id",
]

RETRY: Final = RetryPolicy(delays=(1.0, 2.0, 5.0, 15.0, 60.0))
"""A process of another version may be unable to read a schedule; another one soon can."""

_RULES: Final = Rules()
_TRIES: Final = 5


class ScheduleUnsettled(Unavailable):
    """Others ended the schedule each time that this process declared it."""

    code = "schedule-unsettled"


class Timetable:
    """The schedules that a program declares.

    Make it before the engine starts, and declare every schedule at every start: what is
    there already is left as it is.

    Parameters
    ----------
    client : the engine, or a `StepClient`, on the store where the schedules are.
    registry : the engine's; the handlers of the schedules' own steps are added to it.
        None in a process that declares schedules and runs nothing.
    queue : where the schedules' own steps go; some engine must serve it.
    rules : after how long an instant was missed, and how many run late at most.
    calendars : name -> the calendar of your own that schedules may name in `exclude`. Public
        holidays (`holidays:NO`) need the package `holidays`.
    """

    def __init__(
        self,
        client: StepClient,
        registry: Registry | None = None,
        *,
        queue: str = "default",
        rules: Rules = _RULES,
        clock: Clock = SYSTEM,
        calendars: Mapping[str, Calendar] | None = None,
    ) -> None:
        self._client, self._queue, self._rules, self._clock = client, queue, rules, clock
        self._calendars = calendars or {}
        if registry is not None:
            _keepers(registry).append((self._has, self._keep))

    def schedule(
        self,
        work: str,
        spec: Schedule | None = None,
        *,
        cron: str | None = None,
        every: timedelta | float | None = None,
        timezone: str | None = None,
        overlap: Overlap | str | None = None,
        misfire: Misfire | str | None = None,
        state: Any = None,
        name: str | None = None,
        queue: str = "default",
        priority: Priority = Priority.NORMAL,
        retention: Retention = Retention.STANDARD,
    ) -> None:
        """Run a step of the name `work` at every due instant of a schedule, from now on.

        The same declaration again changes nothing. Another one under the same name takes
        the place of the first: what was due until then is settled by the first spec and
        run as the newer one says, and then the newer spec counts.

        Parameters
        ----------
        work : the name of the step to run; `due_at(step)` gives its handler the instant.
        spec : `Cron`, `Every` or `Once`, with its overlap and misfire rules; or, instead:
        cron, timezone : an expression, and the IANA name of its time zone; UTC by default.
        every : an interval, as a timedelta or in seconds.
        overlap : 'skip' (the default), 'allow', 'queue' or 'replace'.
        misfire : 'latest' (the default), 'all' or 'skip'.
        state : the step's state.
        name : the schedule's own name; that of the work by default.
        queue, priority, retention : of the step to run.

        Raises
        ------
        ScheduleInvalid : that is no schedule, or two.
        CalendarUnknown : it excludes the days of a calendar that is not there.
        InvalidInput, NotEncodable, ValueTooLarge : the step could not be kept.
        """
        declaration = Declaration(
            name=work if name is None else name,
            work=NewStep(name=work).name,
            spec=spec_of(
                spec, cron=cron, every=every, timezone=timezone, overlap=overlap, misfire=misfire
            ),
            state=json.loads(JSON.encode(state)),
            queue=queue,
            priority=priority,
            retention=retention,
        )
        self._excluded(declaration.spec)
        for _ in range(_TRIES):
            if self._declare(declaration):
                return
        raise ScheduleUnsettled(
            f"The schedule {declaration.name!r} was ended while it was declared.",
            why=f"That happened {_TRIES} times in a row.",
            fix="Look which other process unschedules it.",
        )

    def unschedule(self, name: str) -> bool:
        """End a schedule; False if there is none. Steps that it has spawned go on."""
        step = self._find(name)
        if step is None:
            return False
        try:
            self._client.cancel(step.id, "unscheduled")
        except (StepEnded, StepNotFound):
            return False
        emit("schedule.unscheduled", schedule=name)
        return True

    def find(self, name: str) -> Plan | None:
        """Where a schedule is; None if it is not in force."""
        step = self._find(name)
        return None if step is None else self._plan(step)

    def plans(self) -> list[Plan]:
        """Every schedule in force in this store, whoever declared it."""
        pages, after = [], None
        while page := self._client.search(_in_force(after=after)):
            pages += page
            after = page[-1].id
        return [self._plan(step) for step in pages]

    # -- declaring -------------------------------------------------------------

    def _declare(self, declaration: Declaration) -> bool:
        step = self._find(declaration.name)
        if step is None:
            return self._begin(declaration)
        if self._newest(step) == declaration.as_json():
            return True
        try:
            self._client.activate(step.id, declaration.as_json())
        except (StepEnded, StepNotFound):
            return False
        emit("schedule.changed", schedule=declaration.name)
        return True

    def _begin(self, declaration: Declaration) -> bool:
        """Add the step; True if it is there now, or nothing will ever be due."""
        plan = Plan(
            declaration=declaration, next_due=declaration.spec.next_after(self._clock.now())
        )
        if plan.next_due is None:
            return True
        new = _step_of(plan, self._queue)
        self._client.add(new)
        made = self._find(declaration.name)
        return made is not None and made.id == new.id  # else another process was first: compare

    def _newest(self, step: Step) -> Any:
        if step.activation_args is not None:
            return self._client.codec.decode(step.activation_args, None)
        return self._plan(step).newest.as_json()

    def _find(self, name: str) -> Step | None:
        return next(iter(self._client.search(_in_force(name))), None)

    def _plan(self, step: Step) -> Plan:
        assert step.state is not None, "it is made with one"
        return planned(decoded(self._client.codec, step.state, step.state_format, None))

    # -- keeping ---------------------------------------------------------------

    def _has(self, step: Step) -> bool:
        """Whether the store that it declares in has this step."""
        return bool(self._client.search(ids=(step.id,), limit=1))

    def _keep(self, step: Step, state: Any, activation: Any) -> Outcome:
        """One pass: decide about what is due, spawn it, and come back at the next instant."""
        assert step.claimed_at is not None, "it is claimed"
        plan = _told(planned(state), activation)
        busy = self._is_busy(plan.declaration.name)
        made = advance(
            plan,
            step.claimed_at,
            busy=busy,
            rules=self._rules,
            queue=step.queue,
            excluded=self._excluded(plan.declaration.spec),
        )
        said = made.plan.describe()
        if made.again_at is None:
            return done(made.plan.as_json(), next=made.steps, description=said)
        return rerun(made.plan.as_json(), at=made.again_at, next=made.steps, description=said)

    def _excluded(self, spec: Schedule) -> Exclusion:
        """What its calendars exclude; a process that knows none of a name leaves it to others."""
        return exclusion(spec, self._calendars)

    def _is_busy(self, name: str) -> bool:
        """Whether a step of a run of this schedule is ready; a run is a flow."""
        found = self._client.search(
            status=StepStatus.READY, correlation_id=correlation(name), oldest_first=True
        )
        return any(step.name not in OWN for step in found)


_Keep: TypeAlias = Callable[[Step, Any, Any], Outcome]


class _Keepers(list[tuple[Callable[[Step], bool], _Keep]]):
    """The timetables of one registry, newest last: engines on several stores may share its
    handlers, and in tests one comes after the other. Of each: whether a step is in its store,
    and its pass."""

    def keep(self, step: Step, state: Any, activation: Any) -> Outcome:
        """A pass by the newest timetable on the store that the step is in."""
        of_its_store = (keep for has, keep in reversed(self) if len(self) == 1 or has(step))
        return next(of_its_store, self[-1][1])(step, state, activation)


def _keepers(registry: Registry) -> _Keepers:
    """Those of a registry, with the handlers of schedules in it.

    Raises
    ------
    HandlerInvalid : a handler that is none of ours has one of the names.
    """
    if registry.handles(SCHEDULE):
        owner = getattr(registry.find(SCHEDULE).function, "__self__", None)
        if isinstance(owner, _Keepers):
            return owner
    made = _Keepers()
    registry.add(made.keep, SCHEDULE, retry=RETRY)
    registry.add(_pass_over, PASSED_OVER)
    return made


def _pass_over(state: str) -> Skip:
    return skip(state)


def _told(plan: Plan, activation: Any) -> Plan:
    """The plan with the declaration that an activation brings, if it brings one."""
    if not isinstance(activation, dict) or "spec" not in activation:
        return plan
    return replace(plan, pending=declared(activation))


def _in_force(name: str | None = None, after: Any = None) -> StepQuery:
    return StepQuery(name=SCHEDULE, unique_key=name, status=StepStatus.READY, after=after)


def _step_of(plan: Plan, queue: str) -> NewStep:
    return new_step(
        SCHEDULE,
        plan.as_json(),
        unique_key=plan.declaration.name,
        on_conflict=OnConflict.IGNORE,
        queue=queue,
        search_key=plan.declaration.name,
        description=plan.describe(),
        schedule_time=plan.next_due,
    )
