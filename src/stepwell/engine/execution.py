"""One step's life between its claim and its settlement, as named lines."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from stepwell.clock import Clock
from stepwell.codec import Codec, decoded, decoded_by_any
from stepwell.engine.deadlines import Deadline, standing
from stepwell.engine.joining import Member
from stepwell.engine.judgement import (
    OUTCOMES,
    Facts,
    as_outcome,
    failed_with,
    headline,
    judge,
    judge_error,
)
from stepwell.errors import HandlerInvalid, StepTimedOut, StepwellError
from stepwell.events import emit, heard
from stepwell.injection import INSTANCE
from stepwell.outcome import Outcome, Settlement
from stepwell.registry import Handler, Registry
from stepwell.step import Step


def _nobody(step: Step) -> list[Member]:
    return []


class Execution:
    """One run of one claimed step: `run` for plain functions, `run_async` for coroutines."""

    cancelled: threading.Event | None = None
    """Set when the outcome is no longer wanted; made for a handler that asks for it."""
    deadline: Deadline | None = None
    """When it must have ended, if its handler has a timeout."""
    thread: int | None = None
    """The identifier of the thread in which a handler with a timeout runs."""
    late: tuple[Settlement, BaseException] | None = None
    """What has become of it, if its time was over before it returned."""
    apart: Callable[[Callable[..., Any], dict[str, Any]], Any] | None = None
    """Calls the function in another process."""

    def __init__(
        self,
        step: Step,
        registry: Registry,
        codec: Codec,
        clock: Clock,
        executed_by: str,
        members: Callable[[Step], list[Member]] = _nobody,
    ) -> None:
        self.step = step
        self._members = members
        self.handler: Handler = registry.find(step.name)
        self._resolve = registry.resolve
        self._injection = registry.injection
        self.codec = codec
        self._clock = clock
        self.executed_by = executed_by
        self.started_at: datetime
        """At the store's clock."""
        self.duration = 0.0
        """Seconds until its outcome was judged."""
        self._begun = clock.monotonic()
        self._connection: Any = None
        self._joined: list[Member] | None = None
        self.error: BaseException | None = None
        """What was raised, or why the outcome cannot be kept; None while all is well."""

    def run(self, connection: Any = None) -> Settlement:
        """Call the handler and judge what came of it. Never raises for the handler's sake.

        Parameters
        ----------
        connection : handed to a handler that asks for it (R26).
        """
        self._begin(connection)
        try:
            outcome = as_outcome(self._returned(self._call()), self.handler)
        except BaseException as error:  # sys.exit() in a handler fails the step, not the engine
            return self._raised(error)
        return self._told(self._judged(outcome))

    async def run_async(self) -> Settlement:
        """The same for a handler that is awaited on the event loop."""
        self._begin(None)
        try:
            if self.handler.reads_members:  # which blocks, as the event loop must not
                self._joined = await asyncio.to_thread(self._members, self.step)
            outcome = as_outcome(await self._call(), self.handler)
        except BaseException as error:
            return self._raised(error)
        return self._told(self._judged(outcome))

    def not_begun(self, error: Exception) -> Settlement:
        """A failed attempt where the handler could not be called at all."""
        self._begin(None)
        return self._raised(error)

    def rejected(self, error: StepwellError) -> Settlement:
        """The settlement after the store has refused this execution's data (R16)."""
        return failed_with(self._facts(), error)

    def retried(self, error: Exception) -> Settlement:
        """The same, where the refusal counts as a failed attempt (R26, R38)."""
        return self._judged_error(error)

    def timed_out(self) -> Settlement:
        """The settlement when its time is over, while the handler still runs.

        Where its thread stands is shown; `step.executed` is told when it returns. On a busy machine
        the time may be over before the handler is called.
        """
        handler = self.handler
        if not hasattr(self, "started_at"):
            self.started_at = self._clock.now() - timedelta(seconds=self.seconds)
        assert handler.timeout is not None, "only then there is a deadline"
        goes_on = not (handler.is_async or handler.process)
        error = StepTimedOut(handler.timeout, goes_on=goes_on)
        settlement = self._judged_error(error.with_traceback(standing(self.thread)))
        self.error, self.late = error, (settlement, error)
        return settlement

    @property
    def seconds(self) -> float:
        """How long it has been running, as of now."""
        return self._clock.monotonic() - self._begun

    def _begin(self, connection: Any) -> None:
        self._connection, self.error = connection, None
        self.started_at, self._begun = self._clock.now(), self._clock.monotonic()
        if heard():
            emit(
                "step.started",
                step=self.step.id,
                name=self.step.name,
                queue=self.step.queue,
                flow=self.step.flow_id,
                spawned_by=self.step.created_by_step_id,
                execution=self.step.execution_count + 1,
            )

    def _call(self) -> Any:
        if self.handler.is_built:
            return self._call_async() if self.handler.is_async else self._call_built()
        if self.apart is not None:
            return self.apart(self.handler.function, self._arguments())
        return self.handler.function(**self._arguments())

    def _call_built(self) -> Any:
        with self._injection.open(self.step) as self._resolve:
            return self._returned(self._built()(**self._arguments()))

    async def _call_async(self) -> Any:
        async with self._injection.open_async(self.step) as self._resolve:
            function = self._built()
            if inspect.isawaitable(function):
                function = await function
            given = self._arguments()
            for name in self.handler.needs_injection:
                if inspect.isawaitable(given[name]):
                    given[name] = await given[name]
            return await function(**given)

    def _built(self) -> Any:
        """What to call; for a class, the method of a new instance."""
        handler = self.handler
        if handler.method is None:
            return handler.function
        assert self._resolve is not None, "the scope has given one"
        made = self._resolve(INSTANCE, handler.function)
        if inspect.isawaitable(made):
            return _method_of(made, handler.method)
        return getattr(made, handler.method)

    def _arguments(self) -> dict[str, Any]:
        argument = self._argument
        return {name: argument(name, kind) for name, kind in self.handler.parameters.items()}

    def _returned(self, value: Any) -> Any:
        if value is None or isinstance(value, OUTCOMES) or not inspect.isawaitable(value):
            return value
        if inspect.iscoroutine(value):
            value.close()
        raise HandlerInvalid(
            f"The handler of {self.step.name!r} is a plain function, but returned an awaitable.",
            fix="Make it an `async def`, so that it runs on the event loop.",
        )

    def _argument(self, name: str, annotation: Any) -> Any:
        match name:
            case "state":
                return self._state(annotation)
            case "step":
                return self.step
            case "activation":
                return self._activation(annotation)
            case _:
                return self._rarer(name, annotation)

    def _rarer(self, name: str, annotation: Any) -> Any:
        match name:
            case "connection":
                return self._connection
            case "joined":
                return self._members(self.step) if self._joined is None else self._joined
            case "cancelled":
                self.cancelled = self.cancelled or threading.Event()
                return self.cancelled
            case _:
                assert self._resolve is not None, "the registry has checked this"
                return self._resolve(name, annotation)

    def _state(self, annotation: Any) -> Any:
        step = self.step
        if step.state is None:
            return None
        return decoded(self.codec, step.state, step.state_format, annotation)

    def _activation(self, annotation: Any) -> Any:
        text = self.step.activation_args
        return None if text is None else decoded_by_any(self.codec, text, annotation)

    def _judged(self, outcome: Outcome | Settlement) -> Settlement:
        facts = self._facts()
        try:
            return judge(facts, outcome)
        except Exception as error:  # whatever a value's own code raises must not strand the step
            self.error = error
            return failed_with(facts, error)

    def _judged_error(self, error: BaseException) -> Settlement:
        facts = self._facts()
        try:
            return judge_error(facts, error)
        except BaseException as unfit:  # the handler's `exhausted` is user code as well
            return failed_with(facts, unfit)

    def _facts(self) -> Facts:
        """This execution, as of now."""
        self.duration = self._clock.monotonic() - self._begun
        return self

    def _raised(self, error: BaseException) -> Settlement:
        self.error = error
        return self._told(self._judged_error(error), error)

    def _told(self, settlement: Settlement, error: BaseException | None = None) -> Settlement:
        if heard():
            settlement, error = self.late or (settlement, error)
            emit(
                "step.executed",
                step=self.step.id,
                name=self.step.name,
                ended_as=settlement.ended_as,
                duration=settlement.execution_duration,
                failure_count=settlement.failure_count,
                error=None if error is None else headline(error, typed=True),
            )
        return settlement


async def _method_of(made: Awaitable[Any], method: str) -> Any:
    return getattr(await made, method)
