"""From a query to rows, so that a page costs the same among a hundred runs or a million.

An index gives the newest rows that some of the clauses ask for; the other clauses are
looked at in these. Where there are others, so many rows are looked at and no more: the
page says how far it came, and its cursor goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, func, select, tuple_, union_all
from sqlalchemy.sql.util import ClauseAdapter

from stepwell.server.database.tables import runs
from stepwell.server.search.meaning import Asker, Meaning, meanings

WINDOW: Final = 10_000
"""So many rows are looked at for one page."""
FAR: Final = 100_000
"""So many are for a count or a histogram."""
MOST: Final = 8
"""So many looks into an index are put together."""

Key: TypeAlias = tuple[datetime, UUID]

INDEXES: Final = (
    ("schedule_id",),
    ("fingerprint",),
    ("workflow", "state"),
    ("group_name", "workflow"),
    ("workflow",),
    ("requested_by",),
    ("state",),
    ("group_name",),
)
"""What rows can be found by, newest first; the one that finds least comes first."""

_TIMES: Final = ("since", "until")


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of a query are found.

    Parameters
    ----------
    times : bounds of the creation; every index has them.
    looks : what is asked of the index, one set of equal columns for each look.
    rest : what is looked at in each row that was found.
    """

    meanings: tuple[Meaning, ...]
    times: tuple[ColumnElement[bool], ...] = ()
    looks: tuple[tuple[ColumnElement[bool], ...], ...] = ((),)
    rest: tuple[ColumnElement[bool], ...] = ()

    def without(self, left_out: Meaning) -> Plan:
        """The plan of the query without one clause."""
        return _planned([one for one in self.meanings if one is not left_out])

    def window(self, most: int, after: Key | None = None, *, oldest_first: bool = False) -> Any:
        """At most `most` rows that the index finds, from `after` on, newest first."""
        looks = [self._look(look, after, oldest_first).limit(most) for look in self.looks]
        if len(looks) == 1:
            return looks[0].subquery("found")
        every = union_all(*(select(one.subquery()) for one in looks)).subquery()
        return select(every).order_by(*order(every, oldest_first)).limit(most).subquery("found")

    def _look(
        self, look: Sequence[ColumnElement[bool]], after: Key | None, oldest_first: bool
    ) -> Select[Any]:
        query = select(runs).where(*self.times, *look)
        if after is not None:
            row = tuple_(runs.c.created_at, runs.c.id)
            key = tuple_(*after, types=[runs.c.created_at.type, runs.c.id.type])
            query = query.where(row > key if oldest_first else row < key)
        return query.order_by(*order(runs, oldest_first))

    def rows(self, window: Subquery) -> Select[Any]:
        """The rows of the window for which the rest holds."""
        inside = ClauseAdapter(window)
        return select(window).where(*(inside.traverse(one) for one in self.rest))


def order(of: Any, oldest_first: bool = False) -> list[ColumnElement[Any]]:
    """By creation, newest first unless said otherwise."""
    key = [of.c.created_at, of.c.id]
    return key if oldest_first else [one.desc() for one in key]


def planned(asker: Asker, query: str, given: Sequence[Meaning] = ()) -> Plan:
    """The plan of a query, and of what was given beside it; raises `QueryInvalid`."""
    return _planned([*given, *meanings(asker, query)])


def _planned(found: Sequence[Meaning]) -> Plan:
    others = [one for one in found if one.clause.key not in _TIMES]
    by, looks = _looks(others)
    rest = [one.rest if one in by else one.condition for one in others]
    return Plan(
        tuple(found),
        tuple(one.condition for one in found if one.clause.key in _TIMES),
        looks,
        tuple(one for one in rest if one is not None),
    )


def _looks(
    found: Sequence[Meaning],
) -> tuple[list[Meaning], tuple[tuple[ColumnElement[bool], ...], ...]]:
    """The clauses that an index answers, and what is asked of it."""
    usable: dict[str, Meaning] = {}
    for one in found:
        if one.equal is not None:
            usable.setdefault(one.equal[0], one)
    if "id" in usable:
        return [usable["id"]], ((usable["id"].condition,),)
    for columns in INDEXES:
        if not usable.keys() >= set(columns):
            continue
        by = [usable[name] for name in columns]
        values = [list(dict.fromkeys(one.equal[1])) for one in by if one.equal]
        looks = tuple(
            tuple(runs.c[name] == value for name, value in zip(columns, row, strict=True))
            for row in product(*values)
        )
        if 0 < len(looks) <= MOST:
            return by, looks
    return [], ((),)


def counted(plan: Plan, window: Subquery, most: int) -> Select[Any]:
    """How many rows of the window there are, counted up to `most`."""
    some = plan.rows(window).with_only_columns(window.c.id).limit(most).subquery()
    return select(func.count()).select_from(some)
