"""Compare what is offered with the current release, decide, roll back, try; by one or by two."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell.server.database.tables import releases as release_table
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.reviews import comparing, deciding, proposals, publishing, queries, reading
from stepwell.server.reviews.changes import Difference
from stepwell.server.reviews.comparing import Offer
from stepwell.server.reviews.diff import bounded
from stepwell.server.reviews.records import (
    Applied,
    Choice,
    Decisions,
    Proposal,
    ProposalState,
    Release,
    ReleaseDetail,
    ReleasedWorkflow,
    Review,
    Rollback,
    Waiting,
)
from stepwell.server.services import Services


def review(conn: Connection, services: Services, group: str, discovery_id: UUID) -> Review:
    """The difference between a discovery and the current release, joined to what lives.

    Raises
    ------
    GroupNotFound, DiscoveryNotFound, DiscoveryNotUsable
    """
    return reading.review(conn, services, comparing.discovered(conn, group, discovery_id))


def review_rollback(conn: Connection, services: Services, group: str, number: int) -> Review:
    """The same for putting an earlier release in force again: the sides are reversed.

    Raises
    ------
    GroupNotFound, ReleaseNotFound
    """
    return reading.review(conn, services, comparing.earlier(conn, group, number))


def waiting(conn: Connection, *, decided: bool = False) -> list[Waiting]:
    """Every group whose newest discovery waits for a decision, by name; or does not any more."""
    return reading.waiting(conn, decided=decided)


def decide(
    conn: Connection,
    services: Services,
    group: str,
    discovery_id: UUID,
    asked: Decisions,
    *,
    by: str,
) -> Applied:
    """Apply decisions, all or none; what is accepted becomes a new release (R37).

    Where two reviewers are needed, it becomes a proposal instead.

    Raises
    ------
    ReleaseMoved : the reviewer compared with another release.
    WorkflowUnknown, DecisionRepeated, RenameInvalid, HoldInvalid, ProposalOpen,
    DiscoveryNotUsable, DiscoveryNotFound, GroupNotFound, GroupArchived.
    """
    groups.active(conn, group)
    offer = comparing.discovered(conn, group, discovery_id)
    return _decided(conn, services, offer, asked, by)


def decide_rollback(
    conn: Connection, services: Services, group: str, number: int, asked: Decisions, *, by: str
) -> Applied:
    """The same for an earlier release: which of its workflows come back.

    Raises
    ------
    ReleaseNotFound, ImageUnusable : its image is not kept any more; and as `decide`.
    """
    groups.active(conn, group)
    return _decided(conn, services, comparing.earlier(conn, group, number), asked, by)


def roll_back(
    conn: Connection, services: Services, group: str, asked: Rollback, *, by: str
) -> Applied:
    """All of an earlier release again, in one act; raises as `decide_rollback`."""
    everything = Decisions(rest=Choice.ACCEPT, reason=asked.reason)
    return decide_rollback(conn, services, group, asked.to_release, everything, by=by)


def confirm(
    conn: Connection,
    services: Services,
    group: str,
    proposal_id: UUID,
    reason: str | None,
    *,
    by: str,
) -> Applied:
    """Put in force what another reviewer has proposed, exactly as it was proposed.

    Raises
    ------
    OwnProposal, ProposalEnded, ProposalNotFound; ReleaseMoved : the release has changed since.
    """
    groups.active(conn, group)
    made = proposals.confirmable(conn, group, proposal_id, by=by)
    asked = Decisions(decisions=made.decisions, against_release=made.against_release)
    seen, meant = deciding.prepared(conn, _offer(conn, made), asked)
    who = {"by": made.requested_by, "confirmed_by": by}
    applied = deciding.apply(conn, services, seen, meant, made.reason, **who)
    number = None if applied.release is None else applied.release.number
    proposals.end(conn, proposal_id, ProposalState.CONFIRMED, reason, by=by, release=number)
    deciding.told_confirmed(conn, made, number, reason, by=by)
    return applied.model_copy(update={"proposal": proposals.get(conn, group, proposal_id)})


def _decided(
    conn: Connection, services: Services, offer: Offer, asked: Decisions, by: str
) -> Applied:
    for one in asked.decisions:
        deciding.check_hold(one)
    seen, meant = deciding.prepared(conn, offer, asked)
    if proposals.accepts(meant) and proposals.needs_two(conn, services, offer.group):
        made = proposals.make(conn, seen, meant, asked.reason, by=by)
        return deciding.unchanged(conn, seen, made)
    return deciding.apply(conn, services, seen, meant, asked.reason, by=by)


def _offer(conn: Connection, made: Proposal) -> Offer:
    if made.to_release is not None:
        return comparing.earlier(conn, made.group_name, made.to_release)
    assert made.discovery_id is not None
    return comparing.discovered(conn, made.group_name, made.discovery_id)


def archive(
    conn: Connection, services: Services, group: str, reason: str | None, *, by: str
) -> Group:
    """Take a group out of use: an empty release, so that no schedule of it is due any more.

    Runs in flight end as they were started. Doing it again changes nothing.
    """
    if groups.get(conn, group).archived_at is None:
        groups.active(conn, group)
        if queries.current(conn, group) is not None:
            publishing.publish(conn, services, group, {}, reason=reason, created_by=by)
    return groups.archive(conn, group, reason, by=by)


def restore(
    conn: Connection, services: Services, group: str, reason: str | None, *, by: str
) -> Group:
    """Take an archived group back into use, with the last release that had workflows."""
    if groups.get(conn, group).archived_at is None:
        return groups.get(conn, group)
    groups.restore(conn, group, reason, by=by)
    last = queries.last_filled(conn, group)
    if last is not None:
        offer = comparing.earlier(conn, group, last)
        everything = Decisions(rest=Choice.ACCEPT)
        seen, meant = deciding.prepared(conn, offer, everything)
        deciding.apply(conn, services, seen, meant, reason, by=by)
    return groups.get(conn, group)


def listed(conn: Connection, group: str, pages: Paging) -> Page[Release]:
    """The releases of a group, newest first; raises `GroupNotFound`."""
    groups.get(conn, group)
    query, by = queries.listed(group), [release_table.c.number]
    return paged(conn, query, pages, by=by, make=lambda row: Release(**row))


def release(conn: Connection, group: str, number: int) -> ReleaseDetail:
    """One release with its workflows; raises `ReleaseNotFound`."""
    row = comparing.numbered(conn, group, number)
    found = [ReleasedWorkflow(**one) for one in queries.contents(conn, row["id"])]
    return ReleaseDetail(**row, workflows=found, **_declared(conn, found))


def _declared(conn: Connection, workflows: list[ReleasedWorkflow]) -> dict[str, Any]:
    """What the newest manifest of a release says of the group as a whole."""
    if not workflows:
        return {}
    newest = discoveries.get(conn, max(one.discovery_id for one in workflows))
    group = (newest.manifest or {}).get("group", {})
    return {"owner": group.get("owner") or None, "limit": group.get("limit")}


def between(conn: Connection, group: str, number: int, against: int) -> Difference:
    """What release `number` changed of release `against`; raises `ReleaseNotFound`."""
    old = comparing.contents(conn, comparing.numbered(conn, group, against))
    new = comparing.contents(conn, comparing.numbered(conn, group, number))
    return bounded(comparing.between(old, new, queries.renames(conn, group, against, number)))
