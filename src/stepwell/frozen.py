"""Making many instances of frozen dataclasses.

A frozen dataclass sets each field by a call, which for a row of forty fields takes longer
than to fetch it. An unfrozen twin with the same slots sets them directly, and then takes
the class of the frozen one. A function that is written for it, as dataclasses write their
`__init__`, does so without a further call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, make_dataclass
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def maker(frozen: type[T]) -> Callable[..., T]:
    """A function that makes instances of a frozen dataclass with slots.

    It takes the fields in their order or by name, with their defaults; nothing is checked,
    and no `__post_init__` is called.
    """
    name, own = frozen.__name__, fields(frozen)  # type: ignore[arg-type] # it is a dataclass
    known: dict[str, Any] = {"_new": object.__new__, "_twin": _twin(frozen), "_frozen": frozen}
    parameters = [_parameter(one, known) for one in own]
    lines = [
        f"def {name}({', '.join(filter(None, parameters))}):",
        "    made = _new(_twin)",
        *[f"    made.{one.name} = {_value(one)}" for one in own],
        "    made.__class__ = _frozen",
        "    return made",
    ]
    exec("\n".join(lines), known)  # noqa: S102 - made of the names of fields alone
    return known[name]  # type: ignore[no-any-return] # the function that was just written


def _parameter(one: Field[Any], known: dict[str, Any]) -> str:
    """As it stands in the head of the function; empty if nobody may give it."""
    made_anew = one.default_factory is not MISSING
    default = one.default_factory if made_anew else one.default
    known[f"_of_{one.name}"] = default
    if default is MISSING:
        return one.name
    return f"{one.name}=_of_{one.name}" if one.init else ""


def _value(one: Field[Any]) -> str:
    """What the field is set to."""
    default = f"_of_{one.name}"
    if one.default_factory is not MISSING:
        return f"{default}() if {one.name} is {default} else {one.name}"
    return one.name if one.init else default


def reader(
    frozen: type[T], names: Sequence[str], readers: Mapping[str, Callable[[Any], Any]]
) -> Callable[[Sequence[Any]], T]:
    """A function that makes an instance of a row with these columns.

    Parameters
    ----------
    names : of the columns, with one of each field; others are passed over.
    readers : what makes a field's value of the column's, where that is not null.
    """
    own = {one.name for one in fields(frozen)}  # type: ignore[arg-type] # it is a dataclass
    places = [f"made.{name}" if name in own else "_" for name in names]
    read = [name for name in names if name in own and name in readers]
    lines = [
        "def read(row):",
        "    made = _new(_twin)",
        f"    {', '.join(places)}, = row",
        *[f"    if made.{one} is not None: made.{one} = _read_{one}(made.{one})" for one in read],
        "    made.__class__ = _frozen",
        "    return made",
    ]
    known: dict[str, Any] = {"_new": object.__new__, "_twin": _twin(frozen), "_frozen": frozen}
    known.update({f"_read_{name}": readers[name] for name in read})
    exec("\n".join(lines), known)  # noqa: S102 - made of the names of fields alone
    return known["read"]  # type: ignore[no-any-return] # the function that was just written


def changer(frozen: type[T]) -> Callable[..., T]:
    """A function that copies an instance with other values for some fields, as `replace` does."""
    twin = _twin(frozen)
    values = attrgetter(*(one.name for one in fields(twin)))

    def change(instance: T, **changes: Any) -> T:
        made = twin(*values(instance))
        for name, value in changes.items():
            setattr(made, name, value)
        made.__class__ = frozen
        return made  # type: ignore[no-any-return] # its class was set

    return change


def setter(frozen: type[Any], *names: str) -> Callable[..., None]:
    """A function that sets these fields, in this order, of an instance that nobody else sees."""
    lines = [
        f"def assign(instance, {', '.join(names)}):",
        *[f"    _set_{name}(instance, {name})" for name in names],
    ]
    known = {f"_set_{name}": frozen.__dict__[name].__set__ for name in names}
    exec("\n".join(lines), known)  # noqa: S102 - made of the names of fields alone
    return known["assign"]  # type: ignore[no-any-return] # the function that was just written


def _twin(frozen: Any) -> Any:
    return make_dataclass(
        frozen.__name__, [_copy(one) for one in fields(frozen)], slots=True, eq=False
    )


def _copy(one: Any) -> tuple[str, Any, Any]:
    if one.default is not MISSING:
        return one.name, Any, field(default=one.default, init=one.init)
    if one.default_factory is not MISSING:
        return one.name, Any, field(default_factory=one.default_factory)
    return one.name, Any, field()
