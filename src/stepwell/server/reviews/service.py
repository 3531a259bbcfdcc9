"""Compare a discovery with the current release, decide, roll back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Conflict, NotFound
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import releases as release_table
from stepwell.server.discoveries import service as discoveries
from stepwell.server.discoveries.records import DiscoveryDetail, State
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.reviews import queries, releases
from stepwell.server.reviews.changes import Difference, Standing
from stepwell.server.reviews.diff import compare
from stepwell.server.reviews.effects import effects, risks
from stepwell.server.reviews.records import (
    Applied,
    Choice,
    Decided,
    Decision,
    Decisions,
    Release,
    ReleaseDetail,
    ReleasedWorkflow,
    Review,
    Rollback,
    Waiting,
    WorkflowReview,
)
from stepwell.server.schedules import service as schedules
from stepwell.server.services import Services


class DiscoveryNotUsable(Conflict):
    """The discovery has no manifest, so there is nothing to decide."""

    code = "discovery-not-usable"


class ReleaseMoved(Conflict):
    """Another release has become current since the reviewer looked."""

    code = "release-moved"


class ReleaseNotFound(NotFound):
    """The group has no release of that number."""

    code = "release-not-found"


def review(conn: Connection, group: str, discovery_id: UUID) -> Review:
    """The difference between a discovery and the current release, joined to what lives.

    Raises
    ------
    GroupNotFound, DiscoveryNotFound, DiscoveryNotUsable
    """
    groups.get(conn, group)
    found = _usable(discoveries.of_group(conn, group, discovery_id))
    release = queries.current(conn, group)
    current, entries = _contents(conn, release), _entries(found)
    difference = _difference(current, found)
    decided = _decided(conn, found)
    before = {name: row["entry"] for name, row in current.items()}
    due, runs = queries.active_schedules(conn, group), queries.unfinished_runs(conn, group)
    number = None if release is None else release["number"]
    return Review(
        **_brief(found, number, difference, decided),
        workflows=[_reviewed(one, decided) for one in difference.workflows],
        effects=effects(difference, entries, due, runs, number),
        risks=risks(difference, before, entries, runs, clock.now()),
        notice=difference.notice,
    )


def waiting(conn: Connection) -> list[Waiting]:
    """Every group whose newest discovery waits for a decision, by name."""
    found = []
    for group in queries.reviewable(conn):
        newest = discoveries.latest(conn, group)
        if newest is None:
            continue
        release = queries.current(conn, group)
        difference = _difference(_contents(conn, release), newest)
        number = None if release is None else release["number"]
        brief = Waiting(**_brief(newest, number, difference, _decided(conn, newest)))
        found += [brief] if brief.pending else []
    return found


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

    Raises
    ------
    ReleaseMoved : the reviewer compared with another release.
    WorkflowUnknown, DecisionRepeated, RenameInvalid, DiscoveryNotUsable, DiscoveryNotFound,
    GroupNotFound, GroupArchived.
    """
    groups.active(conn, group)
    found = _usable(discoveries.of_group(conn, group, discovery_id))
    release = queries.current(conn, group)
    _check_release(release, asked.against_release)
    current = _contents(conn, release)
    meant = releases.completed(asked.decisions, asked.rest, _difference(current, found))
    source = releases.Found(found.id, str(found.digest), _entries(found))
    following = releases.applied(current, source, meant)
    _record(conn, found, meant, asked.reason, by)
    changed = releases.differ(current, following)
    if changed:
        who = {"discovery_id": found.id, "reason": asked.reason, "created_by": by}
        _publish(conn, services, group, following, **who)
    accepted = sorted(one.workflow for one in meant if one.decision is Choice.ACCEPT)
    now = queries.current(conn, group)
    return Applied(
        release=None if now is None else Release(**now),
        changed=changed,
        accepted=accepted,
        kept=sorted(set(following) - set(accepted)),
    )


def roll_back(
    conn: Connection, services: Services, group: str, asked: Rollback, *, by: str
) -> Release:
    """A new release with the contents of an earlier one; raises `ReleaseNotFound`."""
    active = groups.active(conn, group)
    earlier = _release(conn, group, asked.to_release)
    renames = queries.renames_after(conn, group, asked.to_release)
    contents = releases.restored(_contents(conn, earlier), renames)
    if active.launcher in services.launchers:
        launcher = services.launcher(active.launcher)
        for digest in {row["digest"] for row in contents.values()}:
            launcher.locate(active.image, digest)
    who = {"rollback_of": asked.to_release, "reason": asked.reason, "created_by": by}
    _publish(conn, services, group, contents, **who)
    made = Release(**(queries.current(conn, group) or {}))
    details = {"to_release": asked.to_release, "release": made.number}
    audit.record(conn, by, "release.rollback", group, asked.reason, details)
    return made


def archive(
    conn: Connection, services: Services, group: str, reason: str | None, *, by: str
) -> Group:
    """Take a group out of use: an empty release, so that no schedule of it is due any more.

    Runs in flight end as they were started. Doing it again changes nothing.
    """
    if groups.get(conn, group).archived_at is None:
        groups.active(conn, group)
        if queries.current(conn, group) is not None:
            _publish(conn, services, group, {}, reason=reason, created_by=by)
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
        roll_back(conn, services, group, Rollback(to_release=last, reason=reason), by=by)
    return groups.get(conn, group)


def listed(conn: Connection, group: str, pages: Paging) -> Page[Release]:
    """The releases of a group, newest first; raises `GroupNotFound`."""
    groups.get(conn, group)
    query, by = queries.listed(group), [release_table.c.number]
    return paged(conn, query, pages, by=by, make=lambda row: Release(**row))


def release(conn: Connection, group: str, number: int) -> ReleaseDetail:
    """One release with its workflows; raises `ReleaseNotFound`."""
    row = _release(conn, group, number)
    found = [ReleasedWorkflow(**one) for one in queries.contents(conn, row["id"])]
    return ReleaseDetail(**row, workflows=found)


def between(conn: Connection, group: str, number: int, against: int) -> Difference:
    """What release `number` changed of release `against`; raises `ReleaseNotFound`."""
    old = _contents(conn, _release(conn, group, against))
    new = _contents(conn, _release(conn, group, number))
    before, after = ({name: row["entry"] for name, row in one.items()} for one in (old, new))
    return compare(before, after, at=clock.now())


def _publish(
    conn: Connection,
    services: Services,
    group: str,
    contents: releases.Contents,
    **values: Any,
) -> None:
    """Insert a release, make it current, and let the schedules follow it (R31)."""
    number = queries.next_number(conn, group)
    head = {"group_name": group, "number": number, "created_at": clock.now()}
    release_id = new_id()
    queries.add(conn, {"id": release_id, **head, **values}, contents.values())
    schedules.sync_with_release(conn, services.db, release_id, values["created_by"])


def _record(
    conn: Connection,
    found: DiscoveryDetail,
    meant: Sequence[Decision],
    reason: str | None,
    by: str,
) -> None:
    rows = [
        {
            "id": new_id(),
            "discovery_id": found.id,
            "decided_by": by,
            "decided_at": clock.now(),
            **one.model_dump(),
            "reason": one.reason or reason,
        }
        for one in meant
    ]
    queries.decide(conn, rows)
    told = {one.workflow: one.decision for one in meant}
    details = {"discovery": str(found.id), "digest": found.digest, "decisions": told}
    audit.record(conn, by, "review.decide", found.group_name, reason, details)


def _difference(current: releases.Contents, found: DiscoveryDetail) -> Difference:
    before = {name: row["entry"] for name, row in current.items()}
    digests = {name: row["digest"] for name, row in current.items()}
    pair = (digests, str(found.digest))
    return compare(before, _entries(found), at=clock.now(), digests=pair)


def _brief(
    found: DiscoveryDetail,
    release: int | None,
    difference: Difference,
    decided: Mapping[str, Decided],
) -> dict[str, Any]:
    return {
        "group": found.group_name,
        "discovery_id": found.id,
        "found_at": found.finished_at,
        "release": release,
        "digest": found.digest,
        "pending": _pending(difference, decided),
        "counts": difference.counts,
    }


def _pending(difference: Difference, decided: Mapping[str, Decided]) -> list[str]:
    """What differs and was not rejected: a rejected digest is not offered again."""
    return [
        one.workflow
        for one in difference.workflows
        if one.standing is not Standing.SAME
        and not (one.workflow in decided and decided[one.workflow].decision is Choice.REJECT)
    ]


def _reviewed(one: Any, decided: Mapping[str, Decided]) -> WorkflowReview:
    return WorkflowReview(**one.model_dump(), decided=decided.get(one.workflow))


def _decided(conn: Connection, found: DiscoveryDetail) -> dict[str, Decided]:
    rows = queries.decided(conn, found.group_name, str(found.digest))
    return {name: Decided(**row) for name, row in rows.items()}


def _contents(conn: Connection, release: Mapping[Any, Any] | None) -> releases.Contents:
    rows = queries.contents(conn, None if release is None else release["id"])
    kept = ("workflow", "discovery_id", "digest", "entry", "renamed_from")
    return {row["workflow"]: {name: row[name] for name in kept} for row in rows}


def _entries(found: DiscoveryDetail) -> dict[str, dict[str, Any]]:
    manifest = found.manifest or {"workflows": []}
    return {entry["name"]: entry for entry in manifest["workflows"]}


def _release(conn: Connection, group: str, number: int) -> queries.Row:
    groups.get(conn, group)
    row = queries.numbered(conn, group, number)
    if row is None:
        raise ReleaseNotFound(
            f"The group {group!r} has no release {number}.",
            fix=f"See `stepwell groups releases {group}`.",
        )
    return row


def _usable(found: DiscoveryDetail) -> DiscoveryDetail:
    if found.state is State.SUCCEEDED:
        return found
    raise DiscoveryNotUsable(
        f"The discovery {found.id} has no manifest.",
        why=f"It is {found.state}." if found.error is None else found.error.what,
        fix="Wait until it has ended, or discover the group again.",
    )


def _check_release(release: queries.Row | None, expected: int | None) -> None:
    number = 0 if release is None else release["number"]
    if expected is not None and expected != number:
        raise ReleaseMoved(
            f"You compared with release {expected}; release {number} is current.",
            why="Somebody else has decided in the meantime.",
            fix="Look at the difference again, then decide.",
        )
