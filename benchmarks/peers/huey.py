"""Huey on SQLite: its consumer with threads, and each commit on the disk (`fsync=True`)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Final

from huey import SqliteHuey

from benchmarks.peers.peer import Handle, Peer, State, main

WORKERS: Final = 4
"""Threads of the consumer; its default is 1."""


class HueyPeer(Peer):
    """One queue in one file, without a store of results."""

    def __init__(self, address: str, handle: Handle) -> None:
        super().__init__(address, handle)
        self._huey = SqliteHuey("work", filename=address, fsync=True, results=False, timeout=30)

        @self._huey.task(name="work")
        def work(state: State) -> None:
            # Nothing in the handler or in `add` ever suspends.
            _driven(handle(state))

        self._task = work

    async def install(self) -> None:
        pass

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        self._huey.storage.close()

    async def add(self, state: State) -> None:
        self._task(state)

    async def add_many(self, states: list[State]) -> None:
        for one in states:
            self._task(one)

    async def work(self) -> None:
        consumer = self._huey.create_consumer(
            workers=WORKERS, periodic=False, initial_delay=0.001, max_delay=0.01
        )
        consumer.start()
        try:
            await asyncio.Event().wait()
        finally:
            consumer.stop(graceful=True)

    async def left(self) -> int:
        return int(self._huey.pending_count())


def _driven(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError(f"a handler waits in {threading.current_thread().name}")


if __name__ == "__main__":
    main(HueyPeer)
