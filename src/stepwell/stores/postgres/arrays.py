"""Columns of many rows as array literals: one parameter a column, made without the driver.

The driver adapts each element by itself, which takes longer than the statement. A column of
nothing but nulls, or nothing but zeros, is an empty array: `unnest` fills up with nulls, and
the statements know where a null is a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from stepwell.step import Claim

Writer: TypeAlias = Callable[[Any], str]
EMPTY: Final = "{}"


def uuid_text(value: UUID) -> str:
    """32 digits; PostgreSQL needs no hyphens."""
    return f"{value.int:032x}"


def text(value: str) -> str:
    """A quoted element."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array(values: Sequence[Any], write: Writer = str) -> str:
    """The literal of one column."""
    first = values[0] if values else None
    if values and _repeats(first, values[-1]) and values.count(first) == len(values):
        return EMPTY if first is None or first == 0 else _repeated(write(first), len(values))
    return "{" + ",".join(["NULL" if one is None else write(one) for one in values]) + "}"


def _repeats(first: Any, last: Any) -> bool:
    """Whether a column is likely to have nothing else, and this is quick to see."""
    return first is last or isinstance(first, str | int)


def _repeated(element: str, times: int) -> str:
    return "{" + ",".join([element] * times) + "}"


def uuids(values: Iterable[UUID]) -> str:
    """The literal of a column of ids."""
    return "{" + ",".join([uuid_text(one) for one in values]) + "}"


def columns(rows: Sequence[Any], writers: Mapping[str, Writer]) -> dict[str, str]:
    """The literals of these attributes of the rows, by name."""
    transposed = zip(*map(attrgetter(*writers), rows), strict=True)
    return {
        name: array(values, write)
        for (name, write), values in zip(writers.items(), transposed, strict=True)
    }


def number(value: float) -> str:
    """An integer, an enumeration of integers, a float or a boolean."""
    return repr(value + 0)


def instant(value: datetime) -> str:
    """ISO 8601."""
    return value.isoformat()


def of_one(row: Any, writers: Mapping[str, Writer]) -> dict[str, str | None]:
    """The attributes of one row as values, not as elements of arrays."""
    values = zip(writers.items(), attrgetter(*writers)(row), strict=True)
    return {name: _value(value, write) for (name, write), value in values}


def _value(value: Any, write: Writer) -> str | None:
    return value if value is None or write is text else write(value)


def claim_columns(claims: Iterable[Claim]) -> dict[str, str]:
    """The rows that claims are on, and under which numbers."""
    held = list(claims)
    return {
        "ids": uuids(claim.step_id for claim in held),
        "claim_nos": array([claim.claim_no for claim in held]),
    }
