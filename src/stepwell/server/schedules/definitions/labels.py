"""The labels that a schedule gives to the runs that it starts."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from stepwell.server.audit import service as audit
from stepwell.server.runs.records import Labels
from stepwell.server.schedules import queries
from stepwell.server.schedules.definitions import changing


class ScheduleLabels(BaseModel):
    """What is given to runs that start from now on; those that have started keep theirs."""

    model_config = ConfigDict(extra="forbid")

    labels: Labels
    reason: str | None = Field(default=None, max_length=1000)


def get(conn: Connection, schedule_id: UUID) -> ScheduleLabels:
    """The labels; raises `ScheduleNotFound`."""
    row = changing.found(queries.get(conn, schedule_id), schedule_id)
    return ScheduleLabels(labels=row["labels"] or {})


def put(conn: Connection, schedule_id: UUID, given: ScheduleLabels, *, by: str) -> ScheduleLabels:
    """Replace them; raises `ScheduleNotFound`."""
    row = changing.found(queries.lock(conn, schedule_id), schedule_id)
    queries.change(conn, schedule_id, labels=given.labels or None)
    told = {"before": {"labels": row["labels"] or {}}, "after": {"labels": given.labels}}
    target = f"{row['group_name']}/{row['workflow']}/{row['name']}"
    audit.record(conn, by, "schedule.label", target, given.reason, **told)
    return get(conn, schedule_id)
