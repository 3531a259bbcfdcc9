"""Routes of the room: /reviews, and a group's reviews, decisions, proposals and releases."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Paging, Reason, Router, reads, writes
from stepwell.server.reviews import proposals, remarks, service, trials
from stepwell.server.reviews.changes import Difference
from stepwell.server.reviews.records import (
    Applied,
    Comment,
    Decisions,
    NewComment,
    NewTrial,
    Proposal,
    Release,
    ReleaseDetail,
    Review,
    Rollback,
    Waiting,
)
from stepwell.server.runs.records import Run

router = Router(tags=["reviews"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]
Reviewing = Annotated[Call, writes(Role.REVIEWER)]


@router.get("/reviews")
def list_reviews(call: Reading, state: Literal["waiting", "decided"] = "waiting") -> Page[Waiting]:
    """Groups whose newest discovery waits for a decision, or was decided; all in one page."""
    found = service.waiting(call.conn, decided=state == "decided")
    return Paging(limit=max(len(found), 1)).page(found, None)


@router.get("/groups/{name}/discoveries/{discovery_id}/diff")
def show_diff(call: Reading, name: str, discovery_id: UUID) -> Review:
    """What accepting this discovery would change."""
    return service.review(call.conn, call.services, name, discovery_id)


@router.post("/groups/{name}/discoveries/{discovery_id}/decisions", status_code=201)
def decide(call: Reviewing, name: str, discovery_id: UUID, body: Decisions) -> Applied:
    """Accept, reject or hold workflows in one act; what is accepted becomes a release, or
    a proposal where two reviewers are needed."""
    return service.decide(call.conn, call.services, name, discovery_id, body, by=call.user.name)


@router.get("/groups/{name}/discoveries/{discovery_id}/comments")
def list_comments(call: Reading, name: str, discovery_id: UUID, pages: Pages) -> Page[Comment]:
    """What was said about a discovery, oldest first."""
    return remarks.listed(call.conn, name, discovery_id, pages)


@router.post("/groups/{name}/discoveries/{discovery_id}/comments", status_code=201)
def add_comment(call: Operating, name: str, discovery_id: UUID, body: NewComment) -> Comment:
    """Say something about a discovery."""
    return remarks.add(call.conn, name, discovery_id, body, by=call.user.name)


@router.post("/groups/{name}/discoveries/{discovery_id}/trials", status_code=201)
def try_once(call: Reviewing, name: str, discovery_id: UUID, body: NewTrial) -> Run:
    """Run one workflow of a discovery once, before it is decided about."""
    return trials.start(call.conn, call.services, name, discovery_id, body, by=call.user.name)


@router.get("/groups/{name}/proposals")
def list_proposals(call: Reading, name: str, pages: Pages) -> Page[Proposal]:
    """What reviewers have proposed, newest first."""
    return proposals.listed(call.conn, name, pages)


@router.get("/groups/{name}/proposals/{proposal_id}")
def show_proposal(call: Reading, name: str, proposal_id: UUID) -> Proposal:
    """One proposal."""
    return proposals.get(call.conn, name, proposal_id)


@router.post("/groups/{name}/proposals/{proposal_id}/confirmations", status_code=201)
def confirm(call: Reviewing, name: str, proposal_id: UUID, body: Reason) -> Applied:
    """Put in force what another reviewer has proposed."""
    by, services = call.user.name, call.services
    return service.confirm(call.conn, services, name, proposal_id, body.reason, by=by)


@router.post("/groups/{name}/proposals/{proposal_id}/refusals", status_code=201)
def refuse(call: Reviewing, name: str, proposal_id: UUID, body: Reason) -> Proposal:
    """Refuse a proposal, or take back one's own."""
    return proposals.refuse(call.conn, name, proposal_id, body.reason, by=call.user.name)


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
    """What this release changed of another one."""
    return service.between(call.conn, name, number, against)


@router.get("/groups/{name}/releases/{number}/review")
def review_rollback(call: Reading, name: str, number: int) -> Review:
    """What putting this release in force again would change: a review with the sides reversed."""
    return service.review_rollback(call.conn, call.services, name, number)


@router.post("/groups/{name}/releases/{number}/decisions", status_code=201)
def decide_rollback(call: Reviewing, name: str, number: int, body: Decisions) -> Applied:
    """Decide which workflows of this release come back, as one decides about a discovery."""
    return service.decide_rollback(call.conn, call.services, name, number, body, by=call.user.name)


@router.post("/groups/{name}/rollbacks", status_code=201)
def roll_back(call: Reviewing, name: str, body: Rollback) -> Applied:
    """Make the contents of an earlier release current again, all of it in one act."""
    return service.roll_back(call.conn, call.services, name, body, by=call.user.name)
