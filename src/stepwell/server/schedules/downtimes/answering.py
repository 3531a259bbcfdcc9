"""Decide about what a downtime left missed: run each instant, the latest, or leave them.

What is run is a backfill for each schedule, so the ledger keeps saying that it was missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select, update

from stepwell.errors import StepwellError, Unavailable
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import downtimes as t
from stepwell.server.schedules import errors
from stepwell.server.schedules.backfills import service as backfills
from stepwell.server.schedules.backfills.records import NewBackfill
from stepwell.server.schedules.downtimes import service as downtimes
from stepwell.server.schedules.downtimes.records import (
    Answer,
    Answered,
    Downtime,
    MissedBy,
    NewAnswer,
    Refused,
)
from stepwell.server.schedules.instant import now_of
from stepwell.server.services import Services

_INSTANT: Final = timedelta(microseconds=1)


def answer(
    conn: Connection, services: Services, downtime_id: UUID, asked: NewAnswer, *, by: str
) -> Answered:
    """Say what becomes of the missed instants of a downtime, once.

    A schedule for which it cannot be done is refused, and the others go on.

    Raises
    ------
    DowntimeNotFound, DowntimeAnswered.
    """
    conn.execute(select(t.c.id).where(t.c.id == downtime_id).with_for_update()).all()
    found = downtimes.one(conn, downtime_id)
    if found.answer is not None:
        raise errors.DowntimeAnswered(
            f"It was answered with {found.answer.value!r} by {found.answered_by}.",
            why=found.answer_reason or "",
            fix="Backfill a schedule by itself.",
        )
    begun: list[UUID] = []
    refused: list[Refused] = []
    for one in () if asked.answer is Answer.LEAVE else _wanted(found, asked):
        try:
            with conn.begin_nested():
                begun.append(_backfill(conn, services, one, asked, by))
        except Unavailable:
            raise
        except StepwellError as error:
            refused.append(Refused(schedule_id=one.schedule_id, code=error.code, what=error.what))
    _write_down(conn, services, downtime_id, asked, begun, by)
    return Answered(backfills=begun, refused=refused)


def _wanted(found: Downtime, asked: NewAnswer) -> Iterator[MissedBy]:
    """Where the misfire policy has run the latest instant, nothing is latest and missed."""
    chosen = None if asked.schedules is None else set(asked.schedules)
    for one in found.schedules:
        ran_already = asked.answer is Answer.LATEST and one.ran
        if one.missed and not ran_already and (chosen is None or one.schedule_id in chosen):
            yield one


def _backfill(
    conn: Connection, services: Services, one: MissedBy, asked: NewAnswer, by: str
) -> UUID:
    latest = one.latest_missed or one.last_due
    wanted = NewBackfill(
        begin=latest if asked.answer is Answer.LATEST else one.first_due,
        end=latest + _INSTANT,
        reason=asked.reason,
    )
    return backfills.start(conn, services, one.schedule_id, wanted, by=by).id


def _write_down(
    conn: Connection,
    services: Services,
    downtime_id: UUID,
    asked: NewAnswer,
    begun: Iterable[UUID],
    by: str,
) -> None:
    values = {
        "answer": asked.answer.value,
        "answered_by": by,
        "answered_at": now_of(conn, services.clock),
        "answer_reason": asked.reason,
    }
    conn.execute(update(t).where(t.c.id == downtime_id).values(**values))
    details = {"answer": asked.answer.value, "backfills": [str(one) for one in begun]}
    audit.record(conn, by, "downtime.answer", str(downtime_id), asked.reason, after=details)
