"""Downtimes: when no server ticked, what was due meanwhile, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from stepwell import events
from stepwell.ids import new_id
from stepwell.schedules import Misfire
from stepwell.schedules.ledger import Fate, Why
from stepwell.server.database.tables import downtimes as t
from stepwell.server.database.tables import ledger, schedules
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.schedules import errors, queries
from stepwell.server.schedules.downtimes.records import Downtime, MissedBy
from stepwell.server.schedules.queries import Row

_CATCHING_UP: Final = timedelta(minutes=10)
"""Lines entered so long after a downtime still belong to it."""

_POLICY: Final = {
    Misfire.LATEST: "The latest instant runs; the others stay missed.",
    Misfire.ALL: "Each runs, the newest 100 at most; the others stay missed.",
    Misfire.SKIP: "None runs.",
}


_ANSWER: Final = ("answer", "answered_by", "answered_at", "answer_reason")


def note(conn: Connection, expected: datetime, now: datetime, grace: timedelta) -> None:
    """Nobody ticked from `expected`, when the tick was to come, until now.

    A tick that notes it and then fails comes again, and expects what it did: of that time only
    what was not noted yet is one more downtime, if it is longer than the grace.
    """
    noted = conn.execute(select(func.max(t.c.ended_at))).scalar()
    if noted is not None and noted > expected:
        if now - noted <= grace:
            return
        began = noted
    else:
        due = queries.earliest_due(conn)
        began = min(expected, due) if due is not None else expected
    conn.execute(insert(t).values(id=new_id(), began_at=began, ended_at=now))
    events.emit("schedule.downtime", began=began.isoformat(), ended=now.isoformat())


def listed(conn: Connection, pages: Paging) -> Page[Downtime]:
    """Downtimes, newest first, each with what was due meanwhile."""
    page = paged(conn, select(t), pages, by=[t.c.id], make=lambda row: row)
    return pages.page([_told(conn, row) for row in page.items], page.next)


def one(conn: Connection, downtime_id: UUID) -> Downtime:
    """A downtime; raises `DowntimeNotFound`."""
    row = conn.execute(select(t).where(t.c.id == downtime_id)).mappings().one_or_none()
    if row is None:
        raise errors.DowntimeNotFound(
            f"There is no downtime {downtime_id}.", fix="See `stepwell schedules downtimes`."
        )
    return _told(conn, row)


def _told(conn: Connection, row: Row) -> Downtime:
    missed = list(_by_schedule(_lines(conn, row)))
    fires = sum(one.missed + one.ran for one in missed)
    return Downtime(
        id=row["id"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        missed=sum(one.missed for one in missed),
        ran=sum(one.ran for one in missed),
        text=f"No server ticked for {_length(row)}. {fires} due instants passed meanwhile.",
        **{name: row[name] for name in _ANSWER},
        schedules=missed,
    )


def _lines(conn: Connection, row: Row) -> Sequence[Row]:
    """What was entered late, after the downtime, of instants within it."""
    query = (
        select(ledger, schedules.c.group_name, schedules.c.workflow, schedules.c.name)
        .add_columns(schedules.c.spec.label("in_force"))
        .join(schedules, schedules.c.id == ledger.c.schedule_id)
        .where(
            ledger.c.first_due <= row["ended_at"],
            ledger.c.first_due >= row["began_at"],
            ledger.c.entered_at >= row["ended_at"],
            ledger.c.entered_at <= row["ended_at"] + _CATCHING_UP,
            ledger.c.fate != Fate.CHANGED.value,
        )
        .order_by(ledger.c.schedule_id, ledger.c.first_due)
    )
    return conn.execute(query).mappings().all()


def _by_schedule(lines: Sequence[Row]) -> Iterator[MissedBy]:
    for schedule_id in dict.fromkeys(line["schedule_id"] for line in lines):
        mine = [line for line in lines if line["schedule_id"] == schedule_id]
        late = [line for line in mine if line["fate"] == Fate.MISSED or line["why"] == Why.LATE]
        if not late and not any(line["fate"] == Fate.QUEUED for line in mine):
            continue
        misfire = Misfire(mine[0]["in_force"]["misfire"])
        yield MissedBy(
            schedule_id=schedule_id,
            group=mine[0]["group_name"],
            workflow=mine[0]["workflow"],
            name=mine[0]["name"],
            first_due=mine[0]["first_due"],
            last_due=mine[-1]["last_due"],
            missed=_count(mine, Fate.MISSED),
            ran=_count(mine, Fate.RAN) + _count(mine, Fate.QUEUED),
            skipped=_count(mine, Fate.SKIPPED),
            latest_missed=max(
                (line["last_due"] for line in mine if line["fate"] == Fate.MISSED), default=None
            ),
            misfire=misfire,
            policy=_POLICY[misfire],
        )


def _count(lines: Sequence[Row], fate: Fate) -> int:
    return sum(line["count"] for line in lines if line["fate"] == fate)


def _length(row: Row) -> str:
    seconds = int((row["ended_at"] - row["began_at"]).total_seconds())
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
