"""`--param key=value` as JSON values, and mistyped names with their nearest neighbours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import typer

from stepwell.errors import InvalidInput
from stepwell.given import suggestion

Params: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="KEY=VALUE", help="A workflow parameter; repeatable."),
]


class ParameterUnreadable(InvalidInput):
    """A --param that is not key=value."""

    code = "parameter-unreadable"


def texts(given: Sequence[str] | None) -> dict[str, str]:
    """The parameters by name, as they were typed.

    Raises
    ------
    ParameterUnreadable : no `=`, or the same name twice.
    """
    found: dict[str, str] = {}
    for one in given or ():
        key, equals, text = one.partition("=")
        if not equals or not key or key in found:
            raise ParameterUnreadable(
                f"{key!r} is given twice." if key in found else f"{one!r} is no parameter.",
                fix="Write --param name=value, each name once: --param day=2026-01-31.",
            )
        found[key] = text
    return found


def parsed(given: Sequence[str] | None, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The parameters by name: JSON where the text is JSON, else text.

    Parameters
    ----------
    schema : the workflow's parameters as JSON Schema; what must be text there stays text.

    Raises
    ------
    ParameterUnreadable : no `=`, or the same name twice.
    """
    properties = (schema or {}).get("properties", {})
    return {
        key: _value(text, _kinds(properties.get(key, {}))) for key, text in texts(given).items()
    }


def value_of(text: str) -> Any:
    """A number, true, false, null, list or object where the text is one; else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def json_or_text(option: str, text: str) -> Any:
    """As `value_of`; but what begins like an object, a list or a quoted text has to be one.

    Raises
    ------
    InvalidInput : a slip of the keyboard, which as text would reach a handler.
    """
    if text.lstrip()[:1] in ("{", "[", '"'):
        try:
            return json.loads(text)
        except ValueError as error:
            raise InvalidInput(
                f"{option} is no JSON.",
                why=f"{error}: {text}",
                fix="Mend it. A text that begins so is written as JSON, too: '\"[1] is open\"'.",
            ) from error
    return value_of(text)


def _value(text: str, kinds: set[str]) -> Any:
    must_be_text = "string" in kinds and not (text == "null" and "null" in kinds)
    return text if must_be_text else value_of(text)


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema allows at its top."""
    own = schema.get("type", [])
    named = {own} if isinstance(own, str) else set(own)
    return named.union(*(_kinds(one) for one in schema.get("anyOf", [])))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known names, or all of them when they are few."""
    names = sorted(set(known))
    few = f"There are: {', '.join(names)}." if 0 < len(names) <= 8 else ""
    return suggestion(name, names) or few
