"""Routes of the room: /runs/{id}/logs, a page at a time, as a file, or as it is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from stepwell.server.access.records import Role
from stepwell.server.http import (
    ASKED_EVERY,
    BEARER,
    Begin,
    Call,
    Router,
    asked_again,
    reads,
    require,
    services_of,
)
from stepwell.server.logs.reading import Log
from stepwell.server.logs.records import Level, LogPage, Place, Wanted
from stepwell.server.paging import Paging, encoded
from stepwell.server.runs import service as runs
from stepwell.server.services import Services

router = Router(prefix="/runs/{run_id}/logs", tags=["logs"])

EVERY: Final = 0.5
"""Seconds between two looks for what a run has written since."""
_AT_ONCE: Final = 1000
_VIEWER: Final = require(Role.VIEWER)


def _wanted(
    q: Annotated[str | None, Query(max_length=500, description="Somewhere in the line")] = None,
    since: Begin = None,
    operation: str | None = None,
    attempt: Annotated[int | None, Query(ge=1, lt=2**31, description="Of the run")] = None,
    execution: Annotated[int | None, Query(ge=1, lt=2**31, description="Of the operation")] = None,
    level: Annotated[Level | None, Query(description="So serious, or more")] = None,
) -> Wanted:
    return Wanted(
        text=q or None,
        since=since,
        operation=operation,
        attempt=attempt,
        execution=execution,
        level=level,
    )


Narrowed = Annotated[Wanted, Depends(_wanted)]
Tail = Annotated[int | None, Query(ge=1, le=10_000, description="The last lines that fit")]


@router.get("")
def read_log(
    call: Annotated[Call, reads(Role.VIEWER)],
    run_id: UUID,
    wanted: Narrowed,
    cursor: Annotated[str | None, Query(description="`next`: what comes after")] = None,
    before: Annotated[str | None, Query(description="`previous`: what was before")] = None,
    tail: Tail = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    context: Annotated[int, Query(ge=0, le=100, description="Lines around each match")] = 0,
) -> LogPage:
    """Lines of a run, from the beginning, after a cursor, before one, or the last ones."""
    runs.get(call.conn, run_id)
    log = Log(call.conn, call.services.blobs, run_id, wanted)
    if tail is not None:
        return log.backward(None, tail, context)
    if before is not None:
        return log.backward(_place(before), limit, context)
    return log.forward(_place(cursor), limit, context)


@router.get("/text", response_class=StreamingResponse)
def download_log(
    request: Request,
    run_id: UUID,
    wanted: Narrowed,
    user: Annotated[Any, Depends(require(Role.VIEWER))],
) -> StreamingResponse:
    """All lines that fit, as one text file."""
    services = services_of(request)
    with services.db.read() as conn:
        runs.get(conn, run_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{run_id}.log"',
        "X-Content-Type-Options": "nosniff",
    }
    text = _text(services, run_id, wanted)
    return StreamingResponse(text, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/stream", response_class=EventSourceResponse)
async def follow_log(
    request: Request,
    run_id: UUID,
    wanted: Narrowed,
    user: Annotated[Any, Depends(_VIEWER)],
    tail: Tail = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """Server-sent events: a `line` for each line as it is written, then `end`.

    The id of an event is its cursor: `Last-Event-ID` goes on behind it.
    """
    admitted = asked_again(request, await BEARER(request), partial(_VIEWER, request))
    tailing = _Tail(services_of(request), run_id, wanted)
    first = await run_in_threadpool(tailing.first, _place(last_event_id), tail)
    return EventSourceResponse(_events(tailing, first, admitted))


class _Tail:
    """What is new in a run's log, each time it is looked at."""

    def __init__(self, services: Services, run_id: UUID, wanted: Wanted) -> None:
        self._services, self._run_id, self._wanted = services, run_id, wanted
        self.state = ""
        self.ended = False

    def first(self, after: Place | None, tail: int | None) -> LogPage:
        """What there is already: after a place, the last lines, or all from the beginning."""
        with self._services.db.read() as conn:
            self._look(runs.get(conn, self._run_id))
            log = Log(conn, self._services.blobs, self._run_id, self._wanted)
            if after is None and tail is not None:
                return log.backward(None, tail)
            return log.forward(after, _AT_ONCE)

    def after(self, page: LogPage) -> LogPage:
        """What has come since."""
        return self.first(_place(page.next), None)

    def _look(self, run: Any) -> None:
        self.state, self.ended = str(run.state), run.state.ended


async def _events(
    tailing: _Tail, page: LogPage, admitted: Callable[[], bool]
) -> AsyncIterator[ServerSentEvent]:
    asked = time.monotonic()
    while True:
        for line in page.items:
            cursor = _cursor(line.attempt, line.line)
            yield ServerSentEvent(line.model_dump_json(), event="line", id=cursor)
        if not page.items:
            if tailing.ended:
                break
            await asyncio.sleep(EVERY)
        if time.monotonic() - asked >= ASKED_EVERY:
            if not await run_in_threadpool(admitted):
                return
            asked = time.monotonic()
        page = await run_in_threadpool(tailing.after, page)
    yield ServerSentEvent(f'{{"state":"{tailing.state}"}}', event="end")


def _text(services: Services, run_id: UUID, wanted: Wanted) -> Iterator[str]:
    with services.db.read() as conn:
        yield from Log(conn, services.blobs, run_id, wanted).texts()


def _place(cursor: str | None) -> Place | None:
    """Where a cursor points; raises `CursorInvalid`."""
    if cursor is None:
        return None
    attempt, line = Paging(cursor).numbers(2)
    return Place(attempt, line)


def _cursor(attempt: int, line: int) -> str:
    return encoded([attempt, line])
