"""Read and write state. A write adds a version; nothing is changed in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from stepwell import clock
from stepwell.codec import JSON, limited
from stepwell.errors import Conflict, InvalidInput, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import state_entries as t
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.state import moving, queries, reading, trying
from stepwell.server.state.records import SCOPE, Author, Edit, Entry, Write

KEPT_VERSIONS: Final = 100
"""So many versions of a key are kept."""
_TRIES: Final = 10

note_reader = reading.note_reader


class StateNotFound(NotFound):
    """Nothing was ever written under this key."""

    code = "state-not-found"


class StateChanged(Conflict):
    """The version that was expected is not the current one (compare-and-swap)."""

    code = "state-changed"


def current(conn: Connection, group: str, scope: str, key: str) -> Entry | None:
    """The value now; None where there is none, or it was deleted or has expired."""
    row = queries.latest(conn, group, scope, key)
    return None if row is None or _absent(row) else shown(row)


def write(conn: Connection, group: str, wanted: Write, author: Author) -> int:
    """Add a version, and return its number.

    Who expects no version writes after whoever was first, also at the same time.

    Raises
    ------
    StateChanged : `expect_version` is not the current one; nothing was written.
    ValueTooLarge : over 256 KiB as JSON (R4).
    """
    check(wanted)
    for _ in range(_TRIES - 1):
        try:
            return _add(conn, group, wanted, author)
        except StateChanged:
            if wanted.expect_version is not None:
                raise
    return _add(conn, group, wanted, author)


def _add(conn: Connection, group: str, wanted: Write, author: Author) -> int:
    before = queries.latest(conn, group, wanted.scope, wanted.key)
    _check(before, wanted)
    version = 1 if before is None else before["version"] + 1
    _insert(conn, group, wanted, author, version)
    queries.forget(conn, group, wanted.scope, wanted.key, version - KEPT_VERSIONS)
    return version


def current_of_trial(
    conn: Connection, group: str, run_id: UUID, scope: str, key: str
) -> Entry | None:
    """The value as a trial finds it: its own, or else the group's."""
    place = trying.reads_from(conn, group, run_id, scope, key)
    return current(conn, place, scope, key)


def write_of_trial(
    conn: Connection, group: str, run_id: UUID, wanted: Write, author: Author
) -> int:
    """As `write`, for the trial alone: the group's value stays."""
    return write(conn, trying.place(run_id), trying.opened(conn, group, run_id, wanted), author)


def keys_of_trial(
    conn: Connection, group: str, run_id: UUID, scope: str, prefix: str, after: str, limit: int
) -> list[str]:
    """As `keys`, for a trial: those of the group, and those that it has written itself."""
    found = keys(conn, group, scope, prefix, after, limit)
    own = keys(conn, trying.place(run_id), scope, prefix, after, limit)
    return sorted({*found, *own})[:limit]


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> int:
    """Give what a workflow and its operations keep their new names (R37); how many versions.

    Parameters
    ----------
    operations : new name -> old name.
    """
    return moving.move(conn, group, old, new, operations)


def check(wanted: Write) -> None:
    """Refuse what is too large or no JSON; raises `ValueTooLarge`, `NotEncodable` (R4)."""
    limited(JSON.encode(wanted.value), f"value of {wanted.key!r}")


def edit(conn: Connection, group: str, scope: str, key: str, wanted: Edit, by: str) -> Entry:
    """A person's write: with the version that they have seen, and a reason for the audit log.

    Raises
    ------
    StateNotFound : a delete where there is nothing.
    """
    before = history_exists(conn, group, scope, key) if wanted.delete else None
    fields = wanted.model_dump(exclude={"reason"})
    write(conn, group, Write(scope=scope, key=key, **fields), Author(name=by))
    action = "state.delete" if wanted.delete else "state.edit"
    details = {"expect_version": wanted.expect_version, "existed": before is not None}
    row = queries.latest(conn, group, scope, key)
    assert row is not None
    audit.record(
        conn,
        by,
        action,
        f"{group}/{scope}/{key}",
        wanted.reason,
        details,
        before={"version": row["version"] - 1},
        after={"version": row["version"]},
    )
    return shown(row)


def history_exists(conn: Connection, group: str, scope: str, key: str) -> Entry:
    """The newest version, deleted or not; raises `StateNotFound`."""
    row = queries.latest(conn, group, scope, key)
    if row is None:
        raise StateNotFound(
            f"Nothing is kept under {scope}/{key} of the group {group!r}.",
            fix="See GET /api/v1/state for what there is.",
        )
    return shown(row)


def listed(
    conn: Connection, pages: Paging, group: str | None, scope: str | None, prefix: str | None
) -> Page[Entry]:
    """The current values, by group, scope and key."""
    now = clock.now()
    query = queries.newest().where(t.c.deleted.is_(False))
    query = query.where(t.c.expires_at.is_(None) | (t.c.expires_at > now))
    own = t.c.group_name.startswith(trying.PREFIX)
    query = query.where(~own if group is None else t.c.group_name == group)
    query = query if scope is None else query.where(t.c.scope == scope)
    query = query if not prefix else query.where(t.c.key.startswith(prefix, autoescape=True))
    by = [t.c.group_name, t.c.scope, t.c.key]
    return paged(conn, query, pages, by=by, make=shown, newest_first=False)


def history(conn: Connection, pages: Paging, group: str, scope: str, key: str) -> Page[Entry]:
    """The versions of one key, newest first; raises `StateNotFound`."""
    history_exists(conn, group, scope, key)
    query = queries.versions(group, scope, key)
    return paged(conn, query, pages, by=[t.c.version], make=shown)


def keys(
    conn: Connection, group: str, scope: str, prefix: str, after: str, limit: int
) -> list[str]:
    """Keys with a value that begin so and come after one, in order."""
    return queries.keys(conn, group, checked_scope(scope), prefix, after, limit)


def keys_made_by(conn: Connection, run_id: UUID, most: int) -> int:
    """How many keys came to be by a run, counted up to `most`."""
    return queries.keys_made_by(conn, run_id, most)


def checked_scope(scope: str) -> str:
    """`scope` itself; raises `InvalidInput` where it has another form."""
    if re.fullmatch(SCOPE, scope) is None or len(scope) > 220:
        raise InvalidInput(
            f"{scope!r} is not a scope.",
            fix="Write group, workflow:<workflow> or operation:<workflow>/<operation>.",
        )
    return scope


def shown(row: Any) -> Entry:
    """A row as it is shown."""
    fields = {k: v for k, v in row.items() if k != "group_name"}
    return Entry(group=row["group_name"], exists=not _absent(row), **fields)


def _absent(row: Any) -> bool:
    expires = row["expires_at"]
    return bool(row["deleted"]) or (expires is not None and expires <= clock.now())


def _check(before: Any, wanted: Write) -> None:
    is_now = 0 if before is None or _absent(before) else before["version"]
    if wanted.expect_version is not None and wanted.expect_version != is_now:
        raise StateChanged(
            f"{wanted.scope}/{wanted.key} is at version {is_now}, not {wanted.expect_version}.",
            why="Somebody else has written it meanwhile." if is_now else "There is no value now.",
            fix="Read it again and decide anew; version 0 means that there is none.",
        )


def _insert(conn: Connection, group: str, wanted: Write, author: Author, version: int) -> None:
    now = clock.now()
    try:
        with conn.begin_nested():
            queries.add(
                conn,
                group_name=group,
                scope=wanted.scope,
                key=wanted.key,
                version=version,
                value=None if wanted.delete else wanted.value,
                deleted=wanted.delete,
                run_id=author.run_id,
                step_id=author.step_id,
                written_by=author.name,
                written_at=now,
                expires_at=None if wanted.ttl is None else now + timedelta(seconds=wanted.ttl),
            )
    except IntegrityError as error:
        raise StateChanged(
            f"{wanted.scope}/{wanted.key} was written by another one at the same time.",
            fix="Read it again and decide anew.",
        ) from error


def written_between(
    conn: Connection, group: str, since: datetime, until: datetime, limit: int = 100
) -> list[Entry]:
    """The keys of a group that were written in a span, each with its newest version of then."""
    query = queries.written_between(group, since, until, limit)
    return [shown(row) for row in conn.execute(query).mappings()]
