"""Routes of the room: /schedules/{id}/labels."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Router, reads, writes
from stepwell.server.schedules.definitions import labels
from stepwell.server.schedules.definitions.labels import ScheduleLabels

router = Router(prefix="/schedules/{schedule_id}/labels", tags=["schedules"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


@router.get("")
def show_labels(call: Reading, schedule_id: UUID) -> ScheduleLabels:
    """The labels that the schedule gives to its runs."""
    return labels.get(call.conn, schedule_id)


@router.post("")
def set_labels(call: Operating, schedule_id: UUID, body: ScheduleLabels) -> ScheduleLabels:
    """Replace the labels that the schedule gives to its runs."""
    return labels.put(call.conn, schedule_id, body, by=call.user.name)
