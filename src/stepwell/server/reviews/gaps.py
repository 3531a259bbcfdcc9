"""What one side of a comparison does not have: said to be unavailable, never taken for empty.

A release keeps the entries of the version that it was made with. An entry of an
older or newer version may lack a field; a schema may be none. Neither is a change
to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepwell.server.reviews.changes import Category, Change, unknown
from stepwell.server.reviews.schemas import sound

Entry = Mapping[str, Any]

WORKFLOW: Final[dict[str, Category]] = {
    "class": Category.IDENTITY,
    "description": Category.DESCRIPTION,
    "tags": Category.TAGS,
    "deadline": Category.DEADLINE,
    "schedule": Category.SCHEDULE,
    "parameters": Category.PARAMETERS,
    "operations": Category.OPERATIONS,
}
OPERATION: Final[dict[str, Category]] = {
    "description": Category.DESCRIPTION,
    "tags": Category.TAGS,
    "halt_on_error": Category.HALTING,
    "retries": Category.RETRIES,
    "timeout": Category.TIMEOUT,
    "output": Category.OUTPUTS,
    "inputs": Category.INPUTS,
    "returns": Category.OUTPUTS,
}
_SCHEMAS: Final = frozenset({"parameters", "returns"})


def found(
    path: tuple[str, ...], old: Entry, new: Entry, fields: Mapping[str, Category]
) -> Iterator[Change]:
    """A change for each field that exactly one side has, or whose schema one side spoils."""
    of = f"In {path[-1]}: its " if "operations" in path else "Its "
    for field, category in fields.items():
        had, has = _has(old, field), _has(new, field)
        if had != has:
            side, seen = ("after", old.get(field)) if had else ("before", new.get(field))
            what = f"{of}{field.replace('_', ' ')}"
            yield unknown((*path, field), category, what, side, seen)  # type: ignore[arg-type]


def comparable(old: Entry, new: Entry, field: str) -> bool:
    """Whether both sides have it in a form that can be compared."""
    return _has(old, field) and _has(new, field)


def _has(entry: Entry, field: str) -> bool:
    if field not in entry:
        return False
    value = entry[field]
    if field == "returns" and value is None:
        return True
    return field not in _SCHEMAS or sound(value)
