"""Why a step is where it is, in a sentence: by its row, and of a join by its members' too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from stepwell.engine.unclaimed import unclaimed
from stepwell.step import EndedAs, JoinPolicy, Step, StepQuery, StepStatus
from stepwell.stores.moves import SUSPECT_FROM
from stepwell.stores.protocol import EngineInfo, Transaction

Engines: TypeAlias = Callable[[], Sequence[EngineInfo]]

_NAMED: Final = 3
"""So many members are named; more are counted."""


def explain(step: Step, now: datetime, engines: Engines | None = None) -> str:
    """One sentence: ended, running, parked, waiting for its time, or waiting for an engine.

    `engines` gives those that are alive, where the store can tell; it is asked only if it helps.
    """
    if step.ended_as is not None:
        return _ended(step, step.ended_as)
    if step.waiting_for:
        return f"It waits for {_times(step.waiting_for, 'step')} to end (R28)."
    if step.claimed_by is not None:
        since = f" since {_instant(step.claimed_at)}" if step.claimed_at else ""
        doing = "It runs" if step.started else "It is claimed, and runs or is about to"
        return f"{doing}, on engine {step.claimed_by}{since}."
    if step.schedule_time > now:
        return _not_due(step, now)
    return _due(step, _span(now - step.schedule_time), engines)


def explain_join(tx: Transaction, join: Step) -> str:
    """Which steps a join still waits for, and what has to be done about those that failed."""
    counts = tx.count(StepQuery(join_id=join.id))
    total = counts.ready + counts.done + counts.failed
    open_members = _members(tx, join, StepStatus.READY)
    said = f"It waits for {join.waiting_for} of {_times(total, 'step')} (R28)"
    if counts.ready:
        said += f": {_named(open_members, counts.ready)} not ended yet"
    if join.join_policy is JoinPolicy.WAIT and counts.failed:
        failed = _members(tx, join, StepStatus.FAILED)
        why = f"{failed[0].name} ({failed[0].id}): {_first_line(failed[0].description)}"
        more = f", and {counts.failed - 1} more" if counts.failed > 1 else ""
        said += f"; failed: {why}{more}; a re-execution takes the failed one's place"
    return f"{said}."


def _members(tx: Transaction, join: Step, status: StepStatus) -> list[Step]:
    query = StepQuery(join_id=join.id, status=status, oldest_first=True, limit=_NAMED)
    return tx.search(query)


def _named(steps: list[Step], total: int) -> str:
    names = ", ".join(f"{step.name} ({step.id})" for step in steps)
    more = f" and {total - len(steps)} more" if total > len(steps) else ""
    return f"{names}{more} {'has' if total == 1 else 'have'}"


def _due(step: Step, late: str, engines: Engines | None) -> str:
    if step.lost_count >= SUSPECT_FROM:
        died = f"{_times(step.lost_count, 'engine')} died while running it"
        return f"It has been due for {late}, and waits to be run alone, for {died} (R15)."
    if engines is not None:
        return unclaimed(step, engines(), late)
    if step.parked:
        return f"No engine of the queue {step.queue!r} handles the name {step.name!r} (R19)."
    return f"It has been due for {late}, and no engine of the queue {step.queue!r} has claimed it."


def _not_due(step: Step, now: datetime) -> str:
    when = f"{_instant(step.schedule_time)}, in {_span(step.schedule_time - now)}"
    if step.failure_count:
        tries = f"Try {step.failure_count + 1} begins at {when}"
        return f"{tries}; the last one failed: {_first_line(step.description)}"
    return f"It is due at {when}."


def _ended(step: Step, ended_as: EndedAs) -> str:
    when = f" at {_instant(step.ended_at)}" if step.ended_at else ""
    why = f": {_first_line(step.description)}" if step.description else "."
    if step.ended_unseen:
        why = f"{why.rstrip('.')}. Its last activation came too late to be seen (R8)."
    if ended_as is EndedAs.FAILED and step.failure_count:
        return f"It failed{when}, at attempt {step.failure_count}{why}"
    return f"It ended as {ended_as}{when} after {_times(step.execution_count, 'execution')}{why}"


def _times(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _first_line(text: str | None) -> str:
    return next(iter((text or "").splitlines()), "no description")


def _instant(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else "?"


def _span(duration: timedelta) -> str:
    """A duration for people: 45 s, 3 min, 2 h 10 min, 5 d 3 h."""
    seconds = max(int(duration.total_seconds()), 0)
    if seconds < 90:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 90:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if days < 2 else f"{days} d {hours % 24} h"
