"""Procrastinate: psycopg's asynchronous connector, a worker that runs many jobs at once."""

from __future__ import annotations

from typing import Any, Final

from procrastinate import App, PsycopgConnector

from benchmarks.peers.peer import Handle, Peer, State, main

CONCURRENCY: Final = 20
"""Jobs that a worker runs at once: as many as its pool has connections."""
LEFT: Final = "SELECT count(*) AS n FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


class ProcrastinatePeer(Peer):
    """An app with one task."""

    def __init__(self, address: str, handle: Handle) -> None:
        super().__init__(address, handle)
        connector = PsycopgConnector(conninfo=address, min_size=4, max_size=CONCURRENCY)
        self._app = App(connector=connector)

        @self._app.task(queue="work", name="work")
        async def work(**state: Any) -> None:
            await handle(state)

        self._task = work

    async def install(self) -> None:
        async with self._app.open_async():
            await self._app.schema_manager.apply_schema_async()

    async def open(self) -> None:
        await self._app.open_async()

    async def close(self) -> None:
        await self._app.close_async()

    async def add(self, state: State) -> None:
        await self._task.defer_async(**state)

    async def add_many(self, states: list[State]) -> None:
        if states:
            await self._task.batch_defer_async(*states)

    async def work(self) -> None:
        await self._app.run_worker_async(
            queues=["work"], concurrency=CONCURRENCY, install_signal_handlers=False
        )

    async def left(self) -> int:
        row = await self._app.connector.execute_query_one_async(LEFT)
        return int(row["n"])


if __name__ == "__main__":
    main(ProcrastinatePeer)
