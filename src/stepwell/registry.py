"""Step name -> handler, and how a handler's parameters are filled.

A handler is a function or coroutine function. Its parameters are filled by
name: `state` (decoded to its annotated type), `step` (the row), `activation`
(the activation arguments, or None), `joined` (the steps that it has waited for, R28),
`connection` (what it writes there commits with its step, R26) and `cancelled` (a
`threading.Event` that says that its outcome is no longer wanted). Any other parameter is
asked of the injection hook. A class is a handler by one of its methods: see `injection`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from stepwell import given
from stepwell.annotated import hints_of, signature_of
from stepwell.errors import HandlerInvalid
from stepwell.injection import AsyncScope, Injection, Resolver, Scope, check_made, method_of
from stepwell.outcome import Outcome
from stepwell.retry import DEFAULT, RetryPolicy
from stepwell.step import Retention, Step, check_name

Function: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=Function)

CONNECTION: Final = "connection"
"""The parameter that takes a handler out of the group commit (R26)."""
JOINED: Final = "joined"
"""The parameter that takes the members of a join (R28)."""
CANCELLED: Final = "cancelled"
"""The parameter by which a handler learns that its outcome is no longer wanted."""
READ: Final = frozenset({"state", "activation"})
"""The parameters that are read from text, as the types that they have."""
OWN: Final = frozenset({"state", "step", "activation", CONNECTION, JOINED, CANCELLED})
TRANSACTION_SECONDS: Final = 30.0
"""How long the transaction of such a handler may take, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Handler:
    """The code that a step name points at, with what the engine must know of it.

    `method` is that of a class; `is_guarded` says that it can be told or made to end early,
    `is_built` that something is made for each execution.
    """

    function: Function
    names: tuple[str, ...]
    parameters: Mapping[str, Any]
    is_async: bool
    retry: RetryPolicy = DEFAULT
    exhausted: Callable[[Step, BaseException], Outcome] | None = None
    needs_injection: tuple[str, ...] = field(default=())
    transaction_timeout: float = TRANSACTION_SECONDS
    classes: Mapping[str, Retention] = field(default_factory=dict, repr=False)
    """Those of its registry: how long the steps that it spawns are kept (R23)."""
    timeout: float | None = None
    process: bool = False
    method: str | None = None
    is_guarded: bool = False
    is_built: bool = False
    exactly_once: bool = field(init=False)
    """Whether it writes in the transaction that settles its step (R26)."""
    reads_members: bool = field(init=False)
    """Whether it wants the steps that its step has waited for (R28)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "exactly_once", CONNECTION in self.parameters)
        object.__setattr__(self, "reads_members", JOINED in self.parameters)


class Registry:
    """The handlers of one engine.

    Parameters
    ----------
    resolve : called with name and annotation for each parameter that Stepwell
        does not fill itself; this is where an injection container plugs in.
    scope : called with the step before a handler that needs injection is run; returns a
        context manager whose value takes the place of `resolve` for this execution.
    async_scope : the same for `async def` handlers, with an asynchronous context manager;
        by default they get `scope` too.
    """

    def __init__(
        self,
        resolve: Resolver | None = None,
        *,
        scope: Scope | None = None,
        async_scope: AsyncScope | None = None,
    ) -> None:
        self._by_name: dict[str, Handler] = {}
        self.resolve = resolve
        self.injection = Injection(resolve, scope, async_scope)
        self.classes: dict[str, Retention] = {}
        """Step name -> how long its steps are kept, where a handler says so (R23)."""

    @property
    def names(self) -> tuple[str, ...]:
        """The step names handled here, sorted."""
        return tuple(sorted(self._by_name))

    @property
    def exactly_once(self) -> tuple[str, ...]:
        """The step names whose handlers ask for the connection, sorted (R26)."""
        return tuple(name for name in self.names if self._by_name[name].exactly_once)

    def handles(self, name: str) -> bool:
        """Whether there is a handler of a step name."""
        return name in self._by_name

    def find(self, name: str) -> Handler:
        """The handler of a step name; KeyError if there is none."""
        return self._by_name[name]

    def read_types(self) -> None:
        """Look once more for types that were not there yet when their handlers were registered.

        Raises
        ------
        HandlerInvalid : that of a state or of arguments is still not there.
        """
        for name, handler in self._by_name.items():
            if None in handler.parameters.values():
                try:
                    found = _parameters(handler.function, handler.method, READ)
                except NameError as missing:
                    raise _untyped(handler.function, missing) from missing
                self._by_name[name] = replace(handler, parameters=found)

    def without(self, *names: str) -> Registry:
        """Another registry with the handlers of all other names: those are handled elsewhere."""
        made = Registry(self.resolve)
        made.injection, left_out = self.injection, frozenset(names)
        made.classes = self.classes
        made._by_name = {k: v for k, v in self._by_name.items() if k not in left_out}
        return made

    def handler(
        self,
        *names: str,
        retry: RetryPolicy = DEFAULT,
        exhausted: Callable[[Step, BaseException], Outcome] | None = None,
        transaction_timeout: float | None = None,
        timeout: float | None = None,
        process: bool = False,
        retention: Retention = Retention.STANDARD,
    ) -> Callable[[F], F]:
        """Decorate a function, or a class, as the handler of one or more step names.

        Parameters
        ----------
        names : step names; a version in the name ('v1/...') lets two live side by side.
        retry : what happens after an exception.
        exhausted : called when the attempts are used up; its outcome ends the
            step. By default the step fails with the error.
        transaction_timeout : seconds that a handler with the parameter `connection` may
            take, 30 by default (R26).
        timeout : seconds that an execution may take; then it is a failed attempt at once.
            A coroutine is cancelled and a process killed. A thread cannot be: it goes on,
            keeps its slot until it returns, and what it returns counts for nothing.
        process : run it in a process of its own, for work that needs the CPU for long.
        retention : the class of steps of these names that are added through an engine with
            this registry and do not name one: how long they stay after their end.

        Raises
        ------
        HandlerInvalid : no name, a name that is taken, or a parameter that nobody fills;
            an `async def` with the parameter `connection`; a time limit that limits nothing;
            a function that another process cannot import; a generator.
        InvalidInput : a name that no step can have, or an option of another type.
        """
        _check_decorated(names)

        def register(function: F) -> F:
            self.add(
                function,
                *names,
                retry=retry,
                exhausted=exhausted,
                transaction_timeout=transaction_timeout,
                timeout=timeout,
                process=process,
                retention=retention,
            )
            return function

        return register

    def add(
        self,
        function: Function,
        *names: str,
        retry: RetryPolicy = DEFAULT,
        exhausted: Callable[[Step, BaseException], Outcome] | None = None,
        transaction_timeout: float | None = None,
        timeout: float | None = None,
        process: bool = False,
        retention: Retention = Retention.STANDARD,
    ) -> Handler:
        """Register a function; see `handler`."""
        self._check_names(names, function)
        retention = _check_options(retry, exhausted, timeout, transaction_timeout, retention)
        method = method_of(function) if isinstance(function, type) else None
        parameters = _parameters(function, method)
        foreign = tuple(name for name in parameters if name not in OWN)
        called = getattr(function, method) if method else function
        _check_no_generator(function, called)
        is_async = _is_async(called)
        fills = self.injection.fills(is_async=is_async)
        if foreign and not fills:
            raise _unfilled(function, foreign)
        if isinstance(function, type) and not fills:
            check_made(function)
        made = Handler(
            function,
            names,
            parameters,
            is_async,
            retry,
            exhausted,
            foreign,
            TRANSACTION_SECONDS if transaction_timeout is None else transaction_timeout,
            self.classes,
            timeout=timeout,
            process=process,
            method=method,
            is_guarded=process or timeout is not None or CANCELLED in parameters,
            is_built=method is not None or (bool(foreign) and self.injection.is_per_execution),
        )
        _check_transaction(made, transaction_timeout)
        _check_guards(made)
        self._by_name.update(dict.fromkeys(names, made))
        self.classes.update(dict.fromkeys(names, retention))
        return made

    def _check_names(self, names: tuple[str, ...], function: Function) -> None:
        if not callable(function):
            raise HandlerInvalid(
                f"{function!r} cannot be called, so it is no handler.",
                fix="Register a function, a coroutine function, a class or an object to call.",
            )
        if not names:
            raise HandlerInvalid(
                f"{_label(function)} is registered under no name.",
                fix="Name the steps it handles: @registry.handler('v1/send-invoice').",
            )
        for name in names:
            check_name(name)
            if name in self._by_name:
                raise HandlerInvalid(
                    f"The step name {name!r} has two handlers.",
                    why=f"{_label(self._by_name[name].function)} and {_label(function)}.",
                    fix="Give one of them another name.",
                )


def _check_decorated(names: tuple[Any, ...]) -> None:
    """Refuse `@registry.handler` without a name: the function itself would be taken for one,
    and nothing be registered."""
    if names and callable(names[0]):
        raise HandlerInvalid(
            f"{_label(names[0])} is registered under no name.",
            fix="Name the steps it handles: @registry.handler('v1/send-invoice').",
        )


def _check_no_generator(function: Function, called: Any) -> None:
    written = _written(called)
    if inspect.isgeneratorfunction(written) or inspect.isasyncgenfunction(written):
        raise HandlerInvalid(
            f"{_label(function)} is a generator: nothing of it would be executed.",
            why="It has a `yield`, and a handler returns its outcome once.",
            fix="Return done(next=[...]) with the steps that are to follow.",
        )


def _check_options(
    retry: RetryPolicy,
    exhausted: Any,
    timeout: float | None,
    transaction_timeout: float | None,
    retention: Retention,
) -> Retention:
    given.of_type("retry", retry, RetryPolicy, "Give a policy: RetryPolicy(attempts=3).")
    if not (exhausted is None or callable(exhausted)):
        raise HandlerInvalid(
            f"exhausted={exhausted!r} cannot be called.",
            fix="Give a function of the step and the error that returns an outcome.",
        )
    for name, seconds in (("timeout", timeout), ("transaction_timeout", transaction_timeout)):
        if seconds is not None:
            given.of_type(name, seconds, (int, float), "Give a number of seconds.")
    return given.member("retention", retention, Retention)


def _check_transaction(handler: Handler, limit: float | None) -> None:
    label = _label(handler.function)
    if handler.exactly_once and handler.is_async:
        raise HandlerInvalid(
            f"{label} is an `async def` and takes the connection.",
            why="The connection is synchronous and would block the event loop.",
            fix="Make it a `def`; it runs in a thread of its own.",
        )
    if limit is not None and not (handler.exactly_once and limit > 0):
        raise HandlerInvalid(
            f"{label} has transaction_timeout={limit}, which limits nothing.",
            why="It is the time in seconds for a handler with the parameter `connection`.",
            fix="Leave it out, or make it more than zero and take `connection`.",
        )


def _check_guards(handler: Handler) -> None:
    """What cannot be told to end, or be run elsewhere, is refused at once."""
    label = _label(handler.function)
    if handler.timeout is not None and (handler.timeout <= 0 or handler.exactly_once):
        raise HandlerInvalid(
            f"{label} has timeout={handler.timeout}, which limits nothing.",
            why="It is more than zero seconds, and not for a handler with `connection`.",
            fix="Leave it out, or use transaction_timeout for a handler with `connection`.",
        )
    told_otherwise = handler.is_async or handler.process or handler.exactly_once
    if CANCELLED in handler.parameters and told_otherwise:
        raise HandlerInvalid(
            f"{label} takes `cancelled`, and would never see it set.",
            why="A coroutine is cancelled itself, a process killed; `connection` locks the row.",
            fix="Take the parameter out.",
        )
    if handler.process:
        _check_process(handler, label)


def _check_process(handler: Handler, label: str) -> None:
    sendable = ("state", "step", "activation", JOINED)
    unfit = [name for name in handler.parameters if name not in sendable]
    if unfit or handler.is_async or handler.method:
        raise HandlerInvalid(
            f"{label} cannot run in another process.",
            why="Nothing but state, step, activation and joined can be sent there.",
            fix="Make it a plain `def` that takes no more than these.",
        )
    if not inspect.isfunction(handler.function) or "<" in handler.function.__qualname__:
        raise HandlerInvalid(
            f"{label} cannot be imported by another process.",
            why="It is found there by the name of its module and its own.",
            fix="Make it a `def` at the top level of a module.",
        )


def _parameters(
    function: Function, method: str | None, needed: Container[str] = ()
) -> dict[str, Any]:
    called = getattr(function, method) if method else function
    hints = hints_of(_written(called), needed)
    named = list(signature_of(called).parameters.values())[1 if method else 0 :]
    wrong = [p for p in named if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if wrong:
        raise HandlerInvalid(
            f"{_label(function)} takes {wrong[0]}.",
            why="A handler's parameters are filled by name.",
            fix="Use plain parameters: state, step, activation, joined, connection.",
        )
    return {p.name: hints.get(p.name) for p in named}


def _written(function: Function) -> Any:
    """The function as it was written, under partials and callable objects."""
    if isinstance(function, partial):
        return _written(function.func)
    return function if inspect.isroutine(function) else function.__call__  # type: ignore[operator]


def _is_async(function: Function) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004 - the method itself is wanted
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _unfilled(function: Function, foreign: tuple[str, ...]) -> HandlerInvalid:
    return HandlerInvalid(
        f"{_label(function)} has parameters that nobody fills: {', '.join(foreign)}.",
        why="Without an injection hook only state, step, activation, joined and connection "
        "are known.",
        fix="Rename them, or make the registry with resolve=.",
    )


def _untyped(function: Function, missing: NameError) -> HandlerInvalid:
    return HandlerInvalid(
        f"{_label(function)} has a parameter whose type cannot be found.",
        why=f"{missing}.",
        fix="Define or import the name at the top of the module.",
    )


def _label(function: Function) -> str:
    return getattr(function, "__qualname__", repr(function))
