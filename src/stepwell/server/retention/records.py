"""What is kept for some time: a kind of things, for how long, and how the old ones go.

A room says so in its `kept.py`, which has `KINDS`; `stepwell.server.kept` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
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
    aside : the sweep is part of another one, so it has no step of its own.
    """

    name: str
    what: str
    days: Callable[[Settings], int | None]
    sweep: Sweep
    count: Count
    least: int = 1
    aside: bool = False


class Policy(BaseModel):
    """For how long a kind is kept. `days` null is for ever; instants are UTC.

    `default_days` is what the settings say; `changed_by`, `changed_at` and `reason` are
    null where nobody has decided otherwise. It cannot be shorter than `least_days`.
    """

    kind: str
    what: str
    days: int | None
    default_days: int | None
    least_days: int
    changed_by: str | None = None
    changed_at: datetime | None = None
    reason: str | None = None


class NewPolicy(BaseModel):
    """For how many days the kind is to be kept; null is for ever. Say why."""

    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(ge=1, le=36_500)
    reason: str = Field(min_length=1, max_length=1000)


class Prospect(BaseModel):
    """What the next sweep of a kind would remove: what was over `before` then.

    `count` is exact, or a bound from below where `more` is true.
    """

    kind: str
    before: datetime | None
    count: int
    more: bool


class Mark(BaseModel):
    """A run that is kept whatever the policy says, and why; null is none."""

    run_id: UUID
    reason: str | None


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
