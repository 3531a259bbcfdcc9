"""From a query to rows, so that a page costs the same among a hundred runs or a million.

An index gives the newest rows that some of the clauses ask for; the other clauses are
looked at in these. Where there are others, so many rows are looked at and no more: the
page says how far it came, and its cursor goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, Subquery, func, select, tuple_, union_all
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import iterate

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

    def window(
        self,
        most: int,
        after: Key | None = None,
        *,
        oldest_first: bool = False,
        also: Sequence[str] = (),
        to: Key | None = None,
    ) -> Any:
        """At most `most` rows that the index finds, from `after` on up to `to`, newest first.

        They have what pages are in order of, what the rest looks at, and the columns `also`:
        mostly an index has all of that, and what is not shown is not read.
        """
        columns, bounds = self._columns(also), self._bounds(after, to, oldest_first)
        looks = [
            select(*columns)
            .where(*self.times, *look, *bounds)
            .order_by(*order(runs, oldest_first))
            .limit(most)
            for look in self.looks
        ]
        if len(looks) == 1:
            return looks[0].subquery("found")
        every = union_all(*(select(one.subquery()) for one in looks)).subquery()
        return select(every).order_by(*order(every, oldest_first)).limit(most).subquery("found")

    def _columns(self, also: Sequence[str]) -> list[Column[Any]]:
        seen = {"created_at", "id", *also}
        for condition in self.rest:
            parts: Iterable[Any] = iterate(condition)
            seen |= {one.key for one in parts if getattr(one, "table", None) is runs}
        return [one for one in runs.columns if one.key in seen]

    def _bounds(
        self, after: Key | None, to: Key | None, oldest_first: bool
    ) -> list[ColumnElement[bool]]:
        row, types = tuple_(runs.c.created_at, runs.c.id), [runs.c.created_at.type, runs.c.id.type]
        bounds = []
        if after is not None:
            key = tuple_(*after, types=types)
            bounds.append(row > key if oldest_first else row < key)
        if to is not None:
            key = tuple_(*to, types=types)
            bounds.append(row <= key if oldest_first else row >= key)
        return bounds

    def end(
        self, most: int, after: Key | None = None, *, oldest_first: bool = False
    ) -> Select[Any]:
        """The key of the last row of a window that is full; an index has all that it asks for."""
        window = replace(self, rest=()).window(most, after, oldest_first=oldest_first)
        key = select(window.c.created_at, window.c.id)
        return key.order_by(*order(window, oldest_first)).offset(most - 1).limit(1)

    def fits(self, window: Subquery) -> Select[Any]:
        """The ids of the window for which the rest holds."""
        inside = ClauseAdapter(window)
        return select(window.c.id).where(*(inside.traverse(one) for one in self.rest))

    def rows(self, window: Subquery, most: int, *, oldest_first: bool = False) -> Select[Any]:
        """The first `most` of the runs of the window for which the rest holds, whole."""
        found = self.fits(window).order_by(*order(window, oldest_first)).limit(most).subquery()
        query = select(runs).join(found, found.c.id == runs.c.id)
        return query.order_by(*order(runs, oldest_first))


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
    some = plan.fits(window).limit(most).subquery()
    return select(func.count()).select_from(some)
