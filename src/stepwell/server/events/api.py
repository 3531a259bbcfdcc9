"""The route of the room: /events."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Header, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from stepwell.errors import InvalidInput
from stepwell.server.access import service as access
from stepwell.server.access.records import User
from stepwell.server.events.records import TOPICS
from stepwell.server.events.stream import events
from stepwell.server.http import BEARER, CurrentUser, Router, asked_again, services_of

router = Router(tags=["events"])


class TopicUnknown(InvalidInput):
    """There is nothing to listen to under this name."""

    code = "topic-unknown"


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def listen(
    request: Request,
    user: CurrentUser,
    topic: Annotated[list[str] | None, Query(max_length=20)] = None,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """What changes, as server-sent events; every topic where none is named.

    Each event has the topic as its name and `{"topic", "what", "id", "at"}` as its data.
    With `Last-Event-ID` it goes on from there; `gap` says that this was not possible.
    """
    services = services_of(request)
    wanted = frozenset(topic or TOPICS)
    _check(wanted, user)
    admitted = asked_again(request, await BEARER(request), partial(_check, wanted))
    seen = last_event_id or ""
    groups = None if user.groups is None else frozenset(user.groups)
    position = int(seen) if seen.isascii() and seen.isdecimal() else None
    text = events(request.app.state.hub, services.db, wanted, position, groups, admitted)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(text, media_type="text/event-stream", headers=headers)


def _check(wanted: frozenset[str], user: User) -> None:
    for one in sorted(wanted):
        if one not in TOPICS:
            raise TopicUnknown(f"There is no topic {one!r}.", fix=f"There are {', '.join(TOPICS)}.")
        access.require(user, TOPICS[one])
