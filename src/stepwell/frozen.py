"""Making many instances of frozen dataclasses.

A frozen dataclass sets each field by a call, which for a row of forty fields takes longer
than to fetch it. An unfrozen twin with the same slots sets them directly, and then takes
the class of the frozen one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, field, fields, make_dataclass
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def maker(frozen: type[T]) -> Callable[..., T]:
    """A function that makes instances of a frozen dataclass with slots.

    It takes the fields in their order or by name, with their defaults; nothing is checked,
    and no `__post_init__` is called.
    """

    def become(made: Any) -> None:
        made.__class__ = frozen

    return _twin(frozen, {"__post_init__": become})  # type: ignore[no-any-return] # it becomes one


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
    each = [frozen.__dict__[name].__set__ for name in names]

    def assign(instance: Any, *values: Any) -> None:
        for set_one, value in zip(each, values, strict=True):
            set_one(instance, value)

    return assign


def _twin(frozen: Any, namespace: dict[str, Any] | None = None) -> Any:
    return make_dataclass(
        frozen.__name__,  # for the message that a field is unknown
        [_copy(one) for one in fields(frozen)],
        namespace=namespace,
        slots=True,
        eq=False,
    )


def _copy(one: Any) -> tuple[str, Any, Any]:
    if one.default is not MISSING:
        return one.name, Any, field(default=one.default, init=one.init)
    if one.default_factory is not MISSING:
        return one.name, Any, field(default_factory=one.default_factory)
    return one.name, Any, field()
