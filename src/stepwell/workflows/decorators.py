"""`@operation`: marks a method of a workflow as one of its operations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar, overload

from stepwell.workflows.approvals import Approval

Method: TypeAlias = Callable[..., Any]
M = TypeVar("M", bound=Method)

_MARK: Final = "__stepwell_operation__"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationOptions:
    """What `@operation` was told; checked when the group is discovered. `timeout` in seconds."""

    order: int | None = None
    retries: int = 0
    timeout: float | None = None
    halt_on_error: bool = True
    output: str | None = None
    tags: tuple[str, ...] = ()
    approval: Approval | None = None
    doubles_line: int | None = None


@overload
def operation(method: M) -> M: ...


@overload
def operation(
    *,
    order: int | None = None,
    retries: int = 0,
    timeout: float | timedelta | None = None,
    halt_on_error: bool = True,
    output: str | None = None,
    tags: Iterable[str] = (),
    approval: Approval | None = None,
) -> Callable[[M], M]: ...


def operation(
    method: Any = None,
    *,
    order: int | None = None,
    retries: int = 0,
    timeout: float | timedelta | None = None,
    halt_on_error: bool = True,
    output: str | None = None,
    tags: Iterable[str] = (),
    approval: Approval | None = None,
) -> Any:
    """Mark a method as an operation; it stays a plain method that a test can call.

    Parameters
    ----------
    order : its place among the operations, where the order in the source is not the
        one that is meant (a base class has some). Then every operation needs one.
    retries : how often it is tried again after an exception; 0 is one attempt (R3).
    timeout : seconds or a timedelta; then its process is ended and the attempt has failed.
    halt_on_error : whether its failure ends the run; otherwise the next operation runs.
    output : the name that its return value is bound to; by default the method's own name.
    tags : free words, for people.
    approval : a reviewer has to say yes before it begins; see `Approval`.
    """
    options = OperationOptions(
        order=order,
        retries=retries,
        timeout=seconds(timeout),
        halt_on_error=halt_on_error,
        output=output,
        tags=as_words(tags),
        approval=approval,
    )
    # Called by the class body, whose names so far are in the caller's frame.
    namespace = sys._getframe(1).f_locals  # noqa: SLF001 - the only view of a class in the making
    if method is not None:
        return _marked(method, options, namespace)
    return lambda decorated: _marked(decorated, options, namespace)


def options_of(member: Any) -> OperationOptions | None:
    """What a class member was decorated with, or None if it is no operation."""
    return getattr(_function(member), _MARK, None)


def seconds(duration: float | timedelta | None) -> float | None:
    """A duration in seconds, however it was written."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def as_words(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as a tuple; a single text is one tag and not its letters."""
    return (tags,) if isinstance(tags, str) else tuple(tags)


def _marked(method: Any, options: OperationOptions, namespace: dict[str, Any]) -> Any:
    function = _function(method)
    earlier = namespace.get(getattr(function, "__name__", ""))
    if options_of(earlier) is not None:
        line = _function(earlier).__code__.co_firstlineno
        options = OperationOptions(**{**_fields(options), "doubles_line": line})
    setattr(function, _MARK, options)
    return method


def _function(member: Any) -> Any:
    return getattr(member, "__func__", member)


def _fields(options: OperationOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in OperationOptions.__slots__}
