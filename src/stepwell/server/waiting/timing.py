"""Why a schedule starts no run now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from stepwell import clock
from stepwell.server.database.tables import ledger, runs
from stepwell.server.schedules import service as schedules
from stepwell.server.services import Services
from stepwell.server.waiting.holding import pause_of
from stepwell.server.waiting.reasons import late
from stepwell.server.waiting.records import Action, Blocking, Code, Reason
from stepwell.server.words import first_line, instant, span
from stepwell.step import StepQuery, StepStatus
from stepwell.stores.controls import ControlKind

ACTIVE = ("waiting", "starting", "running", "cancelling")
TICK = "v1/server/tick"


def reasons(conn: Connection, services: Services, row: RowMapping) -> list[Reason]:
    """Every reason that holds, in order."""
    now, tx = clock.now(), services.db.steps(conn)
    pauses = [one for one in tx.controls() if one.kind is ControlKind.PAUSE]
    ticks = tx.search(StepQuery(name=TICK, status=StepStatus.READY, limit=1))
    found = [
        *(pause_of(one) for one in pauses if one.key == "server"),
        _paused(row),
        _overlap(conn, row, now) or _not_due(conn, row, now),
        *(late(one, now) for one in ticks if one.claimed_by is None),
    ]
    return [one for one in found if one is not None]


def _paused(row: RowMapping) -> Reason | None:
    if row["paused_at"] is None:
        return None
    until = dict(row).get("paused_until")
    resumes = f" Resumes {instant(until)}." if until else ""
    why = first_line(row["pause_reason"])
    return Reason(
        code=Code.PAUSED_SCHEDULE,
        sentence=f"Paused on {instant(row['paused_at'])}: '{why}'.{resumes}",
        since=row["paused_at"],
        changes=f"at {instant(until)}" if until else "when somebody resumes it",
        changes_at=until,
        blocking=_blocking(row),
        actions=[
            Action(
                label="resume",
                command=f"stepwell schedules resume {_name(row)}",
                method="DELETE",
                path=f"/schedules/{row['id']}/pauses",
            )
        ],
    )


def _not_due(conn: Connection, row: RowMapping, now: datetime) -> Reason | None:
    at = row["next_due"]
    if at is None or at <= now:
        return None
    zone, until = row["spec"].get("timezone"), schedules.rests_until(conn, row["id"], now)
    rests = f" Until {instant(until)} all was done while a clock was ahead." if until else ""
    return Reason(
        code=Code.NOT_DUE,
        sentence=f"Starts {instant(at)}{f' ({zone})' if zone else ''}, in {span(at - now)}.{rests}",
        changes=f"at {instant(at)}",
        changes_at=at,
        blocking=_blocking(row),
        actions=[
            Action(
                label="start now",
                command=f"stepwell schedules run {_name(row)}",
                method="POST",
                path=f"/schedules/{row['id']}/runs",
            ),
            Action(
                label="skip",
                command=f"stepwell schedules skip {_name(row)}",
                method="POST",
                path=f"/schedules/{row['id']}/skips",
                body={"count": 1},
            ),
        ],
    )


def _overlap(conn: Connection, row: RowMapping, now: datetime) -> Reason | None:
    """An instant is queued behind a run that goes on."""
    waiting = select(ledger.c.first_due).where(
        ledger.c.schedule_id == row["id"], ledger.c.fate == "queued"
    )
    since = conn.execute(waiting.order_by(ledger.c.first_due).limit(1)).scalar()
    mine = (runs.c.schedule_id == row["id"], runs.c.state.in_(ACTIVE))
    query = select(runs).where(*mine).order_by(runs.c.created_at).limit(1)
    run: Any = conn.execute(query).mappings().first()
    if since is None or run is None:
        return None
    policy = row["spec"].get("overlap", "skip")
    return Reason(
        code=Code.OVERLAP,
        sentence=f"The previous run {run['id']} is still {run['state']} "
        f"({span(now - run['created_at'])}); policy *{policy}*.",
        since=since,
        changes="when that run has ended",
        blocking=Blocking(
            kind="run", id=str(run["id"]), name=run["workflow"], link=f"/runs/{run['id']}"
        ),
        actions=[
            Action(
                label="cancel the previous run",
                command=f"stepwell runs cancel {run['id']}",
                method="POST",
                path=f"/runs/{run['id']}/cancellations",
            )
        ],
    )


def _name(row: RowMapping) -> str:
    return f"{row['group_name']}/{row['workflow']}"


def _blocking(row: RowMapping) -> Blocking:
    link = f"/schedules/{row['id']}"
    return Blocking(kind="schedule", id=str(row["id"]), name=row["name"], link=link)
