"""Save, share, change and choose views."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import Conflict, Denied, NotFound
from stepwell.ids import new_id
from stepwell.server.access.records import Role, User
from stepwell.server.audit import service as audit
from stepwell.server.search import service as search
from stepwell.server.views import queries
from stepwell.server.views.records import BUILT_IN, RUNS, NewDefault, NewView, View, ViewChange


class ViewNotFound(NotFound):
    """There is no such view, or it is somebody else's own."""

    code = "view-not-found"


class ViewNameTaken(Conflict):
    """The caller has a view of that name on that screen."""

    code = "view-name-taken"


class ViewForeign(Denied):
    """The view is shared by somebody else."""

    code = "view-foreign"


def listed(conn: Connection, user: User, screen: str) -> list[View]:
    """The built-in ones, then the caller's own and those that others share, by name."""
    default = queries.default(conn, user.name, screen)
    chosen = None if default is None else (default["builtin"] or default["view_id"])
    own = [_shown(row, chosen) for row in queries.seen_by(conn, user.name, screen)]
    built = [_built(key, chosen) for key in BUILT_IN] if screen == RUNS else []
    return [*built, *own]


def save(conn: Connection, user: User, new: NewView) -> View:
    """Save a view of the caller's; raises `ViewNameTaken`, `QueryInvalid`."""
    _check(conn, user, new.screen, new.query)
    _expect_free(conn, user, new.screen, new.name)
    now, made = clock.now(), new_id()
    values = new.model_dump()
    queries.add(conn, id=made, owner=user.name, created_at=now, changed_at=now, **values)
    if new.shared:
        audit.record(conn, user.name, "view.share", new.name, after=values)
    return _shown(_seen(conn, user, made), None)


def change(conn: Connection, user: User, view_id: UUID, asked: ViewChange) -> View:
    """Change a view of the caller's; an admin may change what is shared.

    Raises
    ------
    ViewNotFound, ViewForeign, ViewNameTaken, QueryInvalid.
    """
    row = _own(conn, user, view_id)
    values = asked.model_dump(exclude_none=True)
    if asked.query is not None:
        _check(conn, user, row["screen"], asked.query)
    if asked.name not in (None, row["name"]):
        _expect_free(conn, user, row["screen"], str(asked.name))
    queries.change(conn, view_id, changed_at=clock.now(), **values)
    if row["shared"] or asked.shared:
        told = audit.sides(row, values, *values)
        audit.record(conn, user.name, "view.change", row["name"], None, None, **told)
    return _shown(_seen(conn, user, view_id), None)


def remove(conn: Connection, user: User, view_id: UUID) -> None:
    """Remove a view; raises `ViewNotFound`, `ViewForeign`."""
    row = _own(conn, user, view_id)
    queries.remove(conn, view_id)
    if row["shared"]:
        told = audit.sides(row, None, "screen", "query", "owner")
        audit.record(conn, user.name, "view.remove", row["name"], None, None, **told)


def choose(conn: Connection, user: User, asked: NewDefault) -> list[View]:
    """Make a view the caller's default; neither of both is none. Raises `ViewNotFound`."""
    if asked.view_id is not None:
        _seen(conn, user, asked.view_id)
    if asked.builtin is not None and asked.builtin not in BUILT_IN:
        raise _unknown(asked.builtin)
    builtin = asked.builtin if asked.view_id is None else None
    values = {"view_id": asked.view_id, "builtin": builtin}
    queries.set_default(conn, user.name, asked.screen, **values)
    return listed(conn, user, asked.screen)


def _check(conn: Connection, user: User, screen: str, query: str) -> None:
    if screen == RUNS:
        search.check(conn, query, by=user.name)


def _expect_free(conn: Connection, user: User, screen: str, name: str) -> None:
    if queries.named(conn, user.name, screen, name) is not None:
        raise ViewNameTaken(
            f"You have a view {name!r}.", fix="Choose another name, or change that one."
        )


def _seen(conn: Connection, user: User, view_id: UUID) -> RowMapping:
    row = queries.get(conn, view_id)
    if row is None or not (row["shared"] or row["owner"] == user.name):
        raise _unknown(view_id)
    return row


def _own(conn: Connection, user: User, view_id: UUID) -> RowMapping:
    row = _seen(conn, user, view_id)
    if row["owner"] != user.name and not user.role.covers(Role.ADMIN):
        raise ViewForeign(
            f"The view {row['name']!r} is {row['owner']}'s.",
            fix="Save one of your own with the same query, or ask an admin.",
        )
    return row


def _unknown(which: object) -> ViewNotFound:
    return ViewNotFound(f"There is no view {which}.", fix="See `stepwell views list`.")


def _shown(row: RowMapping, chosen: Any) -> View:
    fields = ("id", "screen", "name", "owner", "shared", "query", "columns", "changed_at")
    given = {name: row[name] for name in fields}
    return View(builtin=None, default=row["id"] == chosen, **given)


def _built(key: str, chosen: Any) -> View:
    name, query = BUILT_IN[key]
    return View(
        id=None,
        builtin=key,
        screen=RUNS,
        name=name,
        owner=None,
        shared=True,
        query=query,
        columns=[],
        default=key == chosen,
        changed_at=None,
    )
