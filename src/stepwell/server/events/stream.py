"""One stream of server-sent events: what was missed, then what happens, then a heartbeat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from stepwell.server.database.session import Database
from stepwell.server.events import queries
from stepwell.server.events.hub import BATCH, Hub, Listener, Overrun
from stepwell.server.events.records import Change
from stepwell.server.http import ASKED_EVERY

HEARTBEAT: Final = 15.0
"""Seconds after which something is sent, if only a comment, so that proxies keep it open."""
LONGEST: Final = 600.0
"""Seconds after which a stream ends; the browser comes back, and shows its token again."""
AGAIN: Final = 200
"""So many changes before the last one seen are looked at again: ids may commit out of order."""
RETRY: Final = 2000
"""Milliseconds after which a browser comes back."""


async def events(
    hub: Hub,
    db: Database,
    topics: frozenset[str],
    last_id: int | None,
    groups: frozenset[str] | None = None,
    admitted: Callable[[], bool] = lambda: True,
) -> AsyncIterator[str]:
    """The text of a stream, event by event, for as long as who reads it is admitted.

    It begins with `ready`. `gap` says that something was lost: look at everything anew.
    A change may be told twice, never not at all without a `gap`.
    """
    listener = Listener(topics, groups, asyncio.get_running_loop())
    try:
        await asyncio.to_thread(hub.join, listener)
        missed, gap = await asyncio.to_thread(_missed, db, listener, last_id)
        yield f"retry: {RETRY}\nevent: ready\ndata: {{}}\n\n"
        if gap:
            yield "event: gap\ndata: {}\n\n"
        for change in missed:
            yield _event(change)
        async for text in _live(listener, admitted):
            yield text
    finally:
        hub.leave(listener)


async def _live(listener: Listener, admitted: Callable[[], bool]) -> AsyncIterator[str]:
    asked = time.monotonic()
    end = asked + LONGEST
    while (left := end - time.monotonic()) > 0:
        if time.monotonic() - asked >= ASKED_EVERY:
            if not await asyncio.to_thread(admitted):
                return
            asked = time.monotonic()
        try:
            change = await listener.next(min(HEARTBEAT, left))
        except TimeoutError:
            yield ": still here\n\n"
            continue
        except Overrun:
            yield "event: gap\ndata: {}\n\n"
            continue
        if change is None:
            return
        yield _event(change)


def _missed(db: Database, listener: Listener, last_id: int | None) -> tuple[list[Change], bool]:
    """What happened since the last event that was seen, and whether that is not all."""
    if last_id is None:
        return [], False
    with db.read() as conn:
        oldest, newest = queries.oldest(conn), queries.newest(conn)
        known = oldest is not None and oldest - 1 <= last_id <= newest
        found = queries.after(conn, max(last_id - AGAIN, 0), (), BATCH) if known else []
    gap = not known and newest != last_id
    return [one for one in found if listener.wants(one)], gap or len(found) == BATCH


def _event(change: Change) -> str:
    return f"id: {change.id}\nevent: {change.topic}\ndata: {change.data}\n\n"
