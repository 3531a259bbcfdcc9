"""Lists in pages by key, never by offset, so that page 1,000 costs what page 1 does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, tuple_

from stepwell import clock
from stepwell.errors import InvalidInput
from stepwell.step import Step

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list: `next` is the cursor of the page after, or null."""

    items: list[T]
    next: str | None
    limited_to: int
    as_of: datetime


class CursorInvalid(InvalidInput):
    """A cursor that no answer of this list has given."""

    code = "cursor-invalid"


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page begins, and how long it is at most."""

    cursor: str | None = None
    limit: int = 50

    def after(self) -> tuple[Any, ...] | None:
        """The key of the last row of the page before; None on the first page."""
        return None if self.cursor is None else _decoded(self.cursor)

    def after_id(self) -> UUID | None:
        """As `after`, for lists whose key is one id."""
        key = self.after()
        if key is None:
            return None
        if len(key) != 1 or not isinstance(key[0], UUID):
            raise _unknown()
        return key[0]

    def numbers(self, count: int) -> tuple[int, ...]:
        """As `after`, for lists whose key is so many whole numbers."""
        key = self.after() or ()
        if len(key) != count or not all(type(one) is int for one in key):
            raise _unknown()
        return key

    def of_steps(self, found: Sequence[Step], make: Callable[[Step], T]) -> Page[T]:
        """The page of steps of which one more than `limit` was asked for."""
        shown = found[: self.limit]
        more = len(found) > self.limit
        return self.page([make(one) for one in shown], encoded([shown[-1].id]) if more else None)

    def page(self, items: list[T], next: str | None) -> Page[T]:
        """The answer for these items."""
        return Page(items=items, next=next, limited_to=self.limit, as_of=clock.now())


def _paging(
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Paging:
    return Paging(cursor, limit)


Pages: TypeAlias = Annotated[Paging, Depends(_paging)]
"""The parameter of a list route: `pages: Pages`."""


def paged(
    conn: Connection,
    query: Select[Any],
    pages: Paging,
    *,
    by: Sequence[ColumnElement[Any]],
    make: Callable[[RowMapping], T],
    newest_first: bool = True,
) -> Page[T]:
    """One page of `query`, in the order of the unique key `by`; `make` turns a row into an item.

    Raises
    ------
    CursorInvalid : the cursor is none of this list's.
    """
    after = pages.after()
    if after is not None:
        query = query.where(_beyond(by, after, newest_first))
    order = [column.desc() if newest_first else column.asc() for column in by]
    rows = conn.execute(query.order_by(*order).limit(pages.limit + 1)).mappings().all()
    shown = rows[: pages.limit]
    more = len(rows) > pages.limit
    key = [shown[-1][str(column.key)] for column in by] if more else None
    return pages.page([make(row) for row in shown], None if key is None else encoded(key))


def _beyond(
    by: Sequence[ColumnElement[Any]], after: tuple[Any, ...], newest_first: bool
) -> ColumnElement[bool]:
    if len(after) != len(by):
        raise _unknown()
    row, key = tuple_(*by), tuple_(*after, types=[column.type for column in by])
    return row < key if newest_first else row > key


def encoded(key: Sequence[Any]) -> str:
    """A cursor for the key of the last row shown."""
    text = json.dumps([_marked(value) for value in key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[Any, ...]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return tuple(_KINDS[kind](value) for kind, value in json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unknown() from error


def _marked(value: Any) -> tuple[str, Any]:
    match value:
        case UUID():
            return ("id", str(value))
        case datetime():
            return ("at", value.isoformat())
        case int():
            return ("no", value)
    return ("text", str(value))


_KINDS: dict[str, Callable[[Any], Any]] = {
    "id": UUID,
    "at": datetime.fromisoformat,
    "no": int,
    "text": str,
}


def _unknown() -> CursorInvalid:
    return CursorInvalid(
        "This cursor belongs to no page of this list.",
        fix="Use `next` of an earlier answer as it is, or leave it out for the first page.",
    )
