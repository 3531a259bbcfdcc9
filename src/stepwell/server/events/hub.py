"""One reader of the feed per server process, whoever listens and however many they are.

It reads while somebody listens, and not at all otherwise. Ids of changes are given out
before their transactions commit, so a lower id may be seen after a higher one: the reader
remembers the ids that it has missed and looks for them for a while.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from stepwell.server.database.session import Database
from stepwell.server.events import queries
from stepwell.server.events.records import Change

_LOG = logging.getLogger("stepwell.server")

EVERY: Final = 0.5
"""Seconds between two looks."""
BATCH: Final = 1000
"""So many changes are read at once."""
QUEUED: Final = 2000
"""So many wait for a slow listener; then it is told to look anew."""
PATIENCE: Final = 30.0
"""Seconds for which a missing id is looked for."""
MOST_MISSING: Final = 500
BEFORE: Final = 200
"""So many ids before the newest one are looked for where they are missing at the start."""


class Overrun(Exception):
    """The listener was too slow: what it was not told is lost to it."""


@dataclass(eq=False)
class Listener:
    """One stream: the topics that it wants, the groups that it may see (None is all), and what
    waits for it."""

    topics: frozenset[str]
    groups: frozenset[str] | None
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[Change | None] = field(default_factory=lambda: asyncio.Queue(QUEUED))
    overrun: bool = False
    left: bool = False
    """Whether it has gone again, perhaps before it had come: a tab may be closed at any moment."""

    def give(self, found: Iterable[Change]) -> None:
        """Hand over what it wants; called from the reader's thread."""
        wanted = [one for one in found if self.wants(one)]
        if wanted:
            self._call(wanted)

    def wants(self, change: Change) -> bool:
        """Whether it has asked for this, and may see it."""
        seen = self.groups is None or change.group in self.groups
        return seen and change.topic in self.topics

    def end(self) -> None:
        """Nothing more comes."""
        self._call([None])

    def _call(self, items: list[Change] | list[None]) -> None:
        try:
            self.loop.call_soon_threadsafe(self._put, items)
        except RuntimeError:
            pass  # its event loop has ended, and the stream with it

    def _put(self, items: list[Change] | list[None]) -> None:
        for one in items:
            if self.queue.full():
                self.overrun = True
                return
            self.queue.put_nowait(one)

    async def next(self, seconds: float) -> Change | None:
        """The next change; `TimeoutError` when none came in time, `Overrun` when some were lost.

        None says that the server stops.
        """
        if self.overrun and self.queue.empty():
            self.overrun = False
            raise Overrun
        return await asyncio.wait_for(self.queue.get(), seconds)


class Hub:
    """Reads the feed in a thread of its own, and hands each change to those who want it."""

    def __init__(self, db: Database, every: float = EVERY) -> None:
        self._db, self._every = db, every
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._reader: Reader | None = None
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self.reads = 0

    def join(self, listener: Listener) -> None:
        """Tell this one of all that commits from now on; raises `StoreUnavailable`."""
        with self._lock:
            if self._over.is_set() or listener.left:
                listener.end()
                return
            if self._reader is None:
                self._reader = Reader(self._db)
            self._listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stepwell-feed", daemon=True)
                self._thread.start()

    def leave(self, listener: Listener) -> None:
        """Tell it no more; without any listener nothing is read."""
        with self._lock:
            listener.left = True
            self._listeners.discard(listener)

    def stop(self) -> None:
        """End every stream; none begins any more."""
        with self._lock:
            self._over.set()
            ended, thread = set(self._listeners), self._thread
            self._listeners.clear()
        for one in ended:
            one.end()
        if thread is not None:
            thread.join(self._every + 5)

    def _run(self) -> None:
        well = True
        while not self._over.is_set():
            with self._lock:
                reader = self._reader
                if not self._listeners or reader is None:
                    self._thread = self._reader = None
                    return
            try:
                found = reader.read()
                self.reads, well = self.reads + 1, True
            except Exception as error:  # the database is away: views are late, not dead
                if well:  # twice a second is no news
                    _LOG.warning("the feed of changes is not read: %s", error)
                found, well = [], False
            with self._lock:  # who came while it was read was promised what is in it
                listeners = list(self._listeners)
            for one in listeners if found else ():
                one.give(found)
            if len(found) < BATCH:
                self._over.wait(self._every)


class Reader:
    """Knows what was read already, and what is still missing before it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        with db.read() as conn:
            self.position = queries.newest(conn)
            known = queries.ids_between(conn, self.position - BEFORE, self.position)
        self.missing: dict[int, float] = {}
        self._miss(range(max(self.position - BEFORE, 0) + 1, self.position), known)

    def read(self) -> list[Change]:
        """What is new since the last look, in the order of its ids."""
        now = time.monotonic()
        self.missing = {one: end for one, end in self.missing.items() if end > now}
        with self._db.read() as conn:
            found = queries.after(conn, self.position, list(self.missing), BATCH)
        for change in found:
            if change.id in self.missing:
                del self.missing[change.id]
                continue
            self._miss(range(self.position + 1, change.id))
            self.position = change.id
        return found

    def _miss(self, ids: range, known: Collection[int] = ()) -> None:
        end = time.monotonic() + PATIENCE
        for one in ids[:MOST_MISSING]:
            if one not in known:
                self.missing[one] = end
        while len(self.missing) > MOST_MISSING:
            del self.missing[min(self.missing)]
