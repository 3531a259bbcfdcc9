"""Oban for Python: psycopg, jobs fetched up to the queue's limit, settled in batches; uvloop."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvloop
from oban import Oban, worker
from oban.schema import install

from benchmarks.peers.peer import Handle, Peer, State, main

LIMIT: Final = 5000
"""Jobs that one queue runs at once, and so fetches at once; of 50, 500 and 5000 the fastest."""
LEFT: Final = """
    SELECT count(*) FROM oban_jobs
    WHERE state IN ('available', 'executing', 'scheduled', 'retryable')
"""

_handles: list[Handle] = []


@worker(queue="work")
class Work:
    """Hands the job's arguments to this process's handler."""

    async def process(self, job: Any) -> None:
        await _handles[0](job.args)


_work: Any = Work
"""As the decorator has made it."""


class ObanPeer(Peer):
    """An instance without queues to add, one with a queue to run."""

    async def install(self) -> None:
        pool = await Oban.create_pool(self.address)
        await install(pool)
        await pool.close()

    async def open(self) -> None:
        self._pool = await Oban.create_pool(self.address, min_size=4, max_size=20)
        self._client = Oban(pool=self._pool)
        _handles[:] = [self.handle]

    async def close(self) -> None:
        await self._pool.close()

    async def add(self, state: State) -> None:
        await self._client.enqueue(_work.new(state))

    async def add_many(self, states: list[State]) -> None:
        if states:
            await self._client.enqueue_many(_work.new(one) for one in states)

    async def work(self) -> None:
        async with Oban(pool=self._pool, name="worker", queues={"work": LIMIT}):
            await asyncio.Event().wait()

    async def left(self) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(LEFT)).fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    main(ObanPeer, uvloop.run)
