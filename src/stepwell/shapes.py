"""Plain JSON values as annotated types, by the standard library alone.

It knows what people write in the states of steps: dataclasses, TypedDicts, enums, dates,
UUIDs and the like, in lists, dicts, tuples, Optional and unions. It converts nothing that
JSON tells apart: a string is no number. A class of pydantic, deep inside, makes itself.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

_FROM_TEXT: Final[dict[Any, Callable[[str], Any]]] = {
    UUID: UUID,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    time: time.fromisoformat,
    Path: Path,
    PurePath: PurePath,
}
_LISTS: Final[dict[Any, Any]] = {
    list: list,
    Sequence: list,
    set: set,
    frozenset: frozenset,
}


def shaped(value: Any, annotation: Any) -> Any:
    """The JSON value as the annotated type; as it is, where the type is not known here.

    Raises
    ------
    TypeError, ValueError : it does not fit; the message says where.
    """
    origin = get_origin(annotation)
    if annotation in (None, types.NoneType):
        return _exactly(value, types.NoneType)
    if origin is not None:
        return _generic(value, annotation, origin)
    if typing.is_typeddict(annotation) or _is_extended_typeddict(annotation):
        return _dict(value, annotation)
    return _class(value, annotation) if isinstance(annotation, type) else value


def _generic(value: Any, annotation: Any, origin: Any) -> Any:
    inner = get_args(annotation)
    if origin in (Union, types.UnionType):
        return _union(value, annotation, inner)
    if origin in (typing.Annotated, typing.Required, typing.NotRequired, typing.Final):
        return shaped(value, inner[0])
    if origin in _LISTS:
        items = _exactly(value, list)
        return _LISTS[origin](_at(n, item, inner[0]) for n, item in enumerate(items))
    convert = _GENERICS.get(origin)
    return value if convert is None else convert(value, inner)


def _union(value: Any, annotation: Any, inner: tuple[Any, ...]) -> Any:
    """The first that fits; what needs no conversion goes first, as a string in `date | str`."""
    for kind in sorted(inner, key=lambda kind: type(value) is not kind):
        try:
            return shaped(value, kind)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{type(value).__name__} is not {annotation}")


def _one_of(value: Any, allowed: tuple[Any, ...]) -> Any:
    if not any(type(value) is type(one) and value == one for one in allowed):
        raise ValueError(f"{value!r} is none of {', '.join(map(repr, allowed))}")
    return value


def _mapping(value: Any, inner: tuple[Any, ...]) -> dict[Any, Any]:
    given = _exactly(value, dict).items()
    return {shaped(key, inner[0]): _at(key, item, inner[1]) for key, item in given}


def _tuple(value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:
    items = _exactly(value, list)
    if inner[-1:] == (Ellipsis,):
        return tuple(_at(n, item, inner[0]) for n, item in enumerate(items))
    if len(items) != len(inner):
        raise ValueError(f"{len(items)} items, and not {len(inner)}")
    return tuple(
        _at(n, item, kind) for n, (item, kind) in enumerate(zip(items, inner, strict=True))
    )


_GENERICS: Final[dict[Any, Callable[[Any, tuple[Any, ...]], Any]]] = {
    Literal: _one_of,
    dict: _mapping,
    Mapping: _mapping,
    tuple: _tuple,
}


def _class(value: Any, kind: type) -> Any:
    if dataclasses.is_dataclass(kind):
        return _dataclass(value, kind)
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    if kind in _FROM_TEXT:
        return _FROM_TEXT[kind](_exactly(value, str))
    if issubclass(kind, Enum):
        return kind(value)
    return _PLAIN[kind](value) if kind in _PLAIN else value


def _dataclass(value: Any, kind: type) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    given = _exactly(value, dict)
    known = {field.name for field in dataclasses.fields(kind) if field.init}
    if unknown := given.keys() - known:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**{name: _at(name, item, hints[name]) for name, item in given.items()})


def _dict(value: Any, kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    given = _exactly(value, dict)
    # Where annotations are strings, the class does not know which keys are NotRequired.
    may_lack = {name for name, hint in hints.items() if get_origin(hint) is typing.NotRequired}
    if missing := kind.__required_keys__ - may_lack - given.keys():
        raise TypeError(f"{kind.__name__} needs {', '.join(sorted(missing))}")
    return {name: _at(name, given[name], hint) for name, hint in hints.items() if name in given}


def _is_extended_typeddict(kind: Any) -> bool:
    """That of typing_extensions, which is no TypedDict to `typing`."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def _at(where: Any, value: Any, annotation: Any) -> Any:
    try:
        return shaped(value, annotation)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error


def _exactly(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{type(value).__name__} is not {kind.__name__}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{type(value).__name__} is no number")
    return value


_PLAIN: Final[dict[Any, Callable[[Any], Any]]] = {
    **{kind: partial(_exactly, kind=kind) for kind in (str, int, bool, list, dict)},
    set: lambda value: set(_exactly(value, list)),
    frozenset: lambda value: frozenset(_exactly(value, list)),
    tuple: lambda value: tuple(_exactly(value, list)),
    float: lambda value: float(_number(value)),
    timedelta: lambda value: timedelta(seconds=_number(value)),
}
