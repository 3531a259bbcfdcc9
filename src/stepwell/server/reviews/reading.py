"""The review of an offer, and the list of what waits for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from stepwell import clock
from stepwell.server.discoveries import service as discoveries
from stepwell.server.groups import service as groups
from stepwell.server.reviews import live, proposals, queries, remarks, risks, surroundings
from stepwell.server.reviews.changes import Change, Standing, WorkflowChanges
from stepwell.server.reviews.comparing import Comparison, Offer, against_current, of_discovery
from stepwell.server.reviews.diff import bounded
from stepwell.server.reviews.effects import effects
from stepwell.server.reviews.records import (
    Brief,
    Choice,
    Decided,
    Kind,
    Review,
    Risk,
    Waiting,
    WorkflowReview,
)
from stepwell.server.services import Services


def review(conn: Connection, services: Services, offer: Offer) -> Review:
    """An offer compared with the current release, joined to what lives."""
    seen = against_current(conn, offer)
    decided = decisions_of(conn, offer)
    shown = bounded(seen.difference)
    now = clock.now()
    lives = live.of_group(conn, services.db, offer.group)
    around = _surroundings(conn, seen)
    return Review(
        **brief(conn, seen, decided).model_dump(),
        group_changes=around,
        workflows=[_reviewed(one, decided) for one in shown.workflows],
        effects=effects(seen.difference, seen.after, lives, now),
        risks=_risks(conn, seen, lives.runs, around, now),
        two_person=proposals.needs_two(conn, services, offer.group),
        proposal=proposals.open_of(conn, offer.group, offer),
        comments=remarks.count(conn, offer),
        verdict=_verdict(seen, decided),
        unavailable=[*lives.unavailable, *_unavailable(seen, around)],
        notice=shown.notice,
    )


def waiting(conn: Connection, *, decided: bool = False) -> list[Waiting]:
    """Every group whose newest discovery waits for a decision, by name; or does not any more."""
    found = []
    for group in queries.reviewable(conn):
        newest = discoveries.latest(conn, group)
        if newest is None:
            continue
        seen = against_current(conn, of_discovery(newest))
        told = brief(conn, seen, decisions_of(conn, seen.offer))
        if bool(told.pending) is not decided:
            found.append(_waiting(conn, seen, told))
    return found


def brief(conn: Connection, seen: Comparison, decided: Mapping[str, Decided]) -> Brief:
    """What is offered, in short."""
    offer, found = seen.offer, seen.offer.discovery
    if found is not None:
        at, by, digest = found.finished_at or found.created_at, found.trigger, found.digest
    else:
        assert offer.earlier is not None
        at, by, digest = offer.earlier["created_at"], offer.earlier["created_by"], None
    return Brief(
        kind=Kind.ROLLBACK if found is None else Kind.DISCOVERY,
        group=offer.group,
        discovery_id=None if found is None else found.id,
        to_release=offer.to_release,
        found_at=at,
        found_by=by,
        image=groups.get(conn, offer.group).image,
        release=seen.number,
        digest=digest,
        replaces=sorted({row["digest"] for row in seen.current.values()}),
        pending=pending(seen.difference.workflows, decided),
        held=_held(seen.difference.workflows, decided),
        counts=seen.difference.counts,
    )


def decisions_of(conn: Connection, offer: Offer) -> dict[str, Decided]:
    """The last decision about each workflow of this digest; none for an earlier release."""
    if offer.discovery is None:
        return {}
    rows = queries.decided(conn, offer.group, str(offer.discovery.digest))
    return {name: Decided(**row) for name, row in rows.items()}


def pending(workflows: tuple[WorkflowChanges, ...], decided: Mapping[str, Decided]) -> list[str]:
    """What differs and is not decided: a rejected digest is not offered again, nor one that
    is held, before the hold has ended."""
    now = clock.now()
    return [
        one.workflow
        for one in workflows
        if one.standing is not Standing.SAME and not _settled(decided.get(one.workflow), now)
    ]


def _held(workflows: tuple[WorkflowChanges, ...], decided: Mapping[str, Decided]) -> list[str]:
    """What differs and is held: until an instant to come, or until it is decided."""
    now = clock.now()
    differing = {one.workflow for one in workflows if one.standing is not Standing.SAME}
    return sorted(
        name
        for name, one in decided.items()
        if name in differing
        and one.decision is Choice.HOLD
        and (one.hold_until is None or one.hold_until > now)
    )


def _settled(one: Decided | None, now: datetime) -> bool:
    if one is None:
        return False
    held = one.decision is Choice.HOLD and one.hold_until is not None and one.hold_until > now
    return held or one.decision is Choice.REJECT


def _waiting(conn: Connection, seen: Comparison, told: Brief) -> Waiting:
    runs = queries.unfinished_runs(conn, told.group)
    found = _risks(conn, seen, runs, _surroundings(conn, seen), clock.now())
    proposal = proposals.open_of(conn, told.group, seen.offer)
    return Waiting(
        **told.model_dump(),
        risks=sorted({one.code for one in found}),
        proposal_id=None if proposal is None else proposal.id,
    )


def _reviewed(one: WorkflowChanges, decided: Mapping[str, Decided]) -> WorkflowReview:
    return WorkflowReview(**one.model_dump(), decided=decided.get(one.workflow))


def _surroundings(conn: Connection, seen: Comparison) -> list[Change]:
    """What changes beside the workflows."""
    newest = max((row["discovery_id"] for row in seen.current.values()), default=None)
    before = None if newest is None else discoveries.get(conn, newest).manifest
    found = seen.offer.discovery
    after = None if found is None else found.manifest
    heads = surroundings.head(before), surroundings.head(after)
    now = queries.snapshot(conn, seen.offer.group)
    return [
        *surroundings.about_changes(*heads),
        *surroundings.image_changes(seen.release, now),
    ]


def _risks(
    conn: Connection, seen: Comparison, runs: Any, around: list[Change], now: datetime
) -> list[Risk]:
    group = groups.get(conn, seen.offer.group)
    released = None if seen.release is None else seen.release["image"]
    digests = [row["digest"] for row in seen.offer.rows.values()]
    found = risks.of_digests(
        digests,
        image=group.image,
        released=None if group.launcher == "process" or seen.offer.earlier else released,
        replaced=[row["digest"] for row in seen.current.values()],
    )
    of_workflows = risks.risks(seen.difference, seen.before, seen.after, runs, now)
    return [*found, *risks.of_group(around), *of_workflows]


def _verdict(seen: Comparison, decided: Mapping[str, Decided]) -> str | None:
    """What was said of this digest before, where none of it is offered any more."""
    differing = {
        one.workflow for one in seen.difference.workflows if one.standing is not Standing.SAME
    }
    rejected = [
        one for name, one in decided.items() if name in differing and one.decision is Choice.REJECT
    ]
    if not rejected:
        return None
    last = max(rejected, key=lambda one: one.decided_at)
    names = ", ".join(sorted(one.workflow for one in rejected))
    because = f": {last.reason}" if last.reason else ""
    return (
        f"This digest was rejected by {last.decided_by} on {last.decided_at:%Y-%m-%d %H:%M} UTC "
        f"({names}){because.rstrip('.')}. It is not offered again until it changes."
    )


def _unavailable(seen: Comparison, around: list[Change]) -> Iterator[str]:
    yield from (change.sentence for change in around if change.unavailable)
    for workflow in seen.difference.workflows:
        for change in workflow.changes:
            if change.unavailable:
                yield f"{workflow.workflow}: {change.sentence}"
