"""The thread of comments of a discovery."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import comments
from stepwell.server.discoveries import service as discoveries
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.reviews.comparing import Offer
from stepwell.server.reviews.records import Comment, NewComment


def add(conn: Connection, group: str, discovery_id: UUID, new: NewComment, *, by: str) -> Comment:
    """Say something about a discovery; raises `DiscoveryNotFound`."""
    discoveries.of_group(conn, group, discovery_id)
    made = Comment(
        id=new_id(),
        discovery_id=discovery_id,
        written_by=by,
        written_at=clock.now(),
        text=new.text,
    )
    conn.execute(insert(comments).values(**made.model_dump()))
    told = {"discovery": discovery_id, "text": new.text}
    audit.record(conn, by, "review.comment", group, after=told)
    return made


def listed(conn: Connection, group: str, discovery_id: UUID, pages: Paging) -> Page[Comment]:
    """What was said about a discovery, oldest first; raises `DiscoveryNotFound`."""
    discoveries.of_group(conn, group, discovery_id)
    query = select(comments).where(comments.c.discovery_id == discovery_id)
    by = [comments.c.id]
    return paged(conn, query, pages, by=by, make=lambda row: Comment(**row), newest_first=False)


def count(conn: Connection, offer: Offer) -> int:
    """How many comments a discovery has; none for an earlier release."""
    if offer.discovery is None:
        return 0
    mine = comments.c.discovery_id == offer.discovery.id
    return conn.execute(select(func.count()).select_from(comments).where(mine)).scalar_one()
