"""Ask for a discovery, take what the image posts, and say how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
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
from stepwell.server.discoveries.output import tail
from stepwell.server.discoveries.records import Discovery, DiscoveryDetail, Fault, State, Trigger
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import QUEUE
from stepwell.step import NewStep, OnConflict, StepQuery, StepStatus, new_step

STEP: Final = "v1/server/discover"
ANNOUNCE: Final = "v1/server/announce-review"
"""The step that tells people about a discovery that waits; its handler is the reviews'."""
REDISCOVER: Final = "v1/server/rediscover"
LOOK: Final = "v1/server/look"
SERVER: Final = "the server"
"""Who asked, in what is noted of such a discovery."""


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
    image = groups.active(conn, group).image
    waiting = queries.waiting(conn, group)
    if waiting is not None:
        return _brief(waiting)
    discovery_id = new_id()
    who = {"trigger": trigger, "requested_by": by, "created_at": clock.now()}
    what = {"group_name": group, "image": image, "state": State.WAITING}
    queries.add(conn, id=discovery_id, **what, **who)
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
    made = {"discovery": discovery_id, "image": image}
    audit.record(conn, by, "discovery.request", group, reason, after=made)
    return get(conn, discovery_id)


def is_open(conn: Connection, group: str) -> bool:
    """Whether a discovery of the group has not ended."""
    return queries.open_one(conn, group) is not None


def on_digest(
    conn: Connection,
    db: Database,
    group: str,
    digest: str,
    *,
    trigger: str,
    by: str = SERVER,
) -> bool:
    """Discover the group unless this digest was looked into last; whether one was asked for.

    One whose discovery failed is not looked into again: it would fail again.
    """
    if is_open(conn, group):
        return False
    known = queries.newest_digest(conn, group)
    if known == digest:
        return False
    reason = f"{known or 'nothing'} -> {digest}"
    request(conn, db, group, trigger=trigger, by=by, reason=reason)
    return True


def arrange(conn: Connection, db: Database, group: Group) -> None:
    """Have the steps of a group do what it says now."""
    client = db.client(conn)
    for name, at in wanted_steps(group, clock.now()).items():
        if at is not None:
            client.add(rediscovery_step(name, group.name, at, OnConflict.REPLACE))
            continue
        query = StepQuery(name=name, unique_key=group.name, status=StepStatus.READY)
        for step in db.steps(conn).search(query):
            client.cancel(step.id, "The group does not want it any more.")


def wanted_steps(group: Group, now: datetime) -> dict[str, datetime | None]:
    """When either step is due; None where there is to be none."""
    if group.archived_at is not None:
        return {REDISCOVER: None, LOOK: None}
    return {REDISCOVER: group.next_discovery_at, LOOK: _next_look(group, now)}


def _next_look(group: Group, now: datetime) -> datetime | None:
    return None if group.watch_every is None else now + timedelta(seconds=group.watch_every)


def rediscovery_step(name: str, group: str, at: datetime, on_conflict: OnConflict) -> NewStep:
    """The step of one kind of a group; there is at most one."""
    return new_step(
        name,
        {"group": group},
        queue=QUEUE,
        unique_key=group,
        search_key=group,
        schedule_time=at,
        on_conflict=on_conflict,
    )


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
    conn: Connection,
    pages: Paging,
    *,
    group: str | None = None,
    state: State | None = None,
    trigger: Trigger | None = None,
    last: bool = False,
) -> Page[Discovery]:
    """Discoveries, newest first, of all groups or of one; raises `GroupNotFound`.

    Parameters
    ----------
    last : of each group only the one that ended last.
    """
    query = queries.listed()
    if group is not None:
        groups.get(conn, group)
        query = query.where(discoveries.c.group_name == group)
    if state is not None:
        query = query.where(discoveries.c.state == state)
    if trigger is not None:
        query = query.where(discoveries.c.trigger == trigger)
    if last:
        query = query.where(queries.IS_LAST)
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
    if _open(conn, discovery_id, lambda row: _same(row["error"], fault)) is not None:
        fail(conn, discovery_id, fault)


def fail(conn: Connection, discovery_id: UUID, fault: Fault) -> None:
    """End the discovery as failed."""
    ended = {"state": State.FAILED, "finished_at": clock.now()}
    queries.change(conn, discovery_id, error=fault.model_dump(), **ended)


def keep_output(conn: Connection, discovery_id: UUID, output: str) -> None:
    """Keep what the image wrote; an error gets the end of it too."""
    row = queries.get(conn, discovery_id)
    values: dict[str, Any] = {"output": output}
    if row is not None and row["error"] is not None:
        values["error"] = {**row["error"], "output": tail(output)}
    queries.change(conn, discovery_id, **values)


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


def _same(error: Mapping[str, Any] | None, fault: Fault) -> bool:
    """Whether it is the error that was posted before, whatever output was added since."""
    return {**(error or {}), "output": ""} == {**fault.model_dump(), "output": ""}


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
