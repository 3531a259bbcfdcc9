"""Tokens that reach some groups only: what a request is about, and whether they reach it.

Closed unless proved open. A route is open to such a token if all that it names - groups
in its path, things known by an id, or the `group` by which a list is filtered - belongs
to the token's groups. A route that names none of these is closed to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from fastapi.dependencies.models import Dependant
from sqlalchemy import Connection, Table, select
from starlette.requests import Request

from stepwell.server.access.records import User
from stepwell.server.access.service import OutOfGroups
from stepwell.server.database.tables import discoveries, reports, runs, schedules
from stepwell.server.described import PREFIX

THINGS: Final[Mapping[str, Table]] = {
    "run_id": runs,
    "schedule_id": schedules,
    "discovery_id": discoveries,
    "report_id": reports,
}
"""Parameters of paths that are ids of things that belong to a group."""

OTHERS: Final[Mapping[str, tuple[str, Table]]] = {
    "/reports/{report_id}/comparison": ("other", reports),
}
"""Routes by whose query a second thing is named: the parameter, and what it is the id of."""

INSIDE: Final = frozenset({"workflow", "number", "operation", "scope", "key", "version"})
"""Parameters of paths that only say what is meant inside of a group or thing."""


def check(conn: Connection, user: User, request: Request) -> None:
    """Raise `OutOfGroups` unless the caller's token reaches all that the request names.

    Whether a thing exists at all makes no difference to the answer.
    """
    if user.groups is None:
        return
    named = list(_named(conn, request))
    if not named or not set(named) <= set(user.groups):
        raise OutOfGroups(
            f"The token of {user.name!r} reaches the groups {', '.join(user.groups)} only.",
            why="This request is not about them alone.",
            fix="Name one of them (lists take ?group=), or use a token without that limit.",
        )


def _named(conn: Connection, request: Request) -> Iterator[str | None]:
    """Every group that the request names; None for what belongs to no group that is known."""
    path = request.scope["route"].path_format
    for name, value in request.path_params.items():
        if name == "group" or f"/groups/{{{name}}}" in path:
            yield str(value)
        elif name in THINGS:
            yield _group_of(conn, THINGS[name], value)
        elif name not in INSIDE:
            yield None
    other, table = OTHERS.get(path.removeprefix(PREFIX), ("", None))
    if table is not None:
        for value in request.query_params.getlist(other):
            yield _group_of(conn, table, value)
    group = request.query_params.get("group")
    if group is not None and request.method == "GET" and _filters(request):
        yield from request.query_params.getlist("group")


def _filters(request: Request) -> bool:
    """Whether the route looks at `group` at all: what it ignores narrows nothing."""
    return "group" in _asked(request.scope["route"].dependant)


def _asked(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_asked(one) for one in dependant.dependencies))


def _group_of(conn: Connection, table: Table, value: Any) -> str | None:
    try:
        wanted = UUID(str(value))
    except ValueError:
        return None
    return conn.execute(select(table.c.group_name).where(table.c.id == wanted)).scalar()
