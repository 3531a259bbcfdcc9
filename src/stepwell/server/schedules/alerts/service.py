"""Alerts: a schedule whose tick is late, a run that does not begin or takes too long. Each is
told once.

Late is noticed twice: by the watch while nobody ticks, and by the tick that comes at last.
Both write the same alert, of the same schedule and instant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stepwell import events
from stepwell.ids import new_id
from stepwell.schedules.base import iso, minutes
from stepwell.schedules.ledger import Entry
from stepwell.server.database.session import Database
from stepwell.server.database.tables import runs
from stepwell.server.database.tables import schedule_alerts as t
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.schedules.alerts.records import Alert
from stepwell.server.schedules.queries import Row

_KINDS: Final = {"late": Kind.LATE, "too-long": Kind.TOO_LONG}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is told; `subject` is what it is told of, once."""

    kind: str
    subject: str
    group: str
    workflow: str
    since: datetime
    text: str
    schedule_id: UUID | None = None
    run_id: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


def late(schedule: Row, due: datetime, now: datetime) -> Finding:
    """Nobody has ticked for a due instant."""
    text = f"{_due(schedule, due)}, and is late by {_said((now - due).total_seconds())}."
    return _of_schedule(schedule, due, text)


def missed(schedule: Row, entry: Entry, now: datetime) -> Finding:
    """Nobody ticked in time, and the schedule wants nothing of that to run later."""
    others = f" with {entry.count - 1} more after it" if entry.count > 1 else ""
    text = (
        f"{_due(schedule, entry.first)}{others}, and does not run: no server ticked until "
        f"{_said((now - entry.first).total_seconds())} later, and its misfire policy is to skip."
    )
    return _of_schedule(schedule, entry.first, text, of="/missed")


def _of_schedule(schedule: Row, due: datetime, text: str, of: str = "") -> Finding:
    return Finding(
        kind="late",
        subject=f"{schedule['id']}/{iso(due)}{of}",
        group=schedule["group_name"],
        workflow=schedule["workflow"],
        since=due,
        text=text,
        schedule_id=schedule["id"],
        details={"due": iso(due), "schedule": schedule["name"]},
        labels=schedule["labels"] or {},
    )


def _due(row: Row, due: datetime) -> str:
    return f"{row['group_name']}/{row['workflow']} was due at {minutes(due)}"


def not_begun(run: Row, now: datetime) -> Finding:
    """The container of a run has not begun, with what is known of that.

    Parameters
    ----------
    run : its header, with `queued_at`, `condition` and `launch_condition` of its attempt.
    """
    for_long = _said((now - run["queued_at"]).total_seconds())
    why = run["condition"] or (run["launch_condition"] or {}).get("message") or ""
    text = f"{_due(run, run['due_at'])}, and its container has not begun for {for_long}. {why}"
    details = {"due": iso(run["due_at"])}
    return _of_run(run, "late", run["queued_at"], text.strip(), details)


def too_long(run: Row, limit: float, whose: str, now: datetime) -> Finding:
    """A run goes on for longer than its limit."""
    took = _said((now - run["started_at"]).total_seconds())
    text = (
        f"{run['group_name']}/{run['workflow']} runs for {took}: longer than {whose} of "
        f"{_said(limit)}."
    )
    return _of_run(run, "too-long", run["started_at"], text, {"limit": limit})


def _of_run(run: Row, kind: str, since: datetime, text: str, details: dict[str, Any]) -> Finding:
    return Finding(
        kind=kind,
        subject=str(run["id"]),
        group=run["group_name"],
        workflow=run["workflow"],
        since=since,
        text=text,
        schedule_id=run["schedule_id"],
        run_id=run["id"],
        details=details,
        labels=run["labels"] or {},
    )


def tell(
    conn: Connection, db: Database, found: Finding, now: datetime, over_at: datetime | None = None
) -> bool:
    """Write the alert and let people know, unless that was done; whether it was new."""
    make: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    values = {
        "id": new_id(),
        "schedule_id": found.schedule_id,
        "kind": found.kind,
        "subject": found.subject,
        "group_name": found.group,
        "workflow": found.workflow,
        "run_id": found.run_id,
        "since": found.since,
        "noticed_at": now,
        "over_at": over_at,
        "text": found.text,
    }
    added = make(t).values(**values).on_conflict_do_nothing().returning(t.c.id)
    if conn.execute(added).first() is None:
        return False
    notifications.occur(conn, db, _occasion(found))
    events.emit(
        f"schedule.{found.kind.replace('-', '_')}",
        schedule_id=str(found.schedule_id),
        workflow=f"{found.group}/{found.workflow}",
        text=found.text,
    )
    return True


def _occasion(found: Finding) -> Occasion:
    return Occasion(
        kind=_KINDS[found.kind],
        group=found.group,
        workflow=found.workflow,
        sentence=found.text,
        run_id=found.run_id,
        schedule_id=found.schedule_id,
        details=found.details,
        labels=found.labels,
    )


def settled_late(
    conn: Connection, db: Database, schedule: Row, found: Finding, now: datetime
) -> None:
    """The tick came late: that is told if the watch has not, and it is over."""
    tell(conn, db, found, now, over_at=now)
    mine = (t.c.schedule_id == schedule["id"]) & (t.c.kind == "late") & t.c.run_id.is_(None)
    conn.execute(update(t).where(mine, t.c.over_at.is_(None)).values(over_at=now))


def blocked(conn: Connection, db: Database, schedule: Row, due: datetime, why: str | None) -> None:
    """The run of a due instant could not be started: a failure, which the next success ends."""
    place = f"{schedule['group_name']}/{schedule['workflow']}"
    occasion = Occasion(
        kind=Kind.FAILURE,
        group=schedule["group_name"],
        workflow=schedule["workflow"],
        sentence=f"{place} was due at {minutes(due)}, and could not be started: {why}",
        schedule_id=schedule["id"],
        details={"due": iso(due), "schedule": schedule["name"]},
        labels=schedule["labels"] or {},
    )
    notifications.occur(conn, db, occasion)
    events.emit(
        "schedule.blocked",
        schedule_id=str(schedule["id"]),
        workflow=place,
        due=due.isoformat(),
        why=why,
    )


def end_of_runs(conn: Connection, now: datetime) -> None:
    """What ran too long and has ended is over, and what had not begun and has."""
    ended = select(runs.c.id).where(runs.c.finished_at.is_not(None))
    begun = select(runs.c.id).where(runs.c.state != "starting")
    over = or_(t.c.run_id.in_(ended), and_(t.c.kind == "late", t.c.run_id.in_(begun)))
    conn.execute(update(t).where(t.c.over_at.is_(None), over).values(over_at=now))


def listed(
    conn: Connection,
    pages: Paging,
    *,
    kind: str | None,
    schedule_id: UUID | None,
    is_open: bool | None,
) -> Page[Alert]:
    """Alerts, newest first."""
    query = select(t)
    query = query if kind is None else query.where(t.c.kind == kind)
    query = query if schedule_id is None else query.where(t.c.schedule_id == schedule_id)
    if is_open is not None:
        query = query.where(t.c.over_at.is_(None) if is_open else t.c.over_at.is_not(None))
    return paged(conn, query, pages, by=[t.c.id], make=_shown)


def _shown(row: Row) -> Alert:
    return Alert(group=row["group_name"], **{k: v for k, v in row.items() if k != "group_name"})


def _said(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h {whole % 3600 // 60} min"
