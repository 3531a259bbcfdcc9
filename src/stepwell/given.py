"""What callers have written, checked before it gets anywhere: its type, its values, its name.

A slip that only the database meets is told in the database's words, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from stepwell.clock import as_utc
from stepwell.errors import InvalidInput

E = TypeVar("E", bound=Enum)

_CLOSE: Final = 0.7
"""From this likeness on, of 1, a name may be a slip of another one. Below it, names of steps that
share no more than their beginning count: v1/pay and v1/add."""


def of_type(what: str, value: Any, kind: type | tuple[type, ...], fix: str) -> None:
    """Raise `InvalidInput` unless the value is of the type; a boolean is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidInput(f"{what} is {_shown(value)}.", fix=fix)


def text(what: str, value: Any) -> None:
    """Raise `InvalidInput` unless it is a string."""
    of_type(what, value, str, f"Give a string: str({_shown_short(value)}).")


def identity(what: str, value: Any) -> None:
    """Raise `InvalidInput` unless it is a UUID."""
    of_type(what, value, UUID, "Give a uuid.UUID, as `add` returns it; of a text, UUID(text).")


def member(what: str, value: Any, kind: type[E], error: type[InvalidInput] = InvalidInput) -> E:
    """The member of an enumeration; its value does as well.

    Raises
    ------
    InvalidInput : neither; or the narrower `error`.
    """
    if isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError:
        fix = f"Use one of: {', '.join(map(_member, kind))}."
        raise error(f"{what} is {_shown(value)}.", fix=fix) from None


def one_of(kind: type[E]) -> Callable[[str, Any], E]:
    """The check for a field of such members."""
    return lambda what, value: member(what, value, kind)


def instant(_what: str, value: Any) -> datetime:
    """The instant in UTC; raises `InvalidInput`, as `as_utc` does."""
    return as_utc(value)


def known(what: str, given: Iterable[str], names: Iterable[str]) -> None:
    """Raise `InvalidInput` for the first word that is none of the names."""
    there = list(names)
    for one in given:
        if one not in there:
            listed = f"There are: {', '.join(sorted(there))}."
            raise InvalidInput(f"{what} has no {one!r}.", fix=suggestion(one, there) or listed)


def near(word: str, names: Iterable[str]) -> list[str]:
    """The names of which a word may be a slip: three at most, the likest first, in any case."""
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(word.casefold(), folded, cutoff=_CLOSE)
    return [folded[one] for one in close]


def suggestion(word: str, names: Iterable[str]) -> str:
    """Asks whether one of the names near a word is meant; empty where none is near."""
    found = near(word, names)
    return f"Did you mean {' or '.join(map(repr, found))}?" if found else ""


def normalised(instance: Any, checks: Mapping[str, Any]) -> None:
    """Pass each field that is set through its check, and keep what that gives.

    Parameters
    ----------
    instance : a frozen dataclass that is being made.
    checks : field -> a function of its name and its value; None gives no other value.
    """
    for name, check in checks.items():
        value = getattr(instance, name)
        if value is not None:
            kept = check(name, value)
            if kept is not None and kept is not value:
                object.__setattr__(instance, name, kept)


def _member(one: Enum) -> str:
    return repr(str(one)) if isinstance(one, StrEnum) else f"{type(one).__name__}.{one.name}"


def _shown(value: Any) -> str:
    return f"{_shown_short(value)} ({type(value).__name__})"


def _shown_short(value: Any) -> str:
    written = repr(value)
    return written if len(written) <= 60 else f"{written[:57]}..."
