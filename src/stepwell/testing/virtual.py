"""An engine for tests: on a virtual clock, in the calling thread, one step at a time.

    engine = VirtualEngine(registry)
    engine.add(new_step("v1/remind", {"to": "ada"}))
    engine.drain()
    engine.advance(days=3)

Steps run by the same code as in `Engine`: the same execution, judgement and store
verbs. What is left out is the waiting: no threads, no polling, no sleep. A handler with
`process=True` is called here; a timeout is judged by the virtual clock when it has returned.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from stepwell.codec import JSON, Codec
from stepwell.engine import StepClient
from stepwell.engine.composition import check_queues
from stepwell.engine.once import check_store
from stepwell.engine.tally import Tally
from stepwell.errors import Conflict, InvalidInput
from stepwell.registry import Registry
from stepwell.step import Step
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Claimed, Store
from stepwell.testing.clock import VirtualClock
from stepwell.testing.life import Killed, Life, Moment, Setting, Witness

MOST_EXECUTIONS: Final = 10_000
"""In one `drain` or `advance`; beyond it something reruns for ever."""
_MOST_EMPTY_CLAIMS: Final = 500
"""In a row, while the store says that something is due: names of others take rounds (R19)."""


class Runaway(Conflict):
    """A test's steps never come to rest: one reruns at once, or they spawn each other."""

    code = "runaway"


class VirtualEngine(StepClient):
    """Runs steps in the calling thread when a test says so. Time passes by `advance` alone.

    The order is always the same: of the steps that are due, the one of the highest
    priority, then the one that is due longest, then the one that was made first.

    Parameters
    ----------
    registry : step name -> handler. A handler that takes `connection` needs `store`.
    store : by default one in memory; another must be made with the same `clock`.
    clock : a handler may advance it, as if its work took so long.
    queues, flow_id, name, codec, codecs : as in `Engine`.
    most_executions : how many one `drain` or `advance` may come to.
    witness : is told of every moment at which an engine can die, and may raise `Killed`
        there. Another engine then takes over, without the time that this takes in life.

    Raises
    ------
    NotSupported : a handler asks for the connection, and the store has none to give (R26).
    """

    def __init__(
        self,
        registry: Registry,
        *,
        store: Store | None = None,
        clock: VirtualClock | None = None,
        queues: tuple[str, ...] = ("default",),
        flow_id: UUID | None = None,
        name: str = "virtual",
        codec: Codec = JSON,
        codecs: Iterable[Codec] = (),
        most_executions: int = MOST_EXECUTIONS,
        witness: Witness | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        super().__init__(
            store or MemoryStore(self.clock), codec=codec, codecs=codecs, clock=self.clock
        )
        check_store(self.store, registry)
        check_queues(queues)
        self.registry = registry
        self.tally = Tally()
        """All that was executed so far."""
        self.errors: list[BaseException] = []
        """What handlers raised so far, in order; their steps went on as their retries say."""
        self._most = most_executions
        self._life: Life | None = None
        runner = asyncio.Runner()
        self._finalizer = weakref.finalize(self, runner.close)
        self._setting = Setting(
            store=self.store,
            registry=registry,
            codec=self.codec,
            clock=self.clock,
            name=name,
            queues=queues,
            flow_id=flow_id,
            witness=witness or _look_on,
            runner=runner,
        )

    def drain(self) -> Tally:
        """Run all that is due now, and what that spawns, until nothing is due.

        Returns
        -------
        What this call executed. Retries and reruns that are due later have not run yet.

        Raises
        ------
        Runaway : it does not come to an end.
        InvalidInput : a coroutine calls it, and there are `async def` handlers to run.
        BaseException : what a handler raised to stop the test: `pytest.fail`, Ctrl-C.
        """
        return self.advance()

    def advance(
        self,
        by: timedelta = timedelta(0),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> Tally:
        """Let time pass, from one due instant to the next, and run what falls due on the way.

        It raises what `drain` raises, and returns what this call executed.
        """
        past = by + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if past < timedelta(0):
            raise InvalidInput("Time does not go back.", fix="Advance by more than zero.")
        self._check_thread()
        until = self.clock.now() + past
        turns = _Turns(self._most)
        due = self._run_due(turns)
        while due is not None and due <= until:
            self.clock.advance_to(due)
            due = self._run_due(turns)
        self.clock.advance_to(until)
        return turns.tally

    def close(self) -> None:
        """Leave the store, and close the event loop of the `async def` handlers."""
        if self._life is not None:
            self._life.leave()
            self._life = None
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- one after another -----------------------------------------------------

    def _run_due(self, turns: _Turns) -> datetime | None:
        """Run until nothing is due; the next due instant after now, if there is one."""
        empty = 0
        while empty < _MOST_EMPTY_CLAIMS:
            claimed = self._next(turns)
            if claimed is None or claimed.steps:
                empty = 0
            elif claimed.next_due is None or claimed.next_due > self.clock.now():
                return claimed.next_due
            else:
                empty += 1
        return None

    def _next(self, turns: _Turns) -> Claimed | None:
        """One claim, and the execution of what it gave; None if the engine was killed at it."""
        life = self._living()
        try:
            claimed = life.take()
            for step in claimed.steps:
                self._run(life, step, turns)
        except Killed:
            self._life = Life(self._setting, before=life.engine_id)
            return None
        finally:
            self.errors += life.errors
            life.errors.clear()
        return claimed

    def _run(self, life: Life, step: Step, turns: _Turns) -> None:
        turns.begin(step)
        settlement = life.run(step)
        for tally in (self.tally, turns.tally):
            if settlement is None:
                tally.refused += 1
            else:
                tally.count(settlement)

    def _living(self) -> Life:
        if self._life is None:
            check_store(self.store, self.registry)
            self.registry.read_types()
            self.store.open()
            self._life = Life(self._setting)
            _check_clock(self._life.store_time, self.clock.now())
        return self._life

    def _check_thread(self) -> None:
        handlers = map(self.registry.find, self.registry.names)
        if _in_a_coroutine() and any(handler.is_async for handler in handlers):
            raise InvalidInput(
                "A coroutine cannot wait here for `async def` handlers.",
                why="They need the event loop of this thread, which the caller keeps busy.",
                fix="Make the test a `def`, or `await asyncio.to_thread(engine.drain)`.",
            )


class _Turns:
    """The executions of one call, counted by name so that a runaway can be named."""

    def __init__(self, most: int) -> None:
        self.tally = Tally()
        self._most, self._begun, self._names = most, 0, Counter[str]()

    def begin(self, step: Step) -> None:
        if self._begun == self._most:
            ((name, times),) = self._names.most_common(1)
            raise Runaway(
                f"{self._most:,} executions, and something is due still.",
                why=f"{name!r} ran {times:,} times; {step.name!r} would be next.",
                fix="Let it rerun later (after=), or raise most_executions.",
            )
        self._begun += 1
        self._names[step.name] += 1


def _look_on(moment: Moment, step: Step) -> None:
    """The witness of an engine that nobody means to kill."""


def _in_a_coroutine() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _check_clock(store_time: datetime, now: datetime) -> None:
    if abs(store_time - now) > timedelta(seconds=1):
        raise InvalidInput(
            f"The store says that it is {store_time}, the engine's clock says {now}.",
            why="What is due is judged in the store's time (R17).",
            fix="Make the store with the clock of the engine: MemoryStore(clock).",
        )
