"""Lists in pages by key, never by offset, so that page 1,000 costs what page 1 does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, RowMapping, Select, tuple_

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
            raise unknown()
        return key[0]

    def numbers(self, count: int) -> tuple[int, ...]:
        """As `after`, for lists whose key is so many whole numbers."""
        key = self.after() or ()
        if len(key) != count or not all(type(one) is int and _small(one) for one in key):
            raise unknown()
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
    if len(after) != len(by) or not all(map(_fits, by, after)):
        raise unknown()
    row, key = tuple_(*by), tuple_(*after, types=[column.type for column in by])
    return row < key if newest_first else row > key


def encoded(key: Sequence[Any]) -> str:
    """A cursor for the key of the last row shown."""
    text = json.dumps([_marked(value) for value in key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _fits(column: ColumnElement[Any], value: Any) -> bool:
    """Whether the database can compare a value with a column."""
    numbers = isinstance(column.type, Integer) and not isinstance(column.type, BigInteger)
    return type(value) is column.type.python_type and not (numbers and not _small(value))


def _small(number: int) -> bool:
    return -(2**31) <= number < 2**31


def _decoded(cursor: str) -> tuple[Any, ...]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return tuple(_KINDS[kind](value) for kind, value in json.loads(text))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise unknown() from error


def _marked(value: Any) -> tuple[str, Any]:
    match value:
        case UUID():
            return ("id", str(value))
        case datetime():
            return ("at", value.isoformat())
        case int():
            return ("no", value)
    return ("text", str(value))


def _text(value: Any) -> str:
    """Text that a database can hold."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("no text")
    return value.encode().decode()  # half a surrogate pair is none


def _instant(value: Any) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _number(value: Any) -> int:
    if not -(2**63) <= int(value) < 2**63:
        raise ValueError("no number of a database")
    return int(value)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "id": UUID,
    "at": _instant,
    "no": _number,
    "text": _text,
}


def unknown() -> CursorInvalid:
    """The error for a cursor that no answer of the list has given."""
    return CursorInvalid(
        "This cursor belongs to no page of this list.",
        fix="Use `next` of an earlier answer as it is, or leave it out for the first page.",
    )
