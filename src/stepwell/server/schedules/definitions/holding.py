"""Keep due instants from running: pause and resume, skip the next ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.schedules.base import iso, minutes
from stepwell.server.schedules import errors, queries
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger import skips
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import NewSkip
from stepwell.server.services import Services

_MOST_SKIPS: Final = 1000
_INSTANT: Final = timedelta(microseconds=1)


def pause(
    conn: Connection,
    services: Services,
    schedule_id: UUID,
    reason: str | None,
    *,
    by: str,
    until: datetime | None = None,
) -> None:
    """From now on due instants are entered as skipped: until somebody resumes it, or `until`.

    Raises
    ------
    SchedulePaused, PauseInvalid, ScheduleInactive, ScheduleNotFound, ScheduleCatchingUp.
    """
    now = now_of(conn, services.clock)
    row = changing.active(changing.held(conn, changing.books_of(services), schedule_id, now))
    if row["paused_at"] is not None:
        raise errors.SchedulePaused(
            f"The schedule {row['name']!r} of {row['workflow']!r} is paused.",
            why=f"Since {minutes(row['paused_at'])}: {row['pause_reason'] or 'no reason given'}.",
            fix="Resume it first, if the reason or the end shall be another.",
        )
    if until is not None and until <= now:
        raise errors.PauseInvalid(
            f"A pause until {iso(until)} is over.", fix="Give an instant in the future."
        )
    values = {"paused_at": now, "pause_reason": reason, "paused_until": until}
    queries.change(conn, schedule_id, **values)
    changing.told(conn, services, schedule_id, "schedule.pause", reason, by, row)


def resume(
    conn: Connection, services: Services, schedule_id: UUID, reason: str | None, *, by: str
) -> None:
    """From now on due instants run again; what was due meanwhile stays skipped.

    Raises
    ------
    ScheduleNotPaused, ScheduleNotFound, ScheduleCatchingUp.
    """
    now = now_of(conn, services.clock)
    row = changing.held(conn, changing.books_of(services), schedule_id, now)
    if row["paused_at"] is None:
        raise errors.ScheduleNotPaused(
            f"The schedule {row['name']!r} of {row['workflow']!r} is not paused.",
            fix="Nothing is to be done.",
        )
    queries.change(conn, schedule_id, paused_at=None, pause_reason=None, paused_until=None)
    changing.told(conn, services, schedule_id, "schedule.resume", reason, by, row)


def skip_next(
    conn: Connection, services: Services, schedule_id: UUID, asked: NewSkip, *, by: str
) -> list[datetime]:
    """Skip the next due instants that are not skipped already; returns them.

    Each is entered in the ledger when its time comes.

    Raises
    ------
    ScheduleInactive, ScheduleNotFound, ScheduleCatchingUp.
    ScheduleNeverDue : nothing more is due.
    ScheduleSkipsTooMany.
    """
    now = now_of(conn, services.clock)
    row = changing.active(changing.held(conn, changing.books_of(services), schedule_id, now))
    known = skips.of(row)
    instants = list(islice((at for at in _coming(row) if at not in known), asked.count))
    if not instants:
        raise errors.ScheduleNeverDue(
            f"The schedule {row['name']!r} of {row['workflow']!r} is due no more.",
            fix="Nothing is to be done.",
        )
    if len(known) + len(instants) > _MOST_SKIPS:
        raise errors.ScheduleSkipsTooMany(
            f"{len(known)} instants are to be skipped already.",
            fix="Pause the schedule until an instant instead.",
        )
    queries.change(conn, schedule_id, **skips.with_more(row, instants, asked.reason, by))
    changing.told(conn, services, schedule_id, "schedule.skip", asked.reason, by, row)
    return instants


def end_skips(
    conn: Connection, services: Services, schedule_id: UUID, reason: str | None, *, by: str
) -> None:
    """Let the instants run that were to be skipped, as far as their time has not come.

    Raises
    ------
    ScheduleNothingSkipped, ScheduleNotFound, ScheduleCatchingUp.
    """
    now = now_of(conn, services.clock)
    row = changing.held(conn, changing.books_of(services), schedule_id, now)
    if not row["skips"]:
        raise errors.ScheduleNothingSkipped(
            f"No instant of {row['workflow']!r} is to be skipped.", fix="Nothing is to be done."
        )
    queries.change(conn, schedule_id, skips=None)
    changing.told(conn, services, schedule_id, "schedule.end-skips", reason, by, row)


def _coming(row: Row) -> Iterator[datetime]:
    if row["next_due"] is None:
        return iter(())
    return queries.spec_of(row).fires(row["next_due"] - _INSTANT)
