"""Changes of single fields: what each means, and how that is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stepwell.server.reviews.changes import Category, Change, Impact, Kind, pointer

WORKFLOW_FIELDS: Final[dict[str, tuple[Category, Impact, str]]] = {
    "description": (Category.DESCRIPTION, Impact.NONE, "Its description changes"),
    "tags": (Category.TAGS, Impact.NONE, "Its tags change"),
    "owner": (Category.DESCRIPTION, Impact.NONE, "Whom to ask about it changes"),
    "deadline": (Category.DEADLINE, Impact.BEHAVIOUR, "A run is stopped after"),
    "targets": (Category.DESCRIPTION, Impact.NONE, "What its runs are held to changes"),
    "limit": (Category.LIMITS, Impact.BEHAVIOUR, "How many of its runs go on at once changes"),
    "pool": (Category.LIMITS, Impact.BEHAVIOUR, "The pool that it shares changes"),
    "class": (Category.IDENTITY, Impact.NONE, "Its Python class changes"),
}
OPERATION_FIELDS: Final[dict[str, tuple[Category, Impact, str]]] = {
    "description": (Category.DESCRIPTION, Impact.NONE, "The description changes"),
    "tags": (Category.TAGS, Impact.NONE, "The tags change"),
    "halt_on_error": (Category.HALTING, Impact.BEHAVIOUR, ""),
    "retries": (Category.RETRIES, Impact.BEHAVIOUR, "The number of retries changes"),
    "timeout": (Category.TIMEOUT, Impact.BEHAVIOUR, "An attempt is stopped after"),
    "approval": (Category.APPROVAL, Impact.SECURITY, "The approval that it waits for changes"),
    "output": (Category.OUTPUTS, Impact.DATA, "The name that its value is bound to changes"),
}


LEFT_OUT: Final[Mapping[str, Any]] = {
    "owner": "",
    "targets": None,
    "limit": None,
    "pool": None,
    "approval": None,
}
"""What a field says that a manifest may leave out. Another one that is missing is not known."""

_UNKNOWN: Final = object()


def field_changes(
    path: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """The changes of single fields of the workflow or operation at `path`."""
    for field in OPERATION_FIELDS if "operations" in path else WORKFLOW_FIELDS:
        before, after = (one.get(field, LEFT_OUT.get(field, _UNKNOWN)) for one in (old, new))
        if before != after and _UNKNOWN not in (before, after):
            yield field_change(path, field, before, after)


def field_change(path: Sequence[str], field: str, before: Any, after: Any) -> Change:
    """The change of one field of the workflow or operation at `path`."""
    operation = path[-1] if "operations" in path else ""
    known = OPERATION_FIELDS if operation else WORKFLOW_FIELDS
    category, impact, words = known[field]
    told = _halting(after) if field == "halt_on_error" else _told(words, field, before, after)
    return Change(
        path=pointer(*path, field),
        kind=Kind.CHANGED,
        category=category,
        impact=impact,
        sentence=f"In {operation}: {told[0].lower()}{told[1:]}" if operation else told,
        before=before,
        after=after,
    )


def _told(words: str, field: str, before: Any, after: Any) -> str:
    if field == "description":
        return f"{words}."
    if field in {"deadline", "timeout"}:
        return f"{words} {_seconds(after)}, before {_seconds(before)}."
    return f"{words} from {_shown(before)} to {_shown(after)}."


def _halting(halts: bool) -> str:
    return "A failure ends the run now." if halts else "A failure does not end the run any more."


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:g} s"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items() if one not in (None, ""))
    return "none" if value in (None, "") else str(value)
