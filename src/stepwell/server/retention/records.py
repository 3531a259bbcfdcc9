"""What is kept for some time: a kind of things, for how long, and how the old ones go.

A room says so in its `kept.py`, which has `KINDS`; `stepwell.server.kept` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Select, Table, delete, func, select, tuple_

from stepwell.server.services import Services
from stepwell.server.settings import Settings


class Sweep(Protocol):
    """Removes things of one kind, in a short transaction of its own."""

    def __call__(self, services: Services, before: datetime, limit: int) -> int:
        """Remove at most `limit` that were over before that instant; how many those were.

        Fewer than `limit` means that nothing more is left to remove.
        """


class Count(Protocol):
    """Says what a sweep would remove, and changes nothing."""

    def __call__(self, services: Services, before: datetime, limit: int) -> int:
        """How many there are, counted up to `limit`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Things that are kept for some days after they are over.

    Parameters
    ----------
    name : a plural noun, as in commands and addresses: `reports`.
    what : what goes, and what stays of it, in a sentence.
    days : the settings -> for how many days they are kept where no policy says otherwise;
        None is for ever.
    sweep, count : how they go, and how many would.
    least : a policy may not be shorter, in days.
    """

    name: str
    what: str
    days: Callable[[Settings], int | None]
    sweep: Sweep
    count: Count
    least: int = 1


def of_rows(
    name: str,
    what: str,
    days: Callable[[Settings], int | None],
    table: Table,
    old: Callable[[datetime], ColumnElement[bool]],
    *,
    least: int = 1,
) -> Kind:
    """A kind whose things are rows of one table: those for which `old(before)` holds."""
    key: list[Column[Any]] = list(table.primary_key)

    def found(before: datetime, limit: int) -> Select[Any]:
        return select(*key).where(old(before)).limit(limit)

    def sweep(services: Services, before: datetime, limit: int) -> int:
        gone = delete(table).where(tuple_(*key).in_(found(before, limit)))
        with services.db.write() as conn:
            return conn.execute(gone).rowcount

    def count(services: Services, before: datetime, limit: int) -> int:
        with services.db.read() as conn:
            some = found(before, limit).subquery()
            return conn.execute(select(func.count()).select_from(some)).scalar_one()

    return Kind(name, what, days, sweep, count, least)
