"""Handlers that the user's own injection container builds, and the scope of one execution.

A class is a handler by its method `__call__`, `run` or `handle`; an instance of it is made
for each execution. A scope is opened before a handler gets anything from outside, and is
closed when it has returned or raised.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from stepwell.annotated import signature_of
from stepwell.errors import HandlerInvalid
from stepwell.step import Step

Resolver: TypeAlias = Callable[[str, Any], Any]
"""The injection hook: parameter name and annotation -> the object for it. For an `async def`
handler it may return an awaitable of it. A class that is a handler is asked for as 'handler'."""
Scope: TypeAlias = Callable[[Step], AbstractContextManager[Resolver]]
"""Opens what lives as long as one execution, and gives its hook."""
AsyncScope: TypeAlias = Callable[[Step], AbstractAsyncContextManager[Resolver]]
"""The same, entered and left on the event loop, for `async def` handlers."""

METHODS: Final = ("__call__", "run", "handle")
"""By which of these a class is a handler: it has one of them."""
INSTANCE: Final = "handler"
"""The name by which the hook is asked for the instance of a class."""


@dataclass(frozen=True, slots=True)
class Injection:
    """How the objects of one registry come into being. All of it may be missing."""

    resolve: Resolver | None = None
    scope: Scope | None = None
    async_scope: AsyncScope | None = None

    @property
    def is_per_execution(self) -> bool:
        """Whether something is opened and closed for each execution."""
        return self.scope is not None or self.async_scope is not None

    def fills(self, *, is_async: bool) -> bool:
        """Whether there is a hook for such a handler."""
        hooks = (self.resolve, self.scope, self.async_scope if is_async else None)
        return any(hook is not None for hook in hooks)

    def open(self, step: Step) -> AbstractContextManager[Resolver]:
        """The scope of one execution of a `def`; its value is the hook to ask."""
        return nullcontext(self.resolve or _made) if self.scope is None else self.scope(step)

    def open_async(self, step: Step) -> AbstractAsyncContextManager[Resolver]:
        """The scope of one execution of an `async def`."""
        if self.async_scope is not None:
            return self.async_scope(step)
        return _OnLoop(self.open(step))


class _OnLoop(AbstractAsyncContextManager[Resolver]):
    """A plain scope, entered on the event loop."""

    def __init__(self, plain: AbstractContextManager[Resolver]) -> None:
        self._plain = plain

    async def __aenter__(self) -> Resolver:
        return self._plain.__enter__()

    async def __aexit__(self, *raised: object) -> bool | None:
        return self._plain.__exit__(*raised)  # type: ignore[arg-type]


def method_of(kind: type) -> str:
    """The name of the method by which a class is a handler.

    Raises
    ------
    HandlerInvalid : it has none of them, or several.
    """
    found = [name for name in METHODS if inspect.isroutine(_own(kind, name))]
    if len(found) == 1:
        return found[0]
    raise HandlerInvalid(
        f"The class {kind.__qualname__} has {' and '.join(found) or 'no method'} to be called.",
        why="A class is a handler by one of the methods __call__, run and handle.",
        fix="Give it one of them.",
    )


def check_made(kind: type) -> None:
    """Refuse a class that cannot be made without a container.

    Raises
    ------
    HandlerInvalid : its constructor takes what nobody gives.
    """
    try:
        signature_of(kind).bind()
    except TypeError as error:
        raise HandlerInvalid(
            f"The class {kind.__qualname__} cannot be made: {error}.",
            why="Without an injection hook a handler's class is made without arguments.",
            fix="Make the registry with resolve= or scope=.",
        ) from error


def _own(kind: type, name: str) -> Any:
    """The attribute of a class; `type.__call__` is none of its own."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _made(name: str, kind: Any) -> Any:
    """Without any hook, a class that is a handler is made without arguments."""
    return kind()
