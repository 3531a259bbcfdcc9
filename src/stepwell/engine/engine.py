"""The engine: a store, handlers, a heartbeat and a pipeline, as one object."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import FrameType, TracebackType
from typing import Final, Self
from uuid import UUID

from stepwell.after_fork import after_fork, leave
from stepwell.clock import SYSTEM, Clock, StoreClock
from stepwell.codec import JSON, Codec
from stepwell.engine.client import StepClient
from stepwell.engine.composition import check_composition
from stepwell.engine.heartbeat import Heartbeat
from stepwell.engine.held import Holding
from stepwell.engine.intake import Intake
from stepwell.engine.looping import Looping
from stepwell.engine.once import check_store
from stepwell.engine.pauses import Pauses
from stepwell.engine.processes import forbid_in_child
from stepwell.engine.runner import Slots
from stepwell.engine.serving import Scope
from stepwell.engine.shares import SharedIntake, check_shares
from stepwell.engine.sweeping import housekeeping, sweeper
from stepwell.engine.tally import Tally
from stepwell.engine.worker import Worker
from stepwell.errors import EngineRunning, StepwellError
from stepwell.events import emit
from stepwell.given import of_type
from stepwell.ids import new_id
from stepwell.registry import Registry
from stepwell.retention import RetentionPolicy
from stepwell.step import Addition
from stepwell.stores.protocol import EngineInfo, Store
from stepwell.version import VERSION

WORKERS: Final = 8
"""How many handlers run at once where nothing says how many."""
STOP_TIMEOUT: Final = 30.0
"""Seconds that running steps get at a stop."""


class Engine(StepClient):
    """Runs the steps of a store with the handlers of a registry.

    Use it as a context manager, or call `start` and `stop`; `run` blocks until the
    process is told to end; `drain` runs until nothing is due.

    Parameters
    ----------
    store : where the steps are; its schema must exist (`store.migrate()`).
    registry : step name -> handler. Steps of other names are left for other engines.
    queues : only steps of these queues are run. A mapping gives each its share of the
        workers: so many of its steps run at once and no more.
    workers : how many handlers run at once, at most; 8 by default, or the sum of the shares.
        Threads are started as they are needed.
    min_workers : threads beyond so many end when there is no work for them; by default all
        that were started stay.
    processes : how many processes there are at most for handlers with `process=True`; by
        default as many as the machine has processors. They are started as they are needed.
    flow_id : run the steps of this flow only, whatever their queue.
    name : who executed a step, shown to people; host and process id by default.
    codec, codecs : what writes states and results, and others for what has their format.
    loop : the event loop for `async def` handlers; by default one in a thread of its own.
    retention : for how long ended steps are kept. A step of its own, `v1/stepwell/sweep` in
        the first of the queues, removes the older ones every hour, and on PostgreSQL makes
        the partitions of the coming time. Without it all are kept.

    Raises
    ------
    InvalidInput : a queue with a share of no worker; shares for the steps of one flow; no
        queue, or one string in their place; or numbers with which nothing would ever run.
    NotSupported : a handler asks for the connection, and the store has none to give (R26);
        or a retention policy for a container's store.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        queues: tuple[str, ...] | Mapping[str, int] = ("default",),
        workers: int | None = None,
        min_workers: int | None = None,
        processes: int | None = None,
        flow_id: UUID | None = None,
        name: str | None = None,
        codec: Codec = JSON,
        codecs: Iterable[Codec] = (),
        clock: Clock = SYSTEM,
        loop: asyncio.AbstractEventLoop | None = None,
        retention: RetentionPolicy | None = None,
    ) -> None:
        check_composition(store, registry, queues, workers, min_workers, processes, flow_id)
        check_store(store, registry)
        self._time = StoreClock(clock)
        super().__init__(store, codec=codec, codecs=codecs, clock=self._time)
        self._registry, self._classes = registry, registry.classes
        self._retention = retention
        if retention is not None:
            of_type("retention", retention, RetentionPolicy, "Give a RetentionPolicy.")
            housekeeping(partial(self.sweep, retention), registry, store)
        self._shares = queues if isinstance(queues, Mapping) else None
        if self._shares is not None:
            check_shares(self._shares, flow_id)
        most = _most(workers, self._shares)
        self._scope = Scope(
            name=name or f"{socket.gethostname()}:{os.getpid()}",
            queues=tuple(queues),
            slots=Slots(
                most=most,
                fewest=most if min_workers is None else min_workers,
                processes=(os.cpu_count() or 1) if processes is None else processes,
            ),
            flow_id=flow_id,
        )
        self._users_loop = loop
        self._be_new()
        after_fork(self)

    def _be_new(self) -> None:
        self._pauses = Pauses(self._scope.queues)
        self._reborn, self._turn = threading.Lock(), threading.RLock()
        self._stopping = False
        self._over = threading.Event()
        self._worker: Worker | None = None

    @property
    def id(self) -> UUID | None:
        """The id that this engine is alive under, or None before `start`."""
        return None if self._worker is None else self._worker.engine_id

    @property
    def tally(self) -> Tally:
        """How many executions ended in which way since the start."""
        return Tally() if self._worker is None else self._worker.committer.tally

    def start(self) -> Self:
        """Join the store and begin to claim.

        Raises
        ------
        SetupError : wrong credentials, unknown database, or a missing schema (R24).
        NotSupported : see above, of handlers that were registered meanwhile.
        HandlerInvalid : the type of a handler's state is nowhere.
        StoreUnavailable : the store cannot be reached now.
        EngineRunning : it has been started, and has not stopped; or this is the process of
            a handler.
        """
        with self._turn:
            if self.id is not None:
                raise EngineRunning(self._scope.name)
            self._start()
        return self

    def _start(self) -> None:
        forbid_in_child()
        check_store(self.store, self._registry)
        self._registry.read_types()
        self.store.open()
        if self._retention is not None:
            self.add(sweeper(self._scope.queues[0]))
        self._over.clear()
        self._loop = self._new_loop()
        self._intake = self._new_intake()
        self._held = self._intake.held
        self._heartbeat = Heartbeat(
            self.store,
            self._time,
            self._held,
            self._pauses,
            self._rejoin,
            self._changed,
            self._distrust,
            self._interrupt,
        )
        self._worker = self._new_worker()
        try:
            self._join()
            self._heartbeat.start()
            self._worker.start()
        except BaseException:  # whoever tries again until the store is back leaves nothing behind
            self._heartbeat.stop()
            if self.id is not None:
                self._leave()
            self._worker.committer.stop(0.0)
            self._worker.close([])
            self._end_own_loop()
            self._worker.engine_id = None
            raise
        emit("engine.started", engine=self.id, name=self._scope.name)

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Claim no more, let running steps end, give back the rest, and leave.

        Parameters
        ----------
        timeout : seconds for the running steps; what still runs then is given back
            without a mark, and its outcome will be refused. Coroutines are cancelled then,
            and get five seconds to clean up.
        """
        self._over.set()
        with self._turn:  # who comes second finds it stopped; a signal's handler goes on with it
            if self._worker is None or self.id is None or self._stopping:
                return
            self._stopping = True
            try:
                self._stop(self._worker, timeout)
            finally:
                self._stopping = False

    def _stop(self, worker: Worker, timeout: float) -> None:
        left = worker.stop(timeout)
        if left:
            emit("engine.abandoned", engine=self.id, steps=[one.step.id for one in left])
        self._heartbeat.stop()
        self._leave()
        worker.close(left)
        self._end_own_loop()
        emit("engine.stopped", engine=self.id, name=self._scope.name)
        worker.engine_id = None

    def drain(self, *, patience: float = 0.0) -> Tally:
        """Run until nothing is due, then stop.

        Parameters
        ----------
        patience : wait for steps that become due within so many seconds; from 8 on also for
            those of an engine that was killed (R10).

        Returns
        -------
        What was executed.

        Raises
        ------
        Denied : the store no longer accepts this engine.
        """
        if self.id is None:
            self.start()
        worker = self._worker
        assert worker is not None
        while True:
            worker.idle.wait()
            due_in = self._due_in(worker)
            if worker.denied or due_in is None or due_in > patience:
                break
            self._over.wait(min(max(due_in, 0.005), 0.05))
        self.stop()
        if worker.denied:
            raise worker.denied
        return worker.committer.tally

    def run(self) -> None:
        """Run until the process gets SIGTERM or SIGINT, then stop gracefully.

        Call it in the main thread.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if self.id is None:
            self.start()
        while not self._over.wait(0.5):  # a bare wait would not let signals through everywhere
            pass
        self.stop()

    def pause(self, queue: str, reason: str, *, by: str | None = None) -> None:
        """As of any client; this engine claims no more from the queue from now on."""
        super().pause(queue, reason, by=by or self._scope.name)
        self._pauses.pause(queue, self._time.monotonic())

    def resume(self, queue: str) -> bool:
        """As of any client; this engine looks at the queue at once."""
        was_paused = super().resume(queue)
        self._pauses.resume(queue, self._time.monotonic())
        self._changed()
        return was_paused

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def begin_anew(self) -> None:
        """The engine runs in the parent of a fork, and is the parent's to stop; the child may
        start one of its own."""
        leave(self._worker)
        self._be_new()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._over.set()

    def _due_in(self, worker: Worker) -> float | None:
        """Seconds until a step is due, or until those of an engine that is silent may be."""
        rests = worker.rests_until
        steps = None if rests is None else (rests - self._time.now()).total_seconds()
        waits = [one for one in (steps, self._heartbeat.verdict_in()) if one is not None]
        return max(min(waits), 0.0) if waits else None

    def _new_worker(self) -> Worker:
        return Worker(
            self.store,
            self._registry,
            self.codec,
            self._time,
            self._scope,
            self._intake,
            self._pauses,
            self._heartbeat.fresh,
            self._rejoin,
            self._loop,
        )

    def _new_intake(self) -> Intake:
        most = self._scope.slots.most
        return (
            Intake(most, self._time)
            if self._shares is None
            else SharedIntake(self._shares, most, self._time)
        )

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        self._own_loop: Looping | None = None
        if self._users_loop is not None:
            return self._users_loop
        self._own_loop = Looping()
        return self._own_loop.loop

    def _end_own_loop(self) -> None:
        if self._own_loop is not None:
            self._own_loop.end()

    def _join(self) -> None:
        assert self._worker is not None
        scope, names = self._scope, self._registry.names
        engine = EngineInfo(
            id=new_id(), name=scope.name, version=VERSION, handles=names, queues=scope.queues
        )
        asked = self._time.reading()
        with self.store.transaction() as tx:
            pulse = tx.join(engine)
        self._heartbeat.born(engine.id, pulse, asked)
        self._worker.engine_id = engine.id
        if pulse.beats.keys() != {engine.id}:
            self._worker.distrust()

    def _rejoin(self, before: UUID) -> None:
        """`before` was declared dead: drop everything, start again under a new id (R11)."""
        with self._reborn:
            if self.id != before or self._over.is_set():
                return  # the other thread noticed it as well, and was first
            dropped = self._held.forget(before)
            self._interrupt([one for one in dropped if one.running])
            emit("engine.declared_dead", engine=before, dropped=len(dropped))
            self._join()
        self._changed()

    def _leave(self) -> None:
        assert self._worker is not None
        assert self._worker.engine_id is not None
        try:
            with self.store.transaction() as tx:
                tx.leave(self._worker.engine_id)
        except StepwellError as error:  # whatever it says, the engine has stopped
            emit("engine.leave_failed", engine=self.id, error=str(error))

    def _distrust(self) -> None:
        if self._worker is not None:
            self._worker.distrust()

    def _begin(self, additions: Sequence[Addition]) -> bool:
        return self._worker is not None and self._worker.add(additions)

    def _changed(self) -> None:
        if self._worker is not None:
            self._worker.nudge()

    def _interrupt(self, lost: list[Holding]) -> None:
        assert self._worker is not None
        self._worker.interrupt(lost)


def _most(workers: int | None, shares: Mapping[str, int] | None) -> int:
    if workers is not None:
        return workers
    return WORKERS if shares is None else sum(shares.values())
