"""Ask for a discovery, take what the image posts, and say how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Conflict, NotFound, StepwellError
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.database.tables import discoveries
from stepwell.server.discoveries import manifests, queries
from stepwell.server.discoveries.records import Discovery, DiscoveryDetail, Fault, State
from stepwell.server.groups import service as groups
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import QUEUE
from stepwell.step import new_step

STEP: Final = "v1/server/discover"
ANNOUNCE: Final = "v1/server/announce-review"
"""The step that tells people about a discovery that waits; its handler is the reviews'."""
OUTPUT_BYTES: Final = 64 * 1024
"""So much of the end of an image's output is kept."""


class DiscoveryNotFound(NotFound):
    """No discovery has this id."""

    code = "discovery-not-found"


class DiscoveryEnded(Conflict):
    """The discovery has ended; its token is used up."""

    code = "discovery-ended"


def request(
    conn: Connection,
    db: Database,
    group: str,
    *,
    trigger: str,
    by: str,
    reason: str | None = None,
) -> Discovery:
    """Begin a discovery; one that was asked for and has not begun yet serves as well.

    Raises
    ------
    GroupNotFound, GroupArchived
    """
    groups.active(conn, group)
    waiting = queries.waiting(conn, group)
    if waiting is not None:
        return _brief(waiting)
    discovery_id = new_id()
    who = {"trigger": trigger, "requested_by": by, "created_at": clock.now()}
    queries.add(conn, id=discovery_id, group_name=group, state=State.WAITING, **who)
    step = new_step(
        STEP,
        {"discovery_id": str(discovery_id)},
        queue=QUEUE,
        unique_key=str(discovery_id),
        correlation_id=str(discovery_id),
        search_key=group,
        description=f"Discover the group {group}",
    )
    db.client(conn).add(step)
    audit.record(conn, by, "discovery.request", group, reason, {"discovery": str(discovery_id)})
    return get(conn, discovery_id)


def get(conn: Connection, discovery_id: UUID) -> DiscoveryDetail:
    """The discovery with manifest and output; raises `DiscoveryNotFound`."""
    row = queries.get(conn, discovery_id)
    if row is None:
        raise _not_found(discovery_id)
    return DiscoveryDetail(**row)


def of_group(conn: Connection, group: str, discovery_id: UUID) -> DiscoveryDetail:
    """As `get`, and it must be one of this group."""
    found = get(conn, discovery_id)
    if found.group_name != group:
        raise _not_found(discovery_id)
    return found


def latest(conn: Connection, group: str) -> DiscoveryDetail | None:
    """The newest discovery of the group that has a manifest."""
    row = queries.latest(conn, group)
    return None if row is None else DiscoveryDetail(**row)


def listed(
    conn: Connection, pages: Paging, *, group: str | None = None, state: State | None = None
) -> Page[Discovery]:
    """Discoveries, newest first, of all groups or of one; raises `GroupNotFound`."""
    query = queries.listed()
    if group is not None:
        groups.get(conn, group)
        query = query.where(discoveries.c.group_name == group)
    if state is not None:
        query = query.where(discoveries.c.state == state)
    return paged(conn, query, pages, by=[discoveries.c.id], make=_brief)


def accept(conn: Connection, discovery_id: UUID, given: Mapping[str, Any]) -> Fault | None:
    """Take the manifest that the image has posted, or say what is wrong with it.

    A manifest that cannot be used fails the discovery, so the answer is a value
    and no exception: it must be kept. The same manifest again changes nothing.

    Raises
    ------
    DiscoveryEnded, DiscoveryNotFound
    """
    row = _open(conn, discovery_id, lambda row: row["manifest"] == _as_kept(given))
    if row is None:
        return None
    try:
        manifest = manifests.checked(given)
        groups.take_name(conn, row["group_name"], manifest.group.name)
    except StepwellError as error:
        fault = Fault.model_validate(error.as_dict())
        fail(conn, discovery_id, fault)
        return fault
    ended = {"state": State.SUCCEEDED, "finished_at": clock.now()}
    queries.change(conn, discovery_id, manifest=manifest.as_json(), **ended)
    return None


def reject(conn: Connection, discovery_id: UUID, fault: Fault) -> None:
    """Take the error that the image has posted. The same again changes nothing.

    Raises
    ------
    DiscoveryEnded, DiscoveryNotFound
    """
    if _open(conn, discovery_id, lambda row: row["error"] == fault.model_dump()) is not None:
        fail(conn, discovery_id, fault)


def fail(conn: Connection, discovery_id: UUID, fault: Fault) -> None:
    """End the discovery as failed."""
    ended = {"state": State.FAILED, "finished_at": clock.now()}
    queries.change(conn, discovery_id, error=fault.model_dump(), **ended)


def _open(conn: Connection, discovery_id: UUID, same: Any) -> queries.Row | None:
    """The row while the image may post; None when this very thing was posted before."""
    row = queries.lock(conn, discovery_id)
    if row is None:
        raise _not_found(discovery_id)
    if not State(row["state"]).ended:
        return row
    if same(row):
        return None
    raise DiscoveryEnded(
        f"The discovery {discovery_id} has ended as {row['state']}.",
        why="An image posts once.",
        fix=f"Discover the group {row['group_name']!r} again.",
    )


def _as_kept(given: Mapping[str, Any]) -> Any:
    try:
        return manifests.checked(given).as_json()
    except StepwellError:
        return None


def _brief(row: queries.Row) -> Discovery:
    return Discovery(**{name: row[name] for name in Discovery.model_fields})


def _not_found(discovery_id: UUID) -> DiscoveryNotFound:
    return DiscoveryNotFound(
        f"There is no discovery {discovery_id}.", fix="See `stepwell discoveries list NAME`."
    )
