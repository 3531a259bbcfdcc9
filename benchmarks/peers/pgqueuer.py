"""PgQueuer: asyncpg, a batch per dequeue, statuses written in batches; uvloop.

A connection of its own for the consumer, as in its documentation, and a pool for producers.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import asyncpg
import uvloop
from pgqueuer.core.qm import QueueManager
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.peers.peer import Handle, Peer, State, main

BATCH: Final = 500
"""Jobs per dequeue. Its default is 10; of 10, 100, 500 and 1000 this was the fastest."""
NAME: Final = "work"


class PgQueuerPeer(Peer):
    """Queries on a pool, and a queue manager on a connection."""

    async def install(self) -> None:
        connection = await asyncpg.connect(self.address)
        await Queries(AsyncpgDriver(connection)).install()
        await connection.close()

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(self.address, min_size=4, max_size=20)
        self._queries = Queries(AsyncpgPoolDriver(self._pool))

    async def close(self) -> None:
        await self._pool.close()

    async def add(self, state: State) -> None:
        await self._queries.enqueue(NAME, json.dumps(state).encode())

    async def add_many(self, states: list[State]) -> None:
        payloads: list[bytes | None] = [json.dumps(one).encode() for one in states]
        await self._queries.enqueue([NAME] * len(states), payloads, [0] * len(states))

    async def work(self) -> None:
        connection = await asyncpg.connect(self.address)
        manager = QueueManager(Queries(AsyncpgDriver(connection)))
        handle: Handle = self.handle

        @manager.entrypoint(NAME)
        async def run(job: Job) -> None:
            await handle(json.loads(job.payload or b"{}"))

        try:
            await manager.run(batch_size=BATCH)
        except asyncio.CancelledError:
            manager.shutdown.set()
            raise
        finally:
            await connection.close()

    async def left(self) -> int:
        found: Any = await self._pool.fetchval("SELECT count(*) FROM pgqueuer")
        return int(found)


if __name__ == "__main__":
    main(PgQueuerPeer, uvloop.run)
