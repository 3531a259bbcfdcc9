"""Type hints as data types: JSON Schema for the manifest, and values in and out by pydantic."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic import (
    ConfigDict,
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticSerializationError

from stepwell.codec import MAX_BYTES
from stepwell.workflows.errors import TypeUnknown, ValueMisfit

Schema = dict[str, Any]

_CONFIG: Final = ConfigDict(
    ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="strings"
)
_UNUSABLE: Final = (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema)
_UNDEFINED: Final = (NameError, PydanticUndefinedAnnotation)


def adapter(annotation: Any) -> TypeAdapter[Any]:
    """What reads and writes values of an annotated type; bytes are base64, NaN is text."""
    try:
        return _cached(annotation)
    except TypeError:  # not hashable, for example Annotated with a dict in it
        return _made(annotation)


def _made(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=_CONFIG)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(annotation)


_cached = lru_cache(maxsize=1024)(_made)


def input_schema(annotation: Any, where: str) -> Schema:
    """The JSON Schema of what is accepted; see `_schema`."""
    return _schema(annotation, where, "validation")


def output_schema(annotation: Any, where: str) -> Schema:
    """The JSON Schema of what is written; see `_schema`."""
    return _schema(annotation, where, "serialization")


def _schema(annotation: Any, where: str, mode: Any) -> Schema:
    """JSON Schema of a type, with its own `$defs`.

    Raises
    ------
    TypeUnknown : the type has no JSON form; `where` says in words where it stands.
    """
    try:
        return adapter(annotation).json_schema(mode=mode)
    except _UNDEFINED as error:
        raise unresolved(where, error) from error
    except (PydanticUserError, *_UNUSABLE) as error:
        raise TypeUnknown(
            f"{where} has the type {type_name(annotation)}, which has no JSON form.",
            why=str(error).splitlines()[0],
            fix="Use JSON values, dates, dataclasses, TypedDicts or pydantic models; "
            "keep large data in a file or report and hand on its name.",
        ) from error


def unresolved(where: str, error: Exception) -> TypeUnknown:
    """The error for an annotation that names something that does not exist."""
    return TypeUnknown(
        f"{where} has a type that cannot be found.",
        why=f"{error}.",
        fix="Import or define the name at the top of the module, "
        "and not only under `if TYPE_CHECKING`.",
    )


def resolve(annotation: Any, module: Mapping[str, Any], local: Mapping[str, Any]) -> Any:
    """An annotation with the names in its text looked up; raises NameError and SyntaxError."""

    def holder() -> None: ...

    holder.__annotations__ = {"it": annotation}
    return typing.get_type_hints(holder, dict(module), dict(local), include_extras=True)["it"]


def type_name(annotation: Any) -> str:
    """A type as people write it."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")


def read(annotation: Any, value: Any, what: str) -> Any:
    """A plain JSON value as the annotated type.

    Raises
    ------
    ValueMisfit : it does not fit; `what` names it.
    """
    try:
        return adapter(annotation).validate_json(json.dumps(value))
    except ValidationError as error:
        raise ValueMisfit(
            f"{what} does not fit {type_name(annotation)}.", why=reason(error)
        ) from error


def write(annotation: Any, value: Any, what: str, most: int = MAX_BYTES) -> Any:
    """A value as plain JSON, checked against its annotation and the size limit (R4).

    Raises
    ------
    ValueMisfit : it does not fit, has no JSON form, or takes over `most` bytes.
    """
    using = adapter(annotation)
    try:
        text = using.dump_json(using.validate_python(value))
    except ValidationError as error:
        raise ValueMisfit(
            f"{what} does not fit {type_name(annotation)}.", why=reason(error)
        ) from error
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ValueMisfit(
            f"{what} cannot be stored as JSON.",
            why=f"{error}.",
            fix="Return JSON values, dates, dataclasses or models.",
        ) from error
    _check_size(len(text), what, most)
    return json.loads(text)


def _check_size(size: int, what: str, most: int) -> None:
    if size > most:
        raise ValueMisfit(
            f"{what} takes {size:,} bytes.",
            why=f"At most {most:,} bytes are kept as a value.",
            fix="Save the data as a report or in a file, and return what later operations need.",
        )


def reason(error: ValidationError) -> str:
    """What pydantic has found, on one line: the place of each misfit and the message."""
    found = [_misfit(one) for one in error.errors(include_url=False, include_context=False)[:5]]
    more = error.error_count() - len(found)
    return "; ".join(found) + (f"; and {more} more" if more else "") + "."


def _misfit(one: Any) -> str:
    place = ".".join(str(part) for part in one["loc"])
    given = repr(one["input"])
    shown = given if len(given) <= 80 else f"{given[:77]}..."
    return f"{place + ': ' if place else ''}{one['msg']}, given {shown}"
