"""The engine's liveness, on a thread of its own, off everybody's event loop (R10-R14).

Each beat raises the engine's counter and brings back the store's time and
everybody's counters. Whoever has shown the same counter for 8 s of this
engine's own monotonic clock, without a gap in the reading, is dead and is buried.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from stepwell.clock import Reading, StoreClock
from stepwell.engine.held import Held, Holding
from stepwell.engine.pauses import Pauses
from stepwell.errors import EngineBuried, StepwellError
from stepwell.events import emit
from stepwell.stores.protocol import Pulse, Store

INTERVAL: Final = 1.05
"""Seconds between beats where the beat also watches the others: with the claims that nothing
wakes, an idle engine asks less than once a second."""
SCOPED_INTERVAL: Final = 2.0
"""Seconds between beats where nobody else can be seen (a container's store)."""
DEAD_AFTER: Final = 8.0
"""Seconds of an unchanged counter after which an engine is dead."""
MAX_GAP: Final = 2.0
"""Seconds between two reads beyond which earlier observations count for nothing."""
FRESH: Final = 5.0
"""Seconds without a confirmed beat after which an engine starts nothing more (R14)."""


@dataclass(slots=True)
class _Sight:
    beat: int
    since: float
    lives: bool = False


class Watch:
    """What this engine has itself seen of the others' counters."""

    def __init__(self) -> None:
        self._sights: dict[UUID, _Sight] = {}
        self._last_read: float | None = None

    def observe(self, beats: dict[UUID, int], at: float) -> list[tuple[UUID, int]]:
        """Take in one reading at monotonic second `at`; the dead, with the beat they show."""
        if self._last_read is not None and at - self._last_read > MAX_GAP:
            self._sights = {}
        self._last_read = at
        self._sights = {engine: self._sight(engine, beat, at) for engine, beat in beats.items()}
        return [
            (engine, sight.beat)
            for engine, sight in self._sights.items()
            if at - sight.since >= DEAD_AFTER
        ]

    def verdict_in(self, at: float) -> float | None:
        """Seconds until one that was not seen to live would be dead; None if there is none."""
        since = [sight.since for sight in self._sights.values() if not sight.lives]
        return DEAD_AFTER - (at - min(since)) if since else None

    def _sight(self, engine: UUID, beat: int, at: float) -> _Sight:
        known = self._sights.get(engine)
        if known is None:
            return _Sight(beat, at)
        return known if known.beat == beat else _Sight(beat, at, lives=True)


class Heartbeat:
    """The beating thread of one engine.

    Parameters
    ----------
    store : where the engine's row is.
    clock : is kept at the store's time.
    held : what the engine holds; what has been running for over a second gets its mark (R15).
    pauses : is told which queues are paused.
    on_buried : called with its id in the beating thread when this engine was declared dead.
    on_burial : called when another engine's claims were given back, or a pause came or went.
    on_death : called when this engine has seen that another one is dead.
    on_lost : called with what still runs although its claim was taken away: a step that
        was cancelled, for one.
    """

    def __init__(
        self,
        store: Store,
        clock: StoreClock,
        held: Held,
        pauses: Pauses,
        on_buried: Callable[[UUID], None],
        on_burial: Callable[[], None],
        on_death: Callable[[], None],
        on_lost: Callable[[list[Holding]], None],
    ) -> None:
        self._store, self._clock = store, clock
        self._held, self._on_buried, self._on_burial = held, on_buried, on_burial
        self._pauses, self._on_death, self._on_lost = pauses, on_death, on_lost
        self._interval = SCOPED_INTERVAL if store.capabilities.scoped else INTERVAL
        self._watch = Watch()
        self._engine_id: UUID | None = None
        self._confirmed = float("-inf")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="stepwell-heartbeat", daemon=True)

    def born(self, engine_id: UUID, pulse: Pulse, asked: Reading) -> None:
        """The engine has joined under this id; the answer is its first confirmed beat.

        `asked` : what the clocks showed before it was to join.
        """
        self._engine_id = engine_id
        self._take_in(pulse, asked)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def fresh(self) -> bool:
        """Whether a beat was confirmed in the last 5 s, so that steps may be started."""
        return self._clock.monotonic() - self._confirmed < FRESH

    def verdict_in(self) -> float | None:
        """Seconds until another engine that may be dead is known to be; None if all live."""
        return self._watch.verdict_in(self._clock.monotonic())

    def _loop(self) -> None:
        # If it took so long to join that nothing may begin, nobody is to wait for a beat as well.
        pause = self._interval if self.fresh() else 0.0
        while not self._over.wait(pause):
            try:
                self._beat_or_rejoin()
            except Exception as error:  # the thread must outlive whatever a driver raises
                said = str(error) if isinstance(error, StepwellError) else repr(error)
                emit("engine.beat_failed", engine=self._engine_id, error=said)
            pause = self._interval

    def _beat_or_rejoin(self) -> None:
        engine_id = self._engine_id  # the other thread may have joined anew by the time it raises
        assert engine_id is not None, "born before start"
        try:
            self._beat(engine_id)
        except EngineBuried:
            self._on_buried(engine_id)

    def _beat(self, engine_id: UUID) -> None:
        asked = self._clock.reading()
        running = self._held.long_running(asked.monotonic)
        with self._store.transaction() as tx:
            pulse = tx.beat(engine_id, running)
        lost = self._held.disown(pulse.lost)
        if lost:
            self._on_lost(lost)
        for dead, last_beat in self._take_in(pulse, asked):
            self._bury(dead, last_beat)

    def _take_in(self, pulse: Pulse, asked: Reading) -> list[tuple[UUID, int]]:
        # Confirmed as of when it was asked: the answer may have been long on its way.
        self._confirmed = asked.monotonic
        self._clock.adjust(pulse.now, asked)
        if self._pauses.take_in(pulse.paused, asked.monotonic):
            self._on_burial()
        others = {key: beat for key, beat in pulse.beats.items() if key != self._engine_id}
        return self._watch.observe(others, self._clock.monotonic())

    def _bury(self, engine_id: UUID, beat: int) -> None:
        with self._store.transaction() as tx:
            burial = tx.bury(engine_id, beat)
        self._on_death()
        if burial is not None:
            emit("engine.buried", engine=engine_id, released=burial.released, failed=burial.failed)
            self._on_burial()
