"""Whether a value fits a JSON Schema that an image has posted, which may be any.

So nothing is fetched for a reference, a pattern takes time by the length of its text alone, and
a schema that has no end is given up. Where less can be judged here, more is let through: the
image looks at its values itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from pydantic_core import SchemaError, SchemaValidator, core_schema
from referencing import Registry

from stepwell.errors import Conflict

MOST: Final = 1_000_000
"""So many references are followed for one value."""

_OWN: Final = Draft202012Validator.VALIDATORS
_left: ContextVar[int] = ContextVar("left")


class SchemaUnusable(Conflict):
    """A schema of a workflow is none, or refers to what is not in it."""

    code = "schema-unusable"


def misfits(
    schema: Mapping[str, Any], value: Any, formats: FormatChecker | None = None
) -> list[ValidationError]:
    """What of a value does not fit.

    Raises
    ------
    SchemaUnusable : no value can be held against this schema.
    """
    _left.set(MOST)
    try:
        judge = _Validator(schema, registry=Registry(), format_checker=formats)
        return list(judge.iter_errors(value))
    except Exception as error:  # whatever a schema that is none makes of it
        raise SchemaUnusable(
            "No value can be held against this schema.",
            why=f"{type(error).__name__}: {error}"[:300],
            fix="Correct the type hint in the source, and discover the group again.",
        ) from error


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value surely fits."""
    try:
        return not misfits(schema, value)
    except SchemaUnusable:
        return False


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> SchemaValidator | None:
    """By the engine that knows no backtracking; None for what only another one can read."""
    try:
        form = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True)
        return SchemaValidator(form)
    except SchemaError:
        return None


def _matches(pattern: str, text: str) -> bool | None:
    """Whether a pattern is found in a text; None where that cannot be said."""
    found = _compiled(pattern)
    return None if found is None else found.isinstance_python(text)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and _matches(pattern, value) is False:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _named(
    judge: Any, patterns: Mapping[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    for pattern, schema in patterns.items() if isinstance(value, dict) else ():
        for name, one in value.items():
            if _matches(pattern, name):
                yield from judge.descend(one, schema, path=name, schema_path=pattern)


def _others(judge: Any, others: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    """Additional properties: those that are named neither by themselves nor by a pattern."""
    patterns = schema.get("patternProperties", {})
    matched = [
        name
        for name in (value if patterns and isinstance(value, dict) else ())
        if any(_matches(pattern, name) is not False for pattern in patterns)
    ]
    known = {"properties": {**schema.get("properties", {}), **dict.fromkeys(matched)}}
    yield from _OWN["additionalProperties"](judge, others, value, known) or ()


def _unique(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[ValidationError]:
    """In the time of one look at each."""
    if wanted and isinstance(value, list):
        texts = {json.dumps(one, sort_keys=True) for one in value}
        if len(texts) < len(value):
            yield ValidationError("It has something twice")


def _unjudged(*_: Any) -> tuple[()]:
    return ()


def _followed(keyword: str) -> Any:
    def follow(judge: Any, reference: str, value: Any, schema: Any) -> Iterator[ValidationError]:
        _left.set(_left.get() - 1)
        if _left.get() < 0:
            raise RecursionError("its references have no end")
        yield from _OWN[keyword](judge, reference, value, schema) or ()

    return follow


_Validator: Final = extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _named,
        "additionalProperties": _others,
        "uniqueItems": _unique,
        "unevaluatedProperties": _unjudged,
        "unevaluatedItems": _unjudged,
        **{keyword: _followed(keyword) for keyword in ("$ref", "$dynamicRef")},
    },
)
