"""One step's life between its claim and its settlement, as named lines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any

from stepwell.clock import Clock
from stepwell.codec import Codec
from stepwell.engine.joining import Member
from stepwell.engine.judgement import (
    Facts,
    as_outcome,
    failed_with,
    headline,
    judge,
    judge_error,
)
from stepwell.errors import HandlerInvalid, StepwellError
from stepwell.events import emit, heard
from stepwell.outcome import Outcome, Settlement
from stepwell.registry import Handler, Registry
from stepwell.step import Step


def _nobody(step: Step) -> list[Member]:
    return []


class Execution:
    """One run of one claimed step: `run` for plain functions, `run_async` for coroutines."""

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
        self._codec = codec
        self._clock = clock
        self._executed_by = executed_by
        self._started_at: datetime = clock.now()
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

    def rejected(self, error: StepwellError) -> Settlement:
        """The settlement after the store has refused this execution's data (R16)."""
        return failed_with(self._facts(), error)

    def retried(self, error: Exception) -> Settlement:
        """The same, where the refusal counts as a failed attempt (R26, R38)."""
        return self._judged_error(error)

    @property
    def seconds(self) -> float:
        """How long it has been running, as of now."""
        return self._clock.monotonic() - self._begun

    def _begin(self, connection: Any) -> None:
        self._connection, self.error = connection, None
        self._started_at, self._begun = self._clock.now(), self._clock.monotonic()
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
        return self.handler.function(
            **{name: self._argument(name, kind) for name, kind in self.handler.parameters.items()}
        )

    def _returned(self, value: Any) -> Any:
        if value is None or not inspect.isawaitable(value):
            return value
        if inspect.iscoroutine(value):
            value.close()
        raise HandlerInvalid(
            f"The handler of {self.step.name!r} is a plain function, but returned an awaitable.",
            fix="Make it an `async def`, so that it runs on the event loop.",
        )

    def _argument(self, name: str, annotation: Any) -> Any:
        match name:
            case "step":
                return self.step
            case "state":
                return self._decoded(self.step.state, annotation)
            case "activation":
                return self._decoded(self.step.activation_args, annotation)
            case "connection":
                return self._connection
            case "joined":
                return self._members(self.step) if self._joined is None else self._joined
            case _:
                assert self._resolve is not None, "the registry has checked this"
                return self._resolve(name, annotation)

    def _decoded(self, text: str | None, annotation: Any) -> Any:
        return None if text is None else self._codec.decode(text, annotation)

    def _judged(self, outcome: Outcome) -> Settlement:
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
        except Exception as unfit:  # the handler's `exhausted` is user code as well
            return failed_with(facts, unfit)

    def _facts(self) -> Facts:
        return Facts(
            self.step,
            self.handler,
            self._codec,
            self._started_at,
            self._clock.monotonic() - self._begun,
            self._executed_by,
        )

    def _raised(self, error: BaseException) -> Settlement:
        self.error = error
        return self._told(self._judged_error(error), error)

    def _told(self, settlement: Settlement, error: BaseException | None = None) -> Settlement:
        if heard():
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
