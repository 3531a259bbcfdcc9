"""What people do with state beside a plain edit: look back, restore, import."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.server.audit import service as audit
from stepwell.server.differences import differences
from stepwell.server.state import queries, service
from stepwell.server.state.records import (
    Author,
    Edit,
    Entry,
    Imported,
    ImportResult,
    StateChange,
    StateImport,
    StateRestore,
    Write,
)
from stepwell.server.state.service import StateChanged, StateNotFound


def change(
    conn: Connection, group: str, scope: str, key: str, version: int | None, other: int | None
) -> StateChange:
    """How a version, by default the newest, differs from another, by default the one before.

    Raises
    ------
    StateNotFound : no such key, or a version that is not kept.
    """
    newest = service.history_exists(conn, group, scope, key).version
    now = _version(conn, group, scope, key, version or newest)
    if other is None:
        then = queries.below(conn, group, scope, key, now["version"])
    else:
        then = _version(conn, group, scope, key, other)
    changes, truncated = differences(None if then is None else then["value"], now["value"])
    number = 0 if then is None else then["version"]
    return StateChange(version=now["version"], other=number, changes=changes, truncated=truncated)


def restore(
    conn: Connection, group: str, scope: str, key: str, wanted: StateRestore, by: str
) -> Entry:
    """Write the value of an earlier version again.

    Raises
    ------
    StateNotFound : the version is not kept, or it is a deletion.
    StateChanged : `expect_version` is not the current one.
    """
    row = _version(conn, group, scope, key, wanted.version)
    if row["deleted"]:
        raise StateNotFound(
            f"Version {wanted.version} of {scope}/{key} is a deletion.",
            fix="StateRestore an earlier version, or delete the value.",
        )
    edit = Edit(
        value=row["value"],
        expect_version=wanted.expect_version,
        ttl=wanted.ttl,
        reason=f"Restored version {wanted.version}: {wanted.reason}"[:1000],
    )
    return service.edit(conn, group, scope, key, edit, by)


def import_entries(conn: Connection, group: str, asked: StateImport, by: str) -> ImportResult:
    """Write entries of another place, all of them or none.

    Raises
    ------
    StateChanged : a key has a value, with `on_conflict` "error".
    ValueTooLarge : over 256 KiB as JSON (R4).
    """
    written = sum(_imported(conn, group, one, asked.on_conflict, by) for one in asked.entries)
    left = len(asked.entries) - written
    details = {"written": written, "left": left, "on_conflict": asked.on_conflict}
    audit.record(conn, by, "state.import", group, asked.reason, details)
    return ImportResult(written=written, left=left)


def _imported(conn: Connection, group: str, one: Imported, on_conflict: str, by: str) -> bool:
    left = None if one.expires_at is None else (one.expires_at - clock.now()).total_seconds()
    if left is not None and left <= 0:
        return False
    if service.current(conn, group, one.scope, one.key) is not None and on_conflict != "replace":
        if on_conflict == "keep":
            return False
        raise StateChanged(
            f"{one.scope}/{one.key} has a value already.",
            fix="Choose to keep or to replace what there is; nothing was written.",
        )
    new = Write(scope=one.scope, key=one.key, value=one.value, ttl=left)
    service.write(conn, group, new, Author(name=by))
    return True


def _version(conn: Connection, group: str, scope: str, key: str, number: int) -> RowMapping:
    row = queries.version(conn, group, scope, key, number)
    if row is None:
        raise StateNotFound(
            f"Version {number} of {scope}/{key} is not kept.",
            why=f"The last {service.KEPT_VERSIONS} versions of a key are.",
            fix="See its history for what there is.",
        )
    return row
