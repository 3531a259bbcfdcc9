"""Whether every value of one JSON Schema is a value of another: the test for compatibility.

A parameter breaks when the new schema refuses what the old one took; a result
breaks when the new one gives what the old one never gave. What cannot be judged
counts as breaking, for a reviewer can let it pass and nobody can call it back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

Schema = Mapping[str, Any]

_NOTES: Final = frozenset({"title", "description", "default", "examples", "deprecated", "$defs"})
"""Keywords that decide nothing about values."""

_NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})
"""Keywords below which the keys are names that somebody chose, and no keywords."""

_REMEMBERED: Final = 10_000
"""Of larger schemas, in characters, it is not remembered whether they are sound."""
_DEEPEST: Final = 16
_MOST: Final = 4000
"""So many pairs of schemas are compared; recursive ones with alternatives have no end."""


def misfits(narrow: Any, wide: Any) -> list[str]:
    """Reasons why a value of `narrow` may be refused by `wide`; none if all values fit.

    Parameters
    ----------
    narrow, wide : JSON Schemas as pydantic makes them, each with its own `$defs`.
    """
    return list(dict.fromkeys(_Comparison(_defs(narrow), _defs(wide)).misfits(narrow, wide, "")))


def value_misfits(value: Any, schema: Any) -> list[str]:
    """Reasons why `schema` may refuse this very value."""
    return misfits({"const": value}, schema)


def essence(schema: Any) -> Any:
    """The schema without what decides nothing about values, so that two can be compared."""
    if isinstance(schema, Mapping):
        return {
            key: _each(one) if key in _NAMED else essence(one)
            for key, one in schema.items()
            if key not in _NOTES - {"$defs"}
        }
    return [essence(one) for one in schema] if isinstance(schema, list) else schema


def _each(schemas: Any) -> Any:
    """Below these keywords a `title` is the name of a property, and no note."""
    if not isinstance(schemas, Mapping):
        return essence(schemas)
    return {name: essence(one) for name, one in schemas.items()}


def sound(schema: Any) -> bool:
    """Whether it is a JSON Schema at all, so that it can be compared."""
    try:
        text = json.dumps(schema)
    except (TypeError, RecursionError, ValueError):
        return False
    remembered = len(text) <= _REMEMBERED
    return _sound(text) if remembered else _sound.__wrapped__(text)


@lru_cache(maxsize=2000)
def _sound(text: str) -> bool:
    """To check one takes milliseconds, and a review asks of the same ones again and again."""
    schema = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError, ValueError):
        return False
    return isinstance(schema, dict)


class _Comparison:
    """`narrow` against `wide`, each with the definitions that its references mean."""

    def __init__(self, ours: Schema, theirs: Schema) -> None:
        self.ours, self.theirs, self.left = ours, theirs, _MOST

    def misfits(self, narrow: Any, wide: Any, where: str, depth: int = 0) -> Iterator[str]:
        if depth > _DEEPEST or (essence(narrow) == essence(wide) and self.ours == self.theirs):
            return
        self.left -= 1
        if self.left < 0:
            yield "it is too large to be judged"
            return
        wanted = list(_alternatives(wide, self.theirs))
        for given in _alternatives(narrow, self.ours):
            tries = [list(self._one(given, other, where, depth)) for other in wanted]
            if all(tries):
                yield from min(tries, key=len, default=[f"{where or 'it'} takes nothing"])

    def _one(self, given: Schema, wanted: Schema, where: str, depth: int) -> Iterator[str]:
        if "const" in given or "enum" in given:
            for value in _choices(given):
                yield from self._value(value, wanted, where, depth)
            return
        if "const" in wanted or "enum" in wanted:
            yield f"{_at(where)}only {_listed(_choices(wanted))} is taken"
            return
        reason = _unlike_types(given.get("type"), wanted.get("type"))
        if reason:
            yield f"{_at(where)}{reason}"
            return
        yield from self._inside(given, wanted, where, depth)
        yield from _tighter(given, wanted, where)

    def _inside(self, given: Schema, wanted: Schema, where: str, depth: int) -> Iterator[str]:
        if wanted.get("type") == "object":
            yield from self._object(given, wanted, where, depth)
        for key in ("items", "additionalProperties"):
            if isinstance(wanted.get(key), Mapping):
                inner = given.get(key, {})
                yield from self.misfits(
                    {} if inner is True else inner, wanted[key], f"{where}[]", depth + 1
                )

    def _object(self, given: Schema, wanted: Schema, where: str, depth: int) -> Iterator[str]:
        has, needs = given.get("properties", {}), wanted.get("properties", {})
        sure = set(given.get("required", ()))
        for name in wanted.get("required", ()):
            if name not in sure:
                yield f"{_join(where, name)!r} is required"
        if wanted.get("additionalProperties") is False:
            for name in has.keys() - needs.keys():
                yield f"{_join(where, name)!r} is not taken"
        for name in has.keys() & needs.keys():
            yield from self.misfits(has[name], needs[name], _join(where, name), depth + 1)

    def _value(self, value: Any, wanted: Schema, where: str, depth: int) -> Iterator[str]:
        if "const" in wanted or "enum" in wanted:
            if value not in _choices(wanted):
                yield f"{_at(where)}{value!r} is not taken"
            return
        shape = _shape(value)
        if isinstance(value, Mapping | list):
            yield from self._one(shape, wanted, where, depth)
            return
        reason = _unlike_types(shape["type"], wanted.get("type"))
        if reason:
            yield f"{_at(where)}{reason}"
        yield from (f"{_at(where)}{why}" for why in _outside(value, wanted))


def _defs(schema: Any) -> Schema:
    found = schema.get("$defs", {}) if isinstance(schema, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _alternatives(schema: Any, defs: Schema, depth: int = 0) -> Iterator[Schema]:
    """The schema without references, and with each of `anyOf` by itself."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        yield {"not": {}} if schema is False else {}
    elif "$ref" in schema:
        yield from _alternatives(defs.get(schema["$ref"].rpartition("/")[2], {}), defs, depth + 1)
    elif "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf") or schema["oneOf"]:
            yield from _alternatives(one, defs, depth + 1)
    elif isinstance(schema.get("type"), list):
        for kind in schema["type"]:
            yield {**schema, "type": kind}
    else:
        yield schema


def _unlike_types(given: Any, wanted: Any) -> str:
    if wanted is None or given == wanted or (given, wanted) == ("integer", "number"):
        return ""
    return f"{_article(given)} is given where {_article(wanted)} is taken"


_LIMITS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "minimum": lambda given, wanted: given >= wanted,
    "exclusiveMinimum": lambda given, wanted: given >= wanted,
    "minLength": lambda given, wanted: given >= wanted,
    "minItems": lambda given, wanted: given >= wanted,
    "maximum": lambda given, wanted: given <= wanted,
    "exclusiveMaximum": lambda given, wanted: given <= wanted,
    "maxLength": lambda given, wanted: given <= wanted,
    "maxItems": lambda given, wanted: given <= wanted,
}
_KNOWN: Final = {
    *_NOTES,
    *_LIMITS,
    "type",
    "properties",
    "required",
    "items",
    "additionalProperties",
}


def _tighter(given: Schema, wanted: Schema, where: str) -> Iterator[str]:
    """Limits of `wanted` that `given` does not keep; keywords not known here must be equal."""
    for key in wanted.keys() - _NOTES:
        limit = _LIMITS.get(key)
        kept = key in given and limit is not None and limit(given[key], wanted[key])
        if limit is not None and not kept:
            yield f"{_at(where)}{key} is {wanted[key]}"
        elif key not in _KNOWN and given.get(key) != wanted[key]:
            yield f"{_at(where)}{key} is {wanted[key]!r}"


_HOLDS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
    "minLength": lambda value, limit: len(value) >= limit,
    "maxLength": lambda value, limit: len(value) <= limit,
}


def _outside(value: Any, wanted: Schema) -> Iterator[str]:
    for key, holds in _HOLDS.items():
        if key not in wanted or isinstance(value, bool | None):
            continue
        if isinstance(value, str) == key.endswith("Length") and not holds(value, wanted[key]):
            yield f"{value!r} is given where {key} is {wanted[key]}"


def _shape(value: Any) -> Schema:
    """The schema of exactly this value."""
    match value:
        case Mapping():
            inner = {name: {"const": one} for name, one in value.items()}
            return {"type": "object", "properties": inner, "required": list(value)}
        case list():
            return {"type": "array", "items": {"enum": value} if value else {"const": None}}
    return {"type": _TYPES[type(value)]}


_TYPES: Final[dict[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
}


def _choices(schema: Schema) -> Sequence[Any]:
    found: Sequence[Any] = schema["enum"] if "enum" in schema else [schema["const"]]
    return found


def _listed(values: Sequence[Any]) -> str:
    return " or ".join(repr(value) for value in values)


def _article(kind: Any) -> str:
    if kind is None:
        return "anything"
    return f"{'an' if str(kind)[0] in 'aio' else 'a'} {kind}"


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _at(where: str) -> str:
    return f"{where}: " if where else ""
