"""Tell people that a review waits: by a step, so that it is told once it is committed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stepwell.server.database.session import Database
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import service as groups
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.reviews import reading
from stepwell.server.reviews.comparing import against_current, of_discovery
from stepwell.server.services import QUEUE, Services
from stepwell.step import OnConflict, new_step


def remind(conn: Connection, db: Database, group: str, discovery_id: UUID, at: datetime) -> None:
    """When a hold ends, what was held is offered again, and that is told."""
    step = new_step(
        discoveries.ANNOUNCE,
        {"discovery_id": str(discovery_id)},
        queue=QUEUE,
        unique_key=f"{discovery_id} {at.isoformat()}",
        on_conflict=OnConflict.IGNORE,
        schedule_time=at,
        search_key=group,
        description=f"A hold in {group} ends",
    )
    db.client(conn).add(step)


def say(conn: Connection, services: Services, discovery_id: UUID) -> str:
    """Tell that a discovery waits, if it does; what was done, in words."""
    found = discoveries.get(conn, discovery_id)
    newest = discoveries.latest(conn, found.group_name)
    if newest is None or newest.id != discovery_id:
        return "Something newer was discovered."
    if groups.get(conn, found.group_name).archived_at is not None:
        return "The group is archived."
    seen = against_current(conn, of_discovery(newest))
    waits = reading.brief(conn, seen, reading.decisions_of(conn, seen.offer)).pending
    if not waits:
        return "Nothing waits for a review."
    told = f"{found.group_name} waits for a review: {', '.join(waits)}."
    occasion = Occasion(
        kind=Kind.REVIEW_WAITING,
        group=found.group_name,
        sentence=told,
        discovery_id=discovery_id,
        fingerprint=f"review-waiting:{found.group_name}:{found.digest}",
        details={"workflows": waits, "digest": found.digest},
    )
    notifications.occur(conn, services, occasion)
    return told
