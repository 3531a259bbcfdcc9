"""What a review never shows: values that are, by their name or their schema, secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

HIDDEN: Final = "(hidden)"

_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|(api|access|private|signing)[-_]?key|\bpwd\b",
    re.IGNORECASE,
)
_VALUES: Final = frozenset({"default", "const", "enum", "examples"})
_PLACE: Final = re.compile(r"^([\w.\-\[\]]+): ")


def is_secret(name: str, schema: Any = None) -> bool:
    """Whether what stands under this name is not to be shown."""
    marked = isinstance(schema, Mapping) and (
        schema.get("format") == "password" or schema.get("writeOnly") is True
    )
    return marked or _SECRET.search(name) is not None


def secrets_of(schema: Any) -> frozenset[str]:
    """The names of an object's properties that are secret."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return frozenset()
    return frozenset(name for name, one in properties.items() if is_secret(name, one))


def veiled(value: Any, *, name: str = "") -> Any:
    """The same without secret values: of a manifest's entry, of a schema, or a plain value.

    Parameters
    ----------
    name : what the value stands under.
    """
    if isinstance(value, Mapping):
        if is_secret(name, value):
            return {key: HIDDEN if key in _VALUES else veiled(one) for key, one in value.items()}
        return {key: veiled(one, name=str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [veiled(one) for one in value]
    return HIDDEN if is_secret(name) and value is not None else value


def discreet(reasons: Iterable[str], secret: Iterable[str] = ()) -> list[str]:
    """Reasons why values do not fit, without the values of what is secret.

    Parameters
    ----------
    reasons : as `schemas.misfits` tells them, the place first.
    secret : names that are secret for another reason than their own sound.
    """
    known = frozenset(secret)
    return [_discreet(reason, known) for reason in reasons]


def _discreet(reason: str, known: frozenset[str]) -> str:
    place = _PLACE.match(reason)
    if place is None:
        return reason
    parts = re.split(r"[.\[]", place[1])
    hidden = any(is_secret(part) or part in known for part in parts)
    return f"{place[1]}: its value does not fit {HIDDEN}" if hidden else reason
