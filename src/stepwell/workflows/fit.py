"""Whether values of one JSON Schema can fit another: what a consumer takes of a producer (R32)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from stepwell.workflows.schema import Schema

_DEEPEST: Final = 12
_WIDENING: Final = frozenset({("integer", "number")})


def mismatch(given: Schema, wanted: Schema) -> str | None:
    """Why no value of the schema `given` can fit `wanted`, or None where one may.

    Both are schemas made by pydantic. The answer errs on the side of None: what
    only a value can show is left to the moment when it is there.
    """
    return _mismatch(given, wanted, given.get("$defs", {}), wanted.get("$defs", {}), 0)


def _mismatch(given: Any, wanted: Any, ours: Schema, theirs: Schema, depth: int) -> str | None:
    if depth > _DEEPEST:
        return None
    reasons = []
    for one in _alternatives(given, ours):
        for other in _alternatives(wanted, theirs):
            found = _unlike(one, other, ours, theirs, depth)
            if found is None:
                return None
            reasons.append(found)
    return reasons[0] if reasons else None


def _alternatives(schema: Any, defs: Schema) -> Iterator[Schema]:
    if not isinstance(schema, dict):
        yield {}
    elif "$ref" in schema:
        yield from _alternatives(defs.get(schema["$ref"].rpartition("/")[2], {}), defs)
    elif "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf") or schema["oneOf"]:
            yield from _alternatives(one, defs)
    else:
        yield schema


def _unlike(given: Schema, wanted: Schema, ours: Schema, theirs: Schema, depth: int) -> str | None:
    kind, other = given.get("type"), wanted.get("type")
    if kind is None or other is None:
        return None
    if kind != other and (kind, other) not in _WIDENING:
        return f"{_article(kind)} is given where {_article(other)} is wanted"
    if kind == "array":
        return _mismatch(given.get("items"), wanted.get("items"), ours, theirs, depth + 1)
    if kind == "object":
        return _unlike_objects(given, wanted, ours, theirs, depth)
    return None


def _unlike_objects(
    given: Schema, wanted: Schema, ours: Schema, theirs: Schema, depth: int
) -> str | None:
    has, needs = given.get("properties"), wanted.get("properties", {})
    if has is None:
        return None
    for name in wanted.get("required", ()):
        if name not in has and not given.get("additionalProperties"):
            return f"the field {name!r} is not there"
    for name in has.keys() & needs.keys():
        found = _mismatch(has[name], needs[name], ours, theirs, depth + 1)
        if found is not None:
            return f"in the field {name!r}, {found}"
    return None


def _article(kind: Any) -> str:
    return f"{'an' if str(kind)[0] in 'aio' else 'a'} {kind}"
