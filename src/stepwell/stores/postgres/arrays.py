"""Columns of many rows as arrays: one parameter a column, made without the driver.

The driver adapts each element by itself, which takes longer than the statement. On connections of
our own, ids, instants and durations go as the server keeps them, for both sides need a fraction of
the time that text takes; else, and all other types, as array literals. A column of nothing but
nulls, or nothing but zeros, is an empty array: `unnest` fills up with nulls, and the statements
know where a null is a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from struct import Struct
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from stepwell.step import Claim

Writer: TypeAlias = Callable[[Any], str]
EMPTY: Final = "{}"


class Packed(bytes):
    """An array in the server's own form; each type of elements has a class of its own."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Packing:
    """How arrays of one type are packed.

    `elements` gives the length and the bytes of each; `oid` is that of its type in `pg_type`.
    """

    kind: type[Packed]
    oid: int
    elements: Callable[[Iterable[Any]], list[bytes]]


@dataclass(frozen=True, slots=True)
class Column:
    """How the values of a column are written as text, and packed where there is a shorter way."""

    write: Writer
    packing: Packing | None = None


def uuid_text(value: UUID) -> str:
    """32 digits; PostgreSQL needs no hyphens."""
    return f"{value.int:032x}"


def instant(value: datetime) -> str:
    """ISO 8601."""
    return value.isoformat()


def quoted(value: str) -> str:
    """A quoted element."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(value: float) -> str:
    """An integer, an enumeration of integers, a float or a boolean."""
    return repr(value + 0)


def _packing(
    name: str, oid: int, oid_of_arrays: int, elements: Callable[[Iterable[Any]], list[bytes]]
) -> Packing:
    kind = type(name, (Packed,), {"__slots__": ()})

    class AsItIs(Dumper):
        format, oid = Format.BINARY, oid_of_arrays

        def dump(self, obj: Any) -> bytes:
            return bytes(obj)

    psycopg.adapters.register_dumper(kind, AsItIs)
    return Packing(kind, oid, elements)


def _packed_uuids(values: Iterable[UUID | None]) -> list[bytes]:
    return [
        _NULL if one is None else _SIXTEEN_BYTES + one.int.to_bytes(16, "big") for one in values
    ]


def _packed_doubles(values: Iterable[float | None]) -> list[bytes]:
    return [_NULL if one is None else _DOUBLE(8, one) for one in values]


def _packed_instants(values: Iterable[datetime | None]) -> list[bytes]:
    return [_NULL if one is None else _INTEGER(8, _microseconds(one)) for one in values]


def _microseconds(instant: datetime) -> int:
    """Since the year 2000."""
    since = instant - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


_SIXTEEN_BYTES: Final = b"\0\0\0\x10"
_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DOUBLE: Final = Struct("!id").pack
_INTEGER: Final = Struct("!iq").pack
_HEAD: Final = Struct("!iiIii").pack
"""Dimensions; a flag that nobody reads; the type; how many, and from which index on."""
_NO_HEAD: Final = Struct("!iiI").pack

TEXT: Final = Column(quoted)
NUMBER: Final = Column(_number)
FLAG: Final = Column(str)
WORD: Final = Column(str)
"""A text that needs no quotes."""
DOUBLE: Final = Column(_number, _packing("Doubles", 701, 1022, _packed_doubles))
ID: Final = Column(uuid_text, _packing("Ids", 2950, 2951, _packed_uuids))
INSTANT: Final = Column(instant, _packing("Instants", 1184, 1185, _packed_instants))


def array(values: Sequence[Any], column: Column = NUMBER, *, packed: bool = False) -> str | Packed:
    """One column.

    Parameters
    ----------
    packed : in the server's own form, where the column has one.
    """
    repeated = is_repeated(values)
    if packed and column.packing is not None:
        return _array_packed(values, column.packing, repeated=repeated)
    if repeated:
        nothing = values[0] is None or values[0] == 0
        return EMPTY if nothing else literal([column.write(values[0])] * len(values))
    return literal(["NULL" if one is None else column.write(one) for one in values])


def literal(elements: Iterable[str]) -> str:
    """An array of elements that are written already."""
    return "{" + ",".join(elements) + "}"


def _array_packed(values: Sequence[Any], packing: Packing, *, repeated: bool) -> Packed:
    if not values or (repeated and not values[0]):
        return packing.kind(_NO_HEAD(0, 0, packing.oid))
    count = len(values)
    elements = packing.elements(values[:1]) * count if repeated else packing.elements(values)
    return packing.kind(_HEAD(1, 0, packing.oid, count, 1) + b"".join(elements))


def is_repeated(values: Sequence[Any]) -> bool:
    """Whether a column has one value alone, where this is quick to see."""
    if not values:
        return False
    first = values[0]
    return (first is values[-1] or isinstance(first, str | int)) and (
        values.count(first) == len(values)
    )


def uuids(values: Iterable[UUID]) -> str:
    """The literal of a column of ids."""
    return literal([uuid_text(one) for one in values])


def columns(rows: Sequence[Any], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """These attributes of the rows, by name."""
    return dict(zip(names, zip(*map(attrgetter(*names), rows), strict=True), strict=True))


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for a statement of which there are two forms.

    Parameters
    ----------
    of_each : the columns that are mostly different for each row.
    of_all : those that are mostly the same for all; one form takes a value for each of them.
    """

    of_each: Mapping[str, Column]
    of_all: Mapping[str, Column]

    def are_alike(self, told: Mapping[str, Sequence[Any]]) -> bool:
        """Whether these rows can be said in the shorter form."""
        return all(is_repeated(told[name]) for name in self.of_all)

    def alike(self, told: Mapping[str, Sequence[Any]], *, packed: bool) -> dict[str, Any]:
        """The values of the shorter form."""
        shared = {name: value_of(told[name][0], column) for name, column in self.of_all.items()}
        return {**_arrays(told, self.of_each, packed=packed), **shared}

    def each(self, told: Mapping[str, Sequence[Any]], *, packed: bool) -> dict[str, Any]:
        """The values of the form that takes all as columns."""
        return _arrays(told, {**self.of_each, **self.of_all}, packed=packed)


def _arrays(
    told: Mapping[str, Sequence[Any]], columns: Mapping[str, Column], *, packed: bool
) -> dict[str, str | Packed]:
    return {name: array(told[name], column, packed=packed) for name, column in columns.items()}


def of_one(row: Any, kinds: Mapping[str, Column]) -> dict[str, str | None]:
    """The attributes of one row as values, not as elements of arrays."""
    values = zip(kinds.items(), attrgetter(*kinds)(row), strict=True)
    return {name: value_of(value, column) for (name, column), value in values}


def value_of(value: Any, column: Column) -> str | None:
    """One value, not as an element of an array."""
    return value if value is None or column is TEXT else column.write(value)


def claim_columns(claims: Iterable[Claim]) -> dict[str, Any]:
    """The rows that claims are on, and under which numbers."""
    held = list(claims)
    return {
        "ids": uuids(claim.step_id for claim in held),
        "claim_nos": array([claim.claim_no for claim in held]),
    }
