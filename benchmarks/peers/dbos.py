"""DBOS: a workflow of one step per job, on a queue that is polled without pause.

It has no call that adds many: bulk is one call each, by as many threads as its client uses.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import psycopg
from dbos import DBOS, DBOSClient, DBOSConfig

from benchmarks.peers.peer import Handle, Peer, State, main

QUEUE: Final = "work"
POLL: Final = 0.01
"""Seconds between two looks into the queue; its default is 1."""
LEFT: Final = "SELECT count(*) FROM dbos.workflow_status WHERE status IN ('ENQUEUED', 'PENDING')"

_handles: list[Handle] = []


@DBOS.workflow(name="work")
async def work(state: State) -> None:
    """Hands the job's state to this process's handler."""
    await _handles[0](state)


class DBOSPeer(Peer):
    """A client to add, the singleton to run."""

    async def install(self) -> None:
        # On a loop of its own, for it takes the loop's threads with it when it goes.
        await asyncio.to_thread(self._launch_once)

    async def open(self) -> None:
        _handles[:] = [self.handle]
        self._client = DBOSClient(system_database_url=self.address)

    async def close(self) -> None:
        self._client.destroy()

    async def add(self, state: State) -> None:
        options: Any = {"workflow_name": "work", "queue_name": QUEUE}
        await self._client.enqueue_async(options, state)

    async def add_many(self, states: list[State]) -> None:
        await asyncio.gather(*map(self.add, states))

    async def work(self) -> None:
        await self._launch()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(DBOS.destroy)

    async def left(self) -> int:
        return await asyncio.to_thread(self._left)

    def _launch_once(self) -> None:
        asyncio.run(self._launch())
        DBOS.destroy()

    async def _launch(self) -> None:
        config: DBOSConfig = {
            "name": "bench",
            "system_database_url": self.address,
            "log_level": "ERROR",
            "application_version": "1",
        }
        DBOS(config=config)
        DBOS.launch()
        await DBOS.register_queue_async(QUEUE, polling_interval_sec=POLL)

    def _left(self) -> int:
        with psycopg.connect(self.address) as connection:
            row = connection.execute(LEFT).fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    main(DBOSPeer)
