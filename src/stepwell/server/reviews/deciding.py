"""Decisions become a release: all or none, by one reviewer or by two (R37)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Conflict, InvalidInput
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import service as groups
from stepwell.server.reviews import announcing, publishing, queries, releases
from stepwell.server.reviews.comparing import Comparison, Offer, against_current
from stepwell.server.reviews.records import (
    Applied,
    Choice,
    Decision,
    Decisions,
    Proposal,
    Release,
)
from stepwell.server.services import Services


class ReleaseMoved(Conflict):
    """Another release has become current since the reviewer looked."""

    code = "release-moved"


class HoldInvalid(InvalidInput):
    """A hold that ends in the past, or an end for what is no hold."""

    code = "hold-invalid"


def prepared(conn: Connection, offer: Offer, asked: Decisions) -> tuple[Comparison, list[Decision]]:
    """What is compared now, and every decision that is meant; nothing is written.

    Raises
    ------
    ReleaseMoved : the reviewer compared with another release.
    WorkflowUnknown, DecisionRepeated, RenameInvalid.
    """
    seen = against_current(conn, offer)
    _check_release(seen.number, asked.against_release)
    meant = releases.completed(asked.decisions, asked.rest, seen.difference)
    releases.applied(seen.current, offer.rows, meant)
    return seen, meant


def apply(
    conn: Connection,
    services: Services,
    seen: Comparison,
    meant: Sequence[Decision],
    reason: str | None,
    *,
    by: str,
    confirmed_by: str | None = None,
) -> Applied:
    """Write the decisions, and the release that they make if anything differs."""
    offer = seen.offer
    following = releases.applied(seen.current, offer.rows, meant)
    _check_kept(conn, services, offer, meant)
    _record(conn, services, seen, following, meant, reason, by)
    changed = releases.differ(seen.current, following)
    if changed:
        found = offer.discovery
        source = {"discovery_id": found.id} if found else {"rollback_of": offer.to_release}
        who = {"reason": reason, "created_by": by, "confirmed_by": confirmed_by}
        publishing.publish(conn, services, offer.group, following, **source, **who)
    if changed and offer.earlier is not None:
        _undo(conn, seen, meant, reason, by)
    return _applied(conn, offer.group, meant, following, changed)


def unchanged(conn: Connection, seen: Comparison, made: Proposal) -> Applied:
    """Nothing is in force yet: it waits for another reviewer."""
    nothing = _applied(conn, seen.offer.group, [], seen.current, False)
    return nothing.model_copy(update={"proposal": made})


def told_confirmed(
    conn: Connection, made: Proposal, number: int | None, reason: str | None, *, by: str
) -> None:
    """The audit log says who confirmed what."""
    details = {"proposal": str(made.id), "requested_by": made.requested_by}
    told: audit.Sides = {
        "before": {"state": made.state},
        "after": {"state": "confirmed", "release": number},
    }
    audit.record(conn, by, "review.confirm", made.group_name, reason, details, **told)


def _applied(
    conn: Connection,
    group: str,
    meant: Sequence[Decision],
    following: Mapping[str, Any],
    changed: bool,
) -> Applied:
    accepted = sorted(one.workflow for one in meant if one.decision is Choice.ACCEPT)
    now = queries.current(conn, group)
    return Applied(
        release=None if now is None else Release(**now),
        changed=changed,
        accepted=accepted,
        removed=[name for name in accepted if name not in following],
        kept=sorted(set(following) - set(accepted)),
    )


def _record(
    conn: Connection,
    services: Services,
    seen: Comparison,
    following: Mapping[str, Any],
    meant: Sequence[Decision],
    reason: str | None,
    by: str,
) -> None:
    offer, told = seen.offer, {one.workflow: one.decision for one in meant}
    changes = {"before": _digests(seen.current), "after": _digests(following)}
    if offer.discovery is None:
        sides = {"to_release": offer.to_release, "from_release": seen.number, "decisions": told}
        audit.record(conn, by, "release.rollback", offer.group, reason, sides, **changes)
        return
    found = offer.discovery
    queries.decide(conn, [_row(one, found.id, reason, by) for one in meant])
    source = {"discovery": str(found.id), "digest": found.digest}
    details: dict[str, Any] = {**source, "decisions": told}
    audit.record(conn, by, "review.decide", offer.group, reason, details, **changes)
    for until in sorted({one.until for one in meant if one.until is not None}):
        announcing.remind(conn, services.db, offer.group, found.id, until)


def _digests(workflows: Mapping[str, Any]) -> dict[str, str]:
    """Workflow -> the digest that it runs by."""
    return {name: row["digest"] for name, row in workflows.items()}


def _row(one: Decision, discovery_id: Any, reason: str | None, by: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "discovery_id": discovery_id,
        "workflow": one.workflow,
        "decision": one.decision,
        "renamed_from": one.renamed_from,
        "hold_until": one.until,
        "reason": one.reason or reason,
        "decided_by": by,
        "decided_at": clock.now(),
    }


def _undo(
    conn: Connection,
    seen: Comparison,
    meant: Sequence[Decision],
    reason: str | None,
    by: str,
) -> None:
    """What was rolled back is not offered again until its digest changes (decision 0041)."""
    newest = discoveries.latest(conn, seen.offer.group)
    in_force = {row["discovery_id"] for row in seen.current.values()}
    in_force.add(None if seen.release is None else seen.release["discovery_id"])
    if newest is None or newest.id not in in_force:
        return
    because = f"Rolled back to release {seen.offer.to_release}"
    told = f"{because}: {reason}" if reason else f"{because}."
    undone = [
        Decision(workflow=one.renamed_from or one.workflow, decision=Choice.REJECT)
        for one in meant
        if one.decision is Choice.ACCEPT
    ]
    queries.decide(conn, [_row(one, newest.id, told, by) for one in undone])


def _check_kept(
    conn: Connection, services: Services, offer: Offer, meant: Sequence[Decision]
) -> None:
    """A release that comes back needs its images; raises `ImageUnusable`."""
    group = groups.get(conn, offer.group)
    if offer.earlier is None or group.launcher not in services.launchers:
        return
    launcher = services.launcher(group.launcher)
    back = {one.workflow for one in meant if one.decision is Choice.ACCEPT} & offer.rows.keys()
    for digest in {offer.rows[name]["digest"] for name in back}:
        launcher.locate(group.image, digest)


def _check_release(number: int | None, expected: int | None) -> None:
    if expected is not None and expected != (number or 0):
        raise ReleaseMoved(
            f"You compared with release {expected}; release {number} is current.",
            why="Somebody else has decided in the meantime.",
            fix="Look at the difference again, then decide.",
        )


def check_hold(one: Decision) -> None:
    """A hold that ends, ends later; raises `HoldInvalid`."""
    if one.until is None:
        return
    if one.decision is not Choice.HOLD:
        raise HoldInvalid(
            f"The decision about {one.workflow!r} has an end, and is no hold.",
            fix="Leave `until` out.",
        )
    if one.until <= clock.now():
        raise HoldInvalid(
            f"The hold of {one.workflow!r} would have ended at {one.until.isoformat()}.",
            fix="Give a later instant, or none to hold it until it is decided.",
        )
