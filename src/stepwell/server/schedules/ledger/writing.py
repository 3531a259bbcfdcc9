"""Writing at the end of a book: lines, marks of changes, and why something was blocked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.schedules import Schedule
from stepwell.schedules.ledger import ONE_RUN_EACH, Entry, Fate, joined, mark
from stepwell.server.schedules import queries
from stepwell.server.schedules.queries import Row

_LONGEST_WHY: Final = 500


def write(
    conn: Connection, schedule_id: UUID, entry: Entry, now: datetime, run_id: UUID | None = None
) -> None:
    """Add to the end of the book: a new line, or the last one extended where it is the same.

    What was missed in two downtimes stays two lines.
    """
    last = None if entry.fate in ONE_RUN_EACH else queries.last_line(conn, schedule_id)
    longer = None if last is None else both(last, entry, now)
    if last is None or longer is None:
        queries.enter(conn, schedule_id, entry, run_id, now)
    else:
        queries.extend(conn, last["id"], longer)


def both(last: Row, entry: Entry, now: datetime) -> Entry | None:
    """The last line and what follows it as one; None where they stay two."""
    apart = entry.fate is Fate.MISSED and last["entered_at"] != now
    return None if apart else joined(queries.as_entry(last), entry)


def write_change(
    conn: Connection,
    schedule_id: UUID,
    now: datetime,
    why: str,
    version: int,
    spec: Schedule | None,
) -> datetime | None:
    """Enter that the schedule was changed; returns what is due from now on (None: nothing).

    Parameters
    ----------
    spec : what is in force from now on; None if the schedule is not active any more.
    """
    last = queries.last_line(conn, schedule_id)
    previous = None if last is None else queries.as_entry(last)
    made = mark(now, previous, None, _short(why), version)
    made = replace(made, following=None if spec is None else spec.next_after(made.first))
    queries.enter(conn, schedule_id, made, None, now, None if spec is None else spec.as_json())
    return made.following


def drop_queued(conn: Connection, schedule_id: UUID, why: str) -> None:
    """Let go of what waits for a run, with the reason."""
    for line in queries.queued(conn, [schedule_id]):
        queries.resolve(conn, line["id"], Fate.SKIPPED, _short(why))


def blocked(due: datetime, following: datetime | None, version: int, error: Exception) -> Entry:
    """The entry of an instant whose run could not be started."""
    return Entry(
        first=due,
        last=due,
        count=1,
        fate=Fate.BLOCKED,
        why=said(error),
        following=following,
        version=version,
    )


def said(error: Exception) -> str:
    """Why something could not be started, short enough for a ledger."""
    known = isinstance(error, StepwellError)
    return _short(str(error) if known else f"{type(error).__name__}: {error}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_WHY else f"{text[: _LONGEST_WHY - 1]}…"
