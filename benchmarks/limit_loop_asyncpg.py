"""For information, on PostgreSQL: the limit loop with another driver, asyncpg.

The statements are those of `limit_loop_postgres`; what differs is the driver and that it has
an event loop below it.

    python -m benchmarks.limit_loop_asyncpg postgresql://...
"""

from __future__ import annotations

import asyncio
import re
from itertools import count
from typing import Any, Final

import asyncpg

from benchmarks.handlers import HANDLERS
from benchmarks.limit_loop_postgres import BATCH, CLAIM, SETTLE, SPAWN, Handlers, execute
from benchmarks.subject import serve
from stepwell.ids import new_id

SESSION: Final = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "timezone": "UTC",
}


def numbered(statement: str, *names: str) -> str:
    """A statement with the numbered parameters that this driver takes."""
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    return re.sub(r"%\((\w+)\)s", lambda match: places[match[1]], statement)


SETTLE_ROWS: Final = numbered(SETTLE, "ids", "me")
SPAWN_ROWS: Final = numbered(SPAWN, "ids", "names", "flows", "states")
CLAIM_ROWS: Final = numbered(CLAIM, "me", "limit")


async def _drain(url: str, handlers: Handlers) -> int:
    me, rows, spawned = new_id(), list[Any](), list[Any]()
    connection = await asyncpg.connect(url, server_settings=SESSION)
    for batch in count():
        async with connection.transaction():
            if rows:
                await connection.fetch(SETTLE_ROWS, [row[0] for row in rows], me)
            if spawned:
                await connection.fetch(SPAWN_ROWS, *zip(*spawned, strict=True))
            rows = await connection.fetch(CLAIM_ROWS, me, BATCH)
        if not rows:
            await connection.close()
            return batch
        spawned = execute(rows, handlers)
    raise AssertionError("a loop without end ends by its return")


def drain(url: str, handlers: Handlers = HANDLERS) -> int:
    """Run until nothing is due; the number of batches."""
    return asyncio.run(_drain(url, handlers))


if __name__ == "__main__":
    serve(drain)
