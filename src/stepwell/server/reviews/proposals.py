"""The two-person rule: what one reviewer accepts, another one confirms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, insert, select, update

from stepwell import clock
from stepwell.errors import Conflict, Denied, NotFound
from stepwell.ids import new_id
from stepwell.server.access import service as access
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import proposals as t
from stepwell.server.groups import service as groups
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.reviews.comparing import Comparison, Offer
from stepwell.server.reviews.records import Choice, Decision, Proposal, ProposalState
from stepwell.server.services import Services


class ProposalNotFound(NotFound):
    """The group has no proposal of that id."""

    code = "proposal-not-found"


class ProposalOpen(Conflict):
    """The group has a proposal that waits already."""

    code = "proposal-open"


class ProposalEnded(Conflict):
    """The proposal was confirmed or refused."""

    code = "proposal-ended"


class OwnProposal(Denied):
    """Who proposed it cannot confirm it, be it with another token."""

    code = "proposal-own"


def needs_two(conn: Connection, services: Services, group: str) -> bool:
    """Whether two reviewers are needed in this group: its own rule, or else the server's."""
    own = groups.get(conn, group).two_person
    return services.settings.two_person_review if own is None else own


def accepts(meant: Sequence[Decision]) -> bool:
    """Whether decisions would put something in force; only these need a second reviewer."""
    return any(one.decision is Choice.ACCEPT for one in meant)


def make(
    conn: Connection, seen: Comparison, meant: Sequence[Decision], reason: str | None, *, by: str
) -> Proposal:
    """Keep decisions for another reviewer; raises `ProposalOpen`."""
    offer = seen.offer
    _expect_none(conn, offer.group)
    proposal_id = new_id()
    found = offer.discovery
    values = {
        "id": proposal_id,
        "group_name": offer.group,
        "discovery_id": None if found is None else found.id,
        "to_release": offer.to_release,
        "against_release": seen.number or 0,
        "decisions": [one.model_dump(mode="json") for one in meant],
        "reason": reason,
        "state": ProposalState.OPEN,
        "requested_by": by,
        "requested_at": clock.now(),
    }
    conn.execute(insert(t).values(**values))
    told = {one.workflow: one.decision for one in meant}
    made = {"proposal": str(proposal_id), "decisions": told, "against": seen.number}
    audit.record(conn, by, "review.propose", offer.group, reason, after=made)
    return get(conn, offer.group, proposal_id)


def confirmable(conn: Connection, group: str, proposal_id: UUID, *, by: str) -> Proposal:
    """An open proposal that this user may confirm; the caller holds the group.

    Raises
    ------
    ProposalNotFound, ProposalEnded, OwnProposal.
    """
    found = _open(conn, group, proposal_id)
    who = access.person(conn, by)
    if access.person(conn, found.requested_by) == who:
        raise OwnProposal(
            f"{who!r} has proposed this, and cannot confirm it.",
            why="In this group two reviewers are needed; tokens count as who has made them.",
            fix="Ask another reviewer, with an account of their own; you can refuse it "
            "to take it back.",
        )
    return found


def refuse(
    conn: Connection, group: str, proposal_id: UUID, reason: str | None, *, by: str
) -> Proposal:
    """End a proposal; who made it takes it back so. Raises `ProposalEnded`, `ProposalNotFound`."""
    was = _open(conn, group, proposal_id)
    end(conn, proposal_id, ProposalState.REFUSED, reason, by=by)
    details = {"proposal": str(proposal_id)}
    told = {"before": {"state": was.state}, "after": {"state": ProposalState.REFUSED}}
    audit.record(conn, by, "review.refuse", group, reason, details, **told)
    return get(conn, group, proposal_id)


def end(
    conn: Connection,
    proposal_id: UUID,
    state: ProposalState,
    reason: str | None,
    *,
    by: str,
    release: int | None = None,
) -> None:
    """Write the end of a proposal."""
    ended = {"ended_by": by, "ended_at": clock.now(), "ended_reason": reason}
    values: dict[str, Any] = {"state": state, "release": release, **ended}
    conn.execute(update(t).where(t.c.id == proposal_id).values(**values))


def get(conn: Connection, group: str, proposal_id: UUID) -> Proposal:
    """A proposal; raises `ProposalNotFound`."""
    mine = (t.c.id == proposal_id, t.c.group_name == group)
    row = conn.execute(select(t).where(*mine)).mappings().one_or_none()
    if row is None:
        raise ProposalNotFound(
            f"The group {group!r} has no proposal {proposal_id}.",
            fix=f"See `stepwell groups proposals {group}`.",
        )
    return shown(row)


def listed(conn: Connection, group: str, pages: Paging) -> Page[Proposal]:
    """The proposals of a group, newest first; raises `GroupNotFound`."""
    groups.get(conn, group)
    query = select(t).where(t.c.group_name == group)
    return paged(conn, query, pages, by=[t.c.id], make=shown)


def open_of(conn: Connection, group: str, offer: Offer | None = None) -> Proposal | None:
    """The proposal of a group that waits; of one offer only, where given."""
    query = select(t).where(t.c.group_name == group, t.c.state == ProposalState.OPEN)
    row = conn.execute(query).mappings().first()
    found = None if row is None else shown(row)
    if found is None or offer is None:
        return found
    of = (None if offer.discovery is None else offer.discovery.id, offer.to_release)
    return found if (found.discovery_id, found.to_release) == of else None


def shown(row: RowMapping) -> Proposal:
    """A row as it is shown."""
    return Proposal(**row)


def _open(conn: Connection, group: str, proposal_id: UUID) -> Proposal:
    found = get(conn, group, proposal_id)
    if found.state is not ProposalState.OPEN:
        raise ProposalEnded(
            f"The proposal {proposal_id} was {found.state} by {found.ended_by}.",
            fix="Decide again.",
        )
    return found


def _expect_none(conn: Connection, group: str) -> None:
    waits = open_of(conn, group)
    if waits is not None:
        raise ProposalOpen(
            f"A proposal of {waits.requested_by} waits in the group {group!r} already.",
            fix=f"Confirm or refuse it first: `stepwell groups confirm {group}`.",
        )
