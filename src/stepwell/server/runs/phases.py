"""Where a run's time went: pure arithmetic over the instants that its attempts keep (R40)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import RowMapping

from stepwell.server.runs.records import Phase, PhaseName, RunState, WaitingCode

_BEFORE: Final = {
    WaitingCode.LIMIT: PhaseName.QUEUED,
    WaitingCode.APPROVAL: PhaseName.APPROVAL,
    WaitingCode.RETRY: PhaseName.RETRY_WAIT,
    WaitingCode.DUE: PhaseName.ASLEEP,
}
_INSIDE: Final = (
    (PhaseName.SCHEDULING, "queued_at"),
    (PhaseName.STARTING, "launched_at"),
    (PhaseName.RUNNING, "started_at"),
)
Row: TypeAlias = RowMapping | Mapping[str, Any]


def phases(run: Row, attempts: Sequence[Row], now: datetime) -> list[Phase]:
    """The pieces of a run's time, in order and without gaps; the last may still go on.

    Parameters
    ----------
    run, attempts : rows; attempts oldest first.
    """
    free = min(run["created_at"], attempts[0]["queued_at"]) if attempts else run["created_at"]
    found: list[Phase] = []
    for attempt in attempts:
        found += _before(attempt, free, now)
        end = attempt["finished_at"] or run["finished_at"]
        found += _inside(attempt, end, now)
        free = end
    if free is not None and not RunState(run["state"]).ended:
        found += _waits(run, len(attempts) + 1, free, now)
    return [one for one in found if one.seconds > 0 or one.finished_at is None]


def totals(found: Sequence[Phase]) -> dict[PhaseName, float]:
    """Seconds by phase, of those that there were."""
    names = [name for name in PhaseName if any(one.name is name for one in found)]
    return {name: sum(one.seconds for one in found if one.name is name) for name in names}


def _before(attempt: Row, free: datetime, now: datetime) -> Iterator[Phase]:
    """From when nothing kept the run busy until its attempt was opened."""
    number, queued = attempt["number"], attempt["queued_at"]
    lined_up = attempt["lined_up_at"] or queued
    name = _BEFORE.get(attempt["waited_for"] or WaitingCode.LIMIT, PhaseName.QUEUED)
    yield _piece(name, number, free, lined_up, now)
    if lined_up < queued:
        yield _piece(PhaseName.QUEUED, number, lined_up, queued, now)


def _inside(attempt: Row, end: datetime | None, now: datetime) -> Iterator[Phase]:
    """From the opening of an attempt to its end."""
    reached = [(name, attempt[key]) for name, key in _INSIDE if attempt[key] is not None]
    ends = [*(begin for _, begin in reached[1:]), end]
    for (name, begin), until in zip(reached, ends, strict=True):
        yield _piece(name, attempt["number"], begin, until, now)


def _waits(run: Row, number: int, free: datetime, now: datetime) -> Iterator[Phase]:
    name = _BEFORE.get(run["waiting_code"] or WaitingCode.LIMIT, PhaseName.QUEUED)
    yield _piece(name, number, free, None, now)


def _piece(
    name: PhaseName, attempt: int, begin: datetime, end: datetime | None, now: datetime
) -> Phase:
    seconds = max(((end or now) - begin).total_seconds(), 0.0)
    return Phase(name=name, attempt=attempt, started_at=begin, finished_at=end, seconds=seconds)
