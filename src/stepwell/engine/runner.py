"""Running held steps: on threads or on the event loop, and handing their outcomes on."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from stepwell.clock import Clock
from stepwell.codec import Codec
from stepwell.engine.committer import Answered, Ended
from stepwell.engine.crew import Crew
from stepwell.engine.deadlines import Deadlines
from stepwell.engine.execution import Execution
from stepwell.engine.held import Held, Holding
from stepwell.engine.intake import SMOOTHING, moved, smoothed
from stepwell.engine.joining import Member
from stepwell.engine.once import Once
from stepwell.engine.processes import Job, Processes
from stepwell.errors import InvalidInput
from stepwell.events import emit
from stepwell.outcome import Settlement
from stepwell.registry import Registry
from stepwell.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many handlers of one engine run at once, how many threads stay without work, and
    how many processes there are at most.

    Raises
    ------
    InvalidInput : more of the fewest than of the most.
    """

    most: int
    fewest: int
    processes: int = 1

    def __post_init__(self) -> None:
        if self.fewest > self.most:
            raise InvalidInput(
                f"min_workers={self.fewest} does not go with workers={self.most}.",
                why="The number of workers moves between the two.",
                fix="Give at most as many as workers=.",
            )


GUESS: Final = 0.0005
"""Seconds that most handlers are taken to need before one has ended. What is locked for that and
cannot begin is let go with its burst; what is claimed in writing for it would wait for a second,
and so has no such guess."""
FEW: Final = round(1 / SMOOTHING)
"""After so many handlers the average forgets the first."""


class Runner:
    """What runs, and where.

    Parameters
    ----------
    fresh : whether the heartbeat is confirmed, so that steps may be started (R14).
    put : takes what came of a step, in whatever thread it ended.
    members : reads the members of a join for its handler (R28).
    """

    def __init__(
        self,
        registry: Registry,
        codec: Codec,
        clock: Clock,
        held: Held,
        once: Once,
        *,
        name: str,
        slots: Slots,
        fresh: Callable[[], bool],
        put: Callable[[Holding, Ended | Answered | None], None],
        members: Callable[[Step], list[Member]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._registry, self._codec, self._clock, self._name = registry, codec, clock, name
        self._held, self._once, self._slots = held, once, slots
        self._fresh, self._put, self._members = fresh, put, members
        self._deadlines, self._processes = Deadlines(clock), Processes(slots.processes)
        self._crew = Crew(self._run_next, self._has_more, slots.most, slots.fewest)
        self._loop = loop
        self._to_await: deque[tuple[Holding, Execution]] = deque()
        self._handing = threading.Lock()
        self._ended = 0
        self.average = 1.0
        """Seconds that a handler has taken lately."""
        self.median = GUESS
        """Seconds within which half of the handlers have ended lately."""

    def call(self) -> None:
        """Steps may be waiting: let somebody look."""
        if self._has_more():
            self._crew.call()

    def slow_down(self, seconds: float) -> None:
        """Steps take so long, at least: claim none ahead until they are fast again."""
        self.average = max(self.average, seconds)

    def stop(self) -> None:
        """Start nothing more; what runs goes on."""
        self._crew.stop()

    def close(self) -> None:
        """Nothing that may still run counts any more: end the processes."""
        self._deadlines.stop()
        self._processes.stop()

    def interrupt(self, holdings: list[Holding]) -> None:
        """Tell these handlers that their outcomes are no longer wanted."""
        for holding in holdings:
            emit("step.interrupted", step=holding.step.id, name=holding.step.name)
            if holding.interrupt is not None:
                self._tell(holding.step.name, holding.interrupt)

    def _tell(self, name: str, interrupt: Callable[[], object]) -> None:
        if not self._registry.find(name).is_async:
            interrupt()
            return
        with suppress(RuntimeError):  # the loop has ended, and its coroutines with it
            self._loop.call_soon_threadsafe(interrupt)

    def _has_more(self) -> bool:
        """What must not begin yet is no work: nobody is to look for it again and again."""
        held = self._held
        return held.waiting > 0 and held.running < self._slots.most and self._fresh()

    def _run_next(self) -> bool:
        if not self._fresh():
            return False
        held, most = self._held, self._slots.most
        holding = held.begin(self._clock.monotonic(), most)
        if holding is None:
            return False
        if held.waiting and held.running < most:
            self._crew.call()
        self._run(holding)
        return True

    def _run(self, holding: Holding) -> None:
        execution = Execution(
            holding.step, self._registry, self._codec, self._clock, self._name, self._members
        )
        handler = execution.handler
        if handler.is_async:
            self._await(holding, execution)
        elif handler.exactly_once:
            self._end(holding, execution, partial(self._once.run, holding, execution))
        elif handler.is_guarded:
            self._run_guarded(holding, execution)
        else:
            self._end(holding, execution, execution.run)

    def _run_guarded(self, holding: Holding, execution: Execution) -> None:
        """In a process, or in this thread with a way to tell it that its time is over."""
        begun = partial(self._watch, holding, execution)
        if execution.handler.process:
            job = Job(begun)
            execution.apart = partial(self._processes.call, job)
            holding.interrupt = job.kill
        else:
            execution.cancelled, execution.thread = threading.Event(), threading.get_ident()
            holding.interrupt = execution.cancelled.set
            begun()
        self._end(holding, execution, execution.run)

    def _watch(self, holding: Holding, execution: Execution) -> None:
        limit = execution.handler.timeout
        if limit is not None:
            over = partial(self._time_over, holding, execution)
            execution.deadline = self._deadlines.begin(limit, over)

    def _time_over(self, holding: Holding, execution: Execution) -> None:
        """A failed attempt at once. Its slot is free when the handler has returned."""
        step = holding.step
        emit("step.timed_out", step=step.id, name=step.name, timeout=execution.handler.timeout)
        settlement = execution.timed_out()
        self._held.overran(holding)
        if holding.interrupt is not None:
            self._tell(step.name, holding.interrupt)
        self._put(holding, Ended(holding, execution, settlement))

    def _await(self, holding: Holding, execution: Execution) -> None:
        with self._handing:  # of two who come at once, one must see that it is the first
            self._to_await.append((holding, execution))
            is_first = len(self._to_await) == 1
        if is_first or self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._begin_awaiting)
            except RuntimeError as error:  # the user's loop, and it has been closed
                self._fail_to_begin(error)

    def _fail_to_begin(self, error: RuntimeError) -> None:
        """Failed attempts, which say why: nobody will await these, and they must not keep slots."""
        while (one := self._next_to_await()) is not None:
            holding, execution = one
            self._end(holding, execution, partial(execution.not_begun, error))

    def _next_to_await(self) -> tuple[Holding, Execution] | None:
        with self._handing:
            return self._to_await.popleft() if self._to_await else None

    def _begin_awaiting(self) -> None:
        """On the loop: all that has come together since it was asked to."""
        while self._to_await:
            holding, execution = self._to_await[0]
            task = self._loop.create_task(execution.run_async())
            task.add_done_callback(partial(self._awaited, holding, execution))
            holding.interrupt = task.cancel
            if execution.handler.timeout is not None:
                self._watch(holding, execution)
            self._to_await.popleft()

    def _awaited(
        self, holding: Holding, execution: Execution, task: asyncio.Task[Settlement]
    ) -> None:
        self._end(holding, execution, task.result)
        self.call()

    def _end(
        self,
        holding: Holding,
        execution: Execution,
        run: Callable[[], Settlement | Ended | Answered | None],
    ) -> None:
        try:
            ended = run()
            if isinstance(ended, Settlement):
                ended = Ended(holding, execution, ended)
        except BaseException as error:  # the event loop is gone: nobody judged the outcome
            emit("step.abandoned", step=holding.step.id, error=repr(error))
            ended = None
        if execution.deadline is not None and not self._deadlines.met(execution.deadline):
            self._returned_late(holding, execution)
            return
        self._held.ended(holding)
        self._note(execution.seconds)
        self._put(holding, ended)

    def _note(self, seconds: float) -> None:
        weight = SMOOTHING
        if self._ended < FEW:  # they weigh as much as each other
            self._ended += 1  # two who come at once may count as one: nothing hangs on it
            weight = 1 / self._ended
        self.average = smoothed(self.average, seconds, weight)
        self.median = moved(self.median, seconds) if weight < 1 else self.average

    def _returned_late(self, holding: Holding, execution: Execution) -> None:
        self._held.returned(holding)
        step, seconds = holding.step, execution.seconds
        emit("step.returned_late", step=step.id, name=step.name, seconds=seconds)
        self.call()
