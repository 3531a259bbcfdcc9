"""Many rows as few parameters: what they differ in, beside what they share.

To hand a row over costs more than to store it: every value is bound, and the interpreter lock
is let go of and taken again for each row. So rows that share all but a few values become one
statement. Values of a fixed width, such as ids and instants, are cut out of one blob, by far
the cheapest way for SQLite; texts of any length are an array of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, TypeAlias, TypeVar

from stepwell.errors import SettlementRejected

T = TypeVar("T")
Values: TypeAlias = tuple[Any, ...]

AT_ONCE: Final = 500
"""The most rows in one statement."""
LONGEST: Final = 1 << 22
"""The most characters in the texts of its rows, for each may have 256 KiB (R4)."""
_NUL: Final = "\\u0000"

_write: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


def alike(rows: Iterable[T], shared: Callable[[T], Values]) -> Iterator[tuple[Values, list[T]]]:
    """Rows that share these values, not too many at once."""
    groups: dict[Values, list[T]] = {}
    for values, group in groupby(rows, shared):
        groups.setdefault(values, []).extend(group)
    for values, found in groups.items():
        for start in range(0, len(found), AT_ONCE):
            yield values, found[start : start + AT_ONCE]


def pieces(rows: Sequence[T], long: Callable[[T], Any]) -> Iterator[Sequence[T]]:
    """All of the rows, or several parts of them if the texts that `long` gives are too long."""
    if len(rows) > 1 and sum([len(text) for text in map(long, rows) if _is_text(text)]) > LONGEST:
        middle = len(rows) // 2
        yield from pieces(rows[:middle], long)
        yield from pieces(rows[middle:], long)
    else:
        yield rows


def array(rows: Sequence[Any]) -> str:
    """The JSON of texts, numbers and nulls, or of rows of them.

    Raises
    ------
    SettlementRejected : something else, or a text with NUL, which SQLite would cut off there.
    """
    try:
        written = _write(rows)
    except (TypeError, ValueError) as error:
        raise _refused(f"{type(error).__name__}: {error}.") from error
    if _NUL in written and any("\x00" in text for text in _texts(rows)):
        raise _refused("A text has the character NUL in it.")
    return written


def texts(*columns: Sequence[Any]) -> tuple[bool, str]:
    """The JSON of rows, and whether it is that of their last column alone, for the others are
    null in all of them.

    Raises
    ------
    SettlementRejected : as `array`.
    """
    *others, last = columns
    alone = all(column.count(None) == len(column) for column in others)
    return alone, array(last if alone else [*zip(*columns, strict=True)])


def blob(rows: Iterable[str], width: int) -> bytes:
    """Rows of so many characters each, of values that are padded with blanks.

    Raises
    ------
    SettlementRejected : one is wider, or has a number that is none.
    """
    listed = list(rows)
    written = "".join(listed)
    if {width} != {*map(len, listed)} or "n" in written:  # nan, inf
        raise _refused("An id has another form than ids have, or a number is none.")
    return written.encode("ascii")


def _refused(why: str) -> SettlementRejected:
    fix = "Correct the value that it names."
    return SettlementRejected("SQLite refuses this data.", why=why, fix=fix)


def _texts(rows: Iterable[Any]) -> Iterator[str]:
    for row in rows:
        yield from filter(_is_text, [row] if _is_text(row) else row or ())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
