"""What is offered to a reviewer, and how it compares: a discovery, or an earlier release.

Both are the same thing seen from here: rows that a release could have. So a
rollback has the same review, decisions and effects, with the sides reversed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Conflict, NotFound
from stepwell.server.discoveries import service as discoveries
from stepwell.server.discoveries.records import DiscoveryDetail, State
from stepwell.server.groups import service as groups
from stepwell.server.reviews import queries, releases
from stepwell.server.reviews.changes import Difference
from stepwell.server.reviews.diff import compared


class DiscoveryNotUsable(Conflict):
    """The discovery has no manifest, so there is nothing to decide."""

    code = "discovery-not-usable"


class ReleaseNotFound(NotFound):
    """The group has no release of that number."""

    code = "release-not-found"


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be released: rows by workflow, and where they come from.

    Parameters
    ----------
    aliases : new name -> old name, of renames that need not be guessed.
    discovery, earlier : one of them is what the rows come from.
    """

    group: str
    rows: releases.Contents
    aliases: Mapping[str, str] = field(default_factory=dict)
    discovery: DiscoveryDetail | None = None
    earlier: queries.Row | None = None

    @property
    def to_release(self) -> int | None:
        """The number of the release that is to come back."""
        return None if self.earlier is None else self.earlier["number"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An offer beside the current release; `difference` has all changes, unbounded."""

    offer: Offer
    release: queries.Row | None
    current: releases.Contents
    difference: Difference

    @property
    def number(self) -> int | None:
        """The number of the current release."""
        return None if self.release is None else self.release["number"]

    @property
    def before(self) -> dict[str, Any]:
        """The entries in force, by workflow."""
        return {name: row["entry"] for name, row in self.current.items()}

    @property
    def after(self) -> dict[str, Any]:
        """The entries that are offered, by workflow."""
        return {name: row["entry"] for name, row in self.offer.rows.items()}


def discovered(conn: Connection, group: str, discovery_id: UUID) -> Offer:
    """What a discovery offers.

    Raises
    ------
    GroupNotFound, DiscoveryNotFound, DiscoveryNotUsable
    """
    groups.get(conn, group)
    return of_discovery(discoveries.of_group(conn, group, discovery_id))


def of_discovery(found: DiscoveryDetail) -> Offer:
    """The same, of a discovery at hand; raises `DiscoveryNotUsable`."""
    if found.state is not State.SUCCEEDED:
        raise DiscoveryNotUsable(
            f"The discovery {found.id} has no manifest.",
            why=f"It is {found.state}." if found.error is None else found.error.what,
            fix="Wait until it has ended, or discover the group again.",
        )
    manifest = found.manifest or {"workflows": []}
    entries = {entry["name"]: entry for entry in manifest["workflows"]}
    rows = releases.offered(found.id, str(found.digest), entries)
    return Offer(found.group_name, rows, discovery=found)


def earlier(conn: Connection, group: str, number: int) -> Offer:
    """What an earlier release offers: its contents, under the names that they had then.

    Raises
    ------
    GroupNotFound, ReleaseNotFound
    """
    row = numbered(conn, group, number)
    rows = releases.restored(contents(conn, row), queries.renames_after(conn, group, number))
    aliases = {name: one["renamed_from"] for name, one in rows.items() if one["renamed_from"]}
    return Offer(group, rows, aliases, earlier=row)


def against_current(conn: Connection, offer: Offer) -> Comparison:
    """An offer beside the release that is current."""
    release = queries.current(conn, offer.group)
    current = contents(conn, release)
    return Comparison(offer, release, current, between(current, offer.rows, offer.aliases))


def between(
    before: releases.Contents, after: releases.Contents, aliases: Mapping[str, str] | None = None
) -> Difference:
    """What the contents of one release change of those of another."""
    entries = [{name: row["entry"] for name, row in one.items()} for one in (before, after)]
    old, new = ({name: row["digest"] for name, row in one.items()} for one in (before, after))
    return compared(*entries, at=clock.now(), digests=(old, new), aliases=aliases)


def contents(conn: Connection, release: Mapping[Any, Any] | None) -> releases.Contents:
    """The rows of a release, by workflow; none for None."""
    rows = queries.contents(conn, None if release is None else release["id"])
    return {row["workflow"]: {name: row[name] for name in releases.COLUMNS} for row in rows}


def numbered(conn: Connection, group: str, number: int) -> queries.Row:
    """The row of a release; raises `GroupNotFound`, `ReleaseNotFound`."""
    groups.get(conn, group)
    row = queries.numbered(conn, group, number)
    if row is None:
        raise ReleaseNotFound(
            f"The group {group!r} has no release {number}.",
            fix=f"See `stepwell groups releases {group}`.",
        )
    return row
