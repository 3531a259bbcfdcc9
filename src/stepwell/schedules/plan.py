"""What a schedule's step carries, and one pass over it: plan + situation -> plan + steps. Pure.

A due instant becomes one row, whatever its fate: the work's own step, or a step that
is skipped at once and says why the work was not run (`PASSED_OVER`). The row's id is
made from the schedule's name and the instant, so no instant can have two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from stepwell.ids import version_7
from stepwell.schedules.base import Overlap, Schedule, iso, minutes
from stepwell.schedules.calendars import Exclusion, never
from stepwell.schedules.kinds import from_json
from stepwell.schedules.ledger import Entry, Fate, Rules, Situation, Why, judge
from stepwell.step import NewStep, OnConflict, Priority, Retention, Step

SCHEDULE: Final = "v1/schedule"
"""The step that stands for a schedule; its unique key is the schedule's name."""

PASSED_OVER: Final = "v1/schedule/passed-over"
"""The step of instants that were due and did not run: skipped or missed, with the reason."""

OWN: Final = frozenset({SCHEDULE, PASSED_OVER})

SHORTEST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(seconds=30)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A schedule as the code declares it; `state` has JSON values only.

    The jitter of its spec depends on its name, so schedules differ.
    """

    name: str
    work: str
    spec: Schedule
    state: Any = None
    queue: str = "default"
    priority: Priority = Priority.NORMAL
    retention: Retention = Retention.STANDARD

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", self.spec.keyed(self.name))

    def as_json(self) -> dict[str, Any]:
        """The declaration as JSON-able data; `declared` reads it back."""
        return {
            "name": self.name,
            "work": self.work,
            "spec": self.spec.as_json(),
            "state": self.state,
            "queue": self.queue,
            "priority": int(self.priority),
            "retention": int(self.retention),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a schedule is.

    Parameters
    ----------
    next_due : the first instant that nothing was decided about; None if there is no more.
    waiting : instants that wait for the run before (overlap 'queue'), oldest first.
    pending : a newer declaration that comes into force when all that is due is settled.
    """

    declaration: Declaration
    next_due: datetime | None
    waiting: tuple[datetime, ...] = ()
    pending: Declaration | None = None

    @property
    def newest(self) -> Declaration:
        """What was declared last; it says what is run, also for instants due before."""
        return self.pending or self.declaration

    def as_json(self) -> dict[str, Any]:
        """The state of the schedule's step."""
        return {
            "declaration": self.declaration.as_json(),
            "next_due": None if self.next_due is None else iso(self.next_due),
            "waiting": [iso(one) for one in self.waiting],
            "pending": None if self.pending is None else self.pending.as_json(),
        }

    def describe(self) -> str:
        """When it is due, in words, when next, and how many wait."""
        due = "nothing more is due" if self.next_due is None else f"next {minutes(self.next_due)}"
        wait = f"; {len(self.waiting)} waiting for the run before" if self.waiting else ""
        return f"{self.declaration.spec.describe()}; {due}{wait}"


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass comes to; `again_at` is None when nothing will ever be due again."""

    plan: Plan
    steps: tuple[NewStep, ...]
    again_at: datetime | None


def declared(data: Mapping[str, Any]) -> Declaration:
    """The declaration that `Declaration.as_json` wrote."""
    known = dict(data)
    spec, priority = from_json(known.pop("spec")), Priority(known.pop("priority"))
    retention = Retention(known.pop("retention"))
    return Declaration(spec=spec, priority=priority, retention=retention, **known)


def planned(data: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.as_json` wrote."""
    due, pending = data["next_due"], data["pending"]
    return Plan(
        declaration=declared(data["declaration"]),
        next_due=None if due is None else datetime.fromisoformat(due),
        waiting=tuple(datetime.fromisoformat(one) for one in data["waiting"]),
        pending=None if pending is None else declared(pending),
    )


def correlation(name: str) -> str:
    """The correlation id of all that a schedule brings forth."""
    return f"schedule/{name}"


def run_id(name: str, due: datetime) -> UUID:
    """The id of the row of an instant: time-ordered by it, and always the same (R1)."""
    digest = hashlib.sha256(f"{name}\n{iso(due)}".encode()).digest()
    return version_7((due - _EPOCH) // timedelta(milliseconds=1), int.from_bytes(digest[:10]))


def due_at(step: Step) -> datetime:
    """The instant that a scheduled step runs for; of any other step, its schedule time."""
    try:
        return datetime.fromisoformat(_own_key(step)).astimezone(UTC)
    except ValueError:
        return step.schedule_time


def _own_key(step: Step) -> str:
    scheduled = (step.correlation_id or "").startswith(correlation(""))
    return (step.search_key or "") if scheduled else ""


def advance(
    plan: Plan,
    now: datetime,
    *,
    busy: bool,
    rules: Rules,
    queue: str,
    excluded: Exclusion = never,
) -> Pass:
    """Decide about what is due at `now`, then take over a newer declaration.

    Parameters
    ----------
    now : store time, aware UTC.
    busy : whether something that this schedule brought forth has not ended yet.
    queue : where the steps of what does not run go.
    excluded : what a calendar says of an instant.
    """
    plan, begun = _next_waiting(plan, busy)
    situation = Situation(now=now, busy=busy or bool(begun), excluded=excluded)
    plan, entries = _settled(plan, situation, rules)
    steps = (_row(plan.newest, one, queue) for one in entries)
    due = plan.next_due is not None and plan.next_due <= now
    if plan.pending is not None and not due:
        plan = _renewed(plan, plan.pending, now)
    return Pass(plan, (*begun, *steps), now if due else _again_at(plan, now))


def _next_waiting(plan: Plan, busy: bool) -> tuple[Plan, tuple[NewStep, ...]]:
    side_by_side = plan.newest.spec.overlap in (Overlap.ALLOW, Overlap.REPLACE)
    if not plan.waiting or (busy and not side_by_side):
        return plan, ()
    first, *rest = plan.waiting
    return replace(plan, waiting=tuple(rest)), (_work(plan.newest, first, Why.WAITED),)


def _settled(plan: Plan, situation: Situation, rules: Rules) -> tuple[Plan, tuple[Entry, ...]]:
    if plan.next_due is None:
        return plan, ()
    spec = plan.declaration.spec
    # Replacing is done by the unique key, in the settlement itself: nothing is ever in the way.
    held = spec.overlap is not Overlap.REPLACE
    situation = replace(situation, busy=held and situation.busy, queued=held * len(plan.waiting))
    judged = judge(spec, plan.next_due, situation, rules)
    queued = tuple(one.first for one in judged.entries if one.fate is Fate.QUEUED)
    after = replace(plan, next_due=judged.next_due, waiting=(*plan.waiting, *queued))
    return after, tuple(one for one in judged.entries if one.fate is not Fate.QUEUED)


def _renewed(plan: Plan, newer: Declaration, now: datetime) -> Plan:
    kept = newer.spec == plan.declaration.spec
    next_due = plan.next_due if kept else newer.spec.next_after(now)
    return replace(plan, declaration=newer, next_due=next_due, pending=None)


def _again_at(plan: Plan, now: datetime) -> datetime | None:
    if not plan.waiting:
        return plan.next_due
    patience = (now - plan.waiting[0]) / 20
    look = now + min(max(patience, SHORTEST_WAIT), LONGEST_WAIT)
    return look if plan.next_due is None else min(look, plan.next_due)


def _row(declaration: Declaration, entry: Entry, queue: str) -> NewStep:
    if entry.fate is Fate.RAN:
        return _work(declaration, entry.first, entry.why)
    return _passed_over(declaration, entry, queue)


def _work(declaration: Declaration, due: datetime, why: str | None) -> NewStep:
    replaces = declaration.spec.overlap is Overlap.REPLACE
    step_id, name = run_id(declaration.name, due), correlation(declaration.name)
    return NewStep(
        id=step_id,
        flow_id=step_id,
        name=declaration.work,
        state=declaration.state,
        queue=declaration.queue,
        priority=declaration.priority,
        retention=declaration.retention,
        unique_key=name if replaces else None,
        on_conflict=OnConflict.REPLACE if replaces else OnConflict.ERROR,
        correlation_id=name,
        search_key=iso(due),
        description=f"Due {minutes(due)}{f', {why}' if why else ''}.",
    )


def _passed_over(declaration: Declaration, entry: Entry, queue: str) -> NewStep:
    return NewStep(
        id=run_id(declaration.name, entry.first),
        name=PASSED_OVER,
        state=_said(entry),
        queue=queue,
        retention=declaration.retention,
        correlation_id=correlation(declaration.name),
        search_key=iso(entry.first),
    )


def _said(entry: Entry) -> str:
    fate = f"{entry.fate}: {entry.why}" if entry.why else f"{entry.fate}"
    if entry.count == 1:
        return f"{fate}; due {minutes(entry.first)}"
    return f"{fate}; {entry.count} instants, {minutes(entry.first)} to {minutes(entry.last)}"
