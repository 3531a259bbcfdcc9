"""Steps in dictionaries behind one lock: the reference for reading, and for tests.

Transactions are real: a block that raises takes its changes back. State is
text here too, so a step that works here works on a database.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Final

from stepwell.clock import SYSTEM, Clock
from stepwell.errors import NotSupported, StoreUnavailable
from stepwell.step import Addition, StepStatus
from stepwell.stores.controls import ControlKind
from stepwell.stores.inspecting import Inspection, Overview, inspection_of, overview_of
from stepwell.stores.memory_verbs import MemoryTransaction, Tables
from stepwell.stores.protocol import Capabilities, ClaimRequest, Exclusive

LOCK_SECONDS: Final = 30.0


class MemoryWake:
    """Set by every commit that changed something."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self._event = store, threading.Event()

    def wait(self, seconds: float, claim: ClaimRequest | None = None) -> bool:
        """Block until something may have changed, or the time is over (False)."""
        woken = self._event.wait(seconds)
        self._event.clear()
        return woken

    def set(self) -> None:
        """Wake the waiter."""
        self._event.set()

    def close(self) -> None:
        """Hear of no more commits."""
        self._store.forget(self)


class MemoryStore:
    """A store that lives and ends with its process.

    Parameters
    ----------
    clock : where the store's time comes from; tests hand in a virtual one.
    """

    capabilities = Capabilities(durable=False)

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._clock, self._tables = clock, Tables()
        self._lock = threading.Lock()
        self._wakes: tuple[MemoryWake, ...] = ()

    def migrate(self) -> list[str]:
        """Nothing to create: no migration is ever applied."""
        return []

    def open(self) -> None:
        """Always there."""

    def close(self) -> None:
        """Nothing to give back; the steps stay for as long as the object does."""

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """The verbs, under the lock; what the block changed is undone if it raises.

        Raises
        ------
        StoreUnavailable : another transaction has held the lock for 30 s.
        """
        if not self._lock.acquire(timeout=LOCK_SECONDS):
            raise _held_too_long()
        try:
            yield MemoryTransaction(self._tables, self._clock.now())
            changed = bool(self._tables.journal)
            self._tables.journal.clear()
        except BaseException:
            self._tables.undo()
            raise
        finally:
            self._lock.release()
        if changed:
            self._tell()

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """As the verb `add`, in a transaction of its own."""
        with self.transaction() as tx:
            return tx.add(additions)

    def exclusive(self) -> AbstractContextManager[Exclusive]:
        """Not offered: there is no connection to write on.

        Raises
        ------
        NotSupported : always.
        """
        raise NotSupported(
            "The memory store has no connection for a handler.",
            why="It has no database that a handler could write to.",
            fix="Use a SQLite, PostgreSQL or MySQL store for handlers that take `connection`.",
        )

    def on(self, connection: Any, *, survives: bool = True) -> MemoryTransaction:
        """Not offered: there is no connection to lend.

        Raises
        ------
        NotSupported : always.
        """
        raise NotSupported(
            "The memory store takes no connection.",
            why="It has no database that a connection of yours could belong to.",
            fix="Use a SQLite, PostgreSQL or MySQL store for the outbox.",
        )

    def overview(self, since: datetime) -> Overview:
        """Counts per queue and state; see `stores.inspecting`."""
        with self._lock:
            steps = [one for table in self._tables.steps.values() for one in table.values()]
        return overview_of(steps, since, self._clock.now())

    def inspect(self) -> Inspection:
        """Who is alive and what stands in the way; see `stores.inspecting`."""
        with self._lock:
            ready = list(self._tables.steps[StepStatus.READY].values())
            engines = tuple(self._tables.engines.values())
            paused = [key for kind, key in self._tables.controls if kind is ControlKind.PAUSE]
        return inspection_of(ready, engines, paused, self._clock.now())

    def wake(self) -> MemoryWake:
        """A new wake for one engine."""
        wake = MemoryWake(self)
        self._wakes = (*self._wakes, wake)
        return wake

    def forget(self, wake: MemoryWake) -> None:
        """Stop telling this wake."""
        self._wakes = tuple(one for one in self._wakes if one is not wake)

    def _tell(self) -> None:
        for wake in self._wakes:
            wake.set()


def _held_too_long() -> StoreUnavailable:
    return StoreUnavailable(
        f"The memory store was busy for {LOCK_SECONDS:.0f} s.",
        why="Another transaction is open; one opened inside another waits for itself.",
        fix="Use the transaction that is open already.",
    )
