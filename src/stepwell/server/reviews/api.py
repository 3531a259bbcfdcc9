"""Routes of the room: /reviews, and a group's diff, decisions, releases and rollbacks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Paging, Router, reads, writes
from stepwell.server.reviews import service
from stepwell.server.reviews.changes import Difference
from stepwell.server.reviews.records import (
    Applied,
    Decisions,
    Release,
    ReleaseDetail,
    Review,
    Rollback,
    Waiting,
)

router = Router(tags=["reviews"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Reviewing = Annotated[Call, writes(Role.REVIEWER)]


@router.get("/reviews")
def list_reviews(call: Reading) -> Page[Waiting]:
    """Groups whose newest discovery waits for a decision; all of them, in one page."""
    found = service.waiting(call.conn)
    return Paging(limit=max(len(found), 1)).page(found, None)


@router.get("/groups/{name}/discoveries/{discovery_id}/diff")
def show_diff(call: Reading, name: str, discovery_id: UUID) -> Review:
    """What accepting this discovery would change."""
    return service.review(call.conn, name, discovery_id)


@router.post("/groups/{name}/discoveries/{discovery_id}/decisions", status_code=201)
def decide(call: Reviewing, name: str, discovery_id: UUID, body: Decisions) -> Applied:
    """Accept, reject or hold workflows in one act; what is accepted becomes a release."""
    return service.decide(call.conn, call.services, name, discovery_id, body, by=call.user.name)


@router.get("/groups/{name}/releases")
def list_releases(call: Reading, name: str, pages: Pages) -> Page[Release]:
    """The releases of a group, newest first."""
    return service.listed(call.conn, name, pages)


@router.get("/groups/{name}/releases/{number}")
def show_release(call: Reading, name: str, number: int) -> ReleaseDetail:
    """One release, with each workflow's entry and digest."""
    return service.release(call.conn, name, number)


@router.get("/groups/{name}/releases/{number}/diff")
def compare_releases(call: Reading, name: str, number: int, against: int) -> Difference:
    """What this release changed of another one; or, the other way round, what a rollback would."""
    return service.between(call.conn, name, number, against)


@router.post("/groups/{name}/rollbacks", status_code=201)
def roll_back(call: Reviewing, name: str, body: Rollback) -> Release:
    """Make the contents of an earlier release current again."""
    return service.roll_back(call.conn, call.services, name, body, by=call.user.name)
