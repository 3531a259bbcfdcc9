"""Many rows as one parameter: JSON of what they differ in, beside what they share.

To hand a row over costs more than to store it: every value is bound, and the interpreter lock
is let go of and taken again for each row. So rows that follow each other and share all but a
few values become one statement with one array.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, Final, TypeAlias, TypeVar

from stepwell.errors import SettlementRejected

T = TypeVar("T")
Values: TypeAlias = tuple[Any, ...]

AT_ONCE: Final = 500
"""The most rows in one array."""
LONGEST: Final = 1 << 22
"""The most characters in the last values of its rows, for each may have 256 KiB (R4)."""
_NUL: Final = "\\u0000"

_write: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


def alike(rows: Iterable[T], shared: Callable[[T], Values]) -> Iterator[tuple[Values, list[T]]]:
    """Rows that follow each other and share these values, not too many at once."""
    for values, group in groupby(rows, shared):
        while part := list(islice(group, AT_ONCE)):
            yield values, part


def arrays(rows: Sequence[Values]) -> Iterator[str]:
    """The JSON of rows whose last value may be long: as one array, or as several.

    Raises
    ------
    SettlementRejected : as `array`.
    """
    if len(rows) > 1 and sum(len(row[-1]) for row in rows if _is_text(row[-1])) > LONGEST:
        middle = len(rows) // 2
        yield from arrays(rows[:middle])
        yield from arrays(rows[middle:])
    else:
        yield array(rows)


def array(rows: Sequence[Sequence[Any]]) -> str:
    """The JSON of rows of text, numbers and nulls.

    Raises
    ------
    SettlementRejected : something else, or a text with NUL, which SQLite would cut off there.
    """
    try:
        written = _write(rows)
    except (TypeError, ValueError) as error:
        raise _refused(f"{type(error).__name__}: {error}.") from error
    if _NUL in written and any("\x00" in text for row in rows for text in row if _is_text(text)):
        raise _refused("A text has the character NUL in it.")
    return written


def _refused(why: str) -> SettlementRejected:
    fix = "Correct the value that it names."
    return SettlementRejected("SQLite refuses this data.", why=why, fix=fix)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
