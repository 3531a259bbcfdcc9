"""The runs that hold a slot, and the line of those that wait for one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    and_,
    cast,
    func,
    or_,
    select,
    tuple_,
)

from stepwell.server.database.tables import runs
from stepwell.server.runs.queries import HOLDING

Row: TypeAlias = RowMapping | Mapping[str, Any]

PAGE: Final = 100
"""Rows of the line that are read at once."""
_NEEDS: Final = ("group_name", "workflow", "pool")
"""By which columns runs need slots."""
_PLACE: Final = (runs.c.band, runs.c.due_at, runs.c.id)
_IN_LINE: Final = and_(
    runs.c.state == "waiting",
    # A new run is in line before anybody has looked.
    or_(runs.c.waiting_code == "limit", and_(runs.c.waiting_code.is_(None), runs.c.attempt == 0)),
)


def holding(conn: Connection) -> Sequence[RowMapping]:
    """How many runs hold a slot, by group, workflow and pool."""
    names = [runs.c[name] for name in _NEEDS]
    query = select(*names, func.count().label("held")).where(runs.c.state.in_(HOLDING))
    return conn.execute(query.group_by(*names)).mappings().all()


def holders(conn: Connection, kind: str, name: str) -> list[UUID]:
    """The runs that hold a slot of one key, oldest first."""
    query = select(runs.c.id).where(runs.c.state.in_(HOLDING), _needs(kind, name))
    return list(conn.execute(query.order_by(runs.c.created_at)).scalars())


def in_line(conn: Connection) -> Iterator[RowMapping]:
    """The runs that wait for a slot, in order; page by page, for mostly a few are looked at."""
    names = ("id", *_NEEDS, "limits", "band", "due_at")
    page = select(*(runs.c[name] for name in names)).where(_IN_LINE).order_by(*_PLACE).limit(PAGE)
    rows = conn.execute(page).mappings().all()
    while rows:
        yield from rows
        rows = conn.execute(page.where(tuple_(*_PLACE) > _place(rows[-1]))).mappings().all()


def kinds_in_line(conn: Connection) -> list[dict[str, Any]]:
    """What the runs in line need slots of, and declare of it; once each."""
    limits = cast(runs.c.limits, Text)  # PostgreSQL does not compare JSON
    query = select(*(runs.c[name] for name in _NEEDS), limits.label("limits"))
    rows = conn.execute(query.where(_IN_LINE).distinct()).mappings()
    return [{**row, "limits": row["limits"] and json.loads(row["limits"])} for row in rows]


def alike_ahead(conn: Connection, run: Row) -> int:
    """How many runs in line before this one need the same slots, and declare the same of them."""
    limits = cast(runs.c.limits, Text)
    same = [runs.c[name].is_not_distinct_from(run[name]) for name in _NEEDS]
    before = tuple_(*_PLACE) < _place(run)
    query = select(limits, func.count()).where(_IN_LINE, before, *same).group_by(limits)
    return sum(
        count for text, count in conn.execute(query) if (text and json.loads(text)) == run["limits"]
    )


def ahead(conn: Connection, run: Row, kind: str, name: str) -> int:
    """How many runs in line before this one need a slot of one key."""
    before = tuple_(*_PLACE) < _place(run)
    query = select(func.count()).select_from(runs).where(_IN_LINE, before, _needs(kind, name))
    return conn.execute(query).scalar_one()


def _place(run: Row) -> ColumnElement[Any]:
    types = [column.type for column in _PLACE]
    return tuple_(*(run[column.name] for column in _PLACE), types=types)


def _needs(kind: str, name: str) -> ColumnElement[bool]:
    group, _, workflow = name.partition("/")
    of = {
        "pool": runs.c.pool == name,
        "group": runs.c.group_name == name,
        "workflow": and_(runs.c.group_name == group, runs.c.workflow == workflow),
    }
    return of[kind]
