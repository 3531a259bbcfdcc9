"""ASGI: writes down what an image asks, and interferes where the check wants to see what then."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stepwell.server.problems import problem

_PATH: Final = re.compile(r"/api/v1/(discoveries|runs)/([0-9a-f-]{36})/(.+)")
_ATTEMPT: Final = re.compile(r"Bearer swr_(\d{1,9})_")
_AWAY: Final = {
    "code": "store-unavailable",
    "what": "The server is away for a moment.",
    "why": "The check wants to see what the image does then.",
    "fix": "Send the request again.",
}
_REVOKED: Final = {
    "code": "run-token-revoked",
    "what": "The token is not valid any more.",
    "why": "The check wants to see what the image does then.",
    "fix": "Nothing: this container has no more to do.",
}


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request of the image. `verb` is what follows the subject in the path.

    `attempt` is the run's, 0 in a discovery; `lost` says that the answer was kept from it.
    """

    subject: str
    method: str
    verb: str
    attempt: int
    at: float = field(default_factory=time.monotonic)
    body: Any = None
    status: int = 0
    answer: Any = None
    lost: bool = False


class Meddling:
    """What the check does to requests: nothing. The others say what they do instead."""

    async def before(self, exchange: Exchange) -> int | None:
        """A status to answer with at once, so that the server never sees it."""
        return None

    async def after(self, exchange: Exchange) -> int | None:
        """A status to answer with though the server has acted."""
        return None


class Outage(Meddling):
    """The first claim is turned away; the first settlement is applied, and its answer lost late."""

    HOLD: Final = 6.0

    def __init__(self) -> None:
        self.refused, self.held_from, self.held_to = False, 0.0, 0.0

    async def before(self, exchange: Exchange) -> int | None:
        """Once."""
        if exchange.verb != "store/claim" or self.refused:
            return None
        self.refused = True
        return 503

    async def after(self, exchange: Exchange) -> int | None:
        """Once, and so late that several beats fall into the wait."""
        if exchange.verb != "store/settle" or exchange.status != 200 or self.held_from:
            return None
        self.held_from = time.monotonic()
        await asyncio.sleep(self.HOLD)
        self.held_to = time.monotonic()
        return 503


class Halt(Meddling):
    """When it has ended an operation the first attempt gets nowhere, until it is told to stop."""

    def __init__(self) -> None:
        self.reached = Event()

    async def before(self, exchange: Exchange) -> int | None:
        """It may give back and leave; all else is turned away, slowly."""
        giving_back = exchange.verb in ("store/release", "store/leave", "store/claimed")
        if not self.reached.is_set() or exchange.attempt != 1 or giving_back:
            return None
        await asyncio.sleep(0.2)
        return 503

    async def after(self, exchange: Exchange) -> int | None:
        """Settlements go through as always."""
        applied = exchange.verb == "store/settle" and exchange.status == 200
        if applied and any(one["ended_as"] for one in exchange.body["settlements"]):
            self.reached.set()
        return None


class Revocation(Meddling):
    """The first attempt may join; then its token is refused."""

    def __init__(self) -> None:
        self.refused_at: float | None = None

    async def before(self, exchange: Exchange) -> int | None:
        """Whatever it asks of its store."""
        if exchange.attempt != 1 or not exchange.verb.startswith("store/"):
            return None
        if exchange.verb == "store/join":
            return None
        self.refused_at = self.refused_at or time.monotonic()
        return 403


class Book:
    """What was asked so far, and what is done to requests now."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.meddling = Meddling()

    def of(self, subject: str) -> list[Exchange]:
        """The requests about one discovery or run, in order."""
        return [one for one in self.exchanges if one.subject == subject]


class Tap:
    """The middleware; it concerns itself with what images ask, and lets all else pass."""

    def __init__(self, app: ASGIApp, book: Book, token: str) -> None:
        self.app, self.book, self.own = app, book, f"Bearer {token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write down, interfere, pass on."""
        exchange = self._exchange(scope)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        content = await _content(receive)
        exchange.body = _parsed(content)
        self.book.exchanges.append(exchange)
        status = await self.book.meddling.before(exchange)
        if status is None:
            answer = await self._asked(scope, content, exchange)
            status = await self.book.meddling.after(exchange)
            if status is None:
                for message in answer:
                    await send(message)
                return
        exchange.lost = True
        told = _REVOKED if status == 403 else _AWAY
        await problem(Request(scope), status, told)(scope, receive, send)

    def _exchange(self, scope: Scope) -> Exchange | None:
        found = _PATH.fullmatch(scope.get("path", "")) if scope["type"] == "http" else None
        if found is None:
            return None
        given = Request(scope).headers.get("authorization", "")
        if given == self.own:
            return None
        attempt = _ATTEMPT.match(given)
        return Exchange(
            subject=found[2],
            method=scope["method"],
            verb=found[3],
            attempt=int(attempt[1]) if attempt else 0,
        )

    async def _asked(self, scope: Scope, content: bytes, exchange: Exchange) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        async def again() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        await self.app(scope, again, keep)
        exchange.status = messages[0]["status"]
        exchange.answer = _parsed(b"".join(one.get("body", b"") for one in messages[1:]))
        return _one_by_one(messages, exchange.answer) if exchange.verb == "assignment" else messages


def _one_by_one(messages: list[Message], assignment: Any) -> list[Message]:
    """An assignment that offers no pairs of verbs: the check follows each verb by itself."""
    if not (isinstance(assignment, dict) and assignment.get("paired")):
        return messages
    body = json.dumps({**assignment, "paired": False}).encode()
    kept = [one for one in messages[0]["headers"] if one[0].lower() != b"content-length"]
    headers = [*kept, (b"content-length", str(len(body)).encode())]
    return [{**messages[0], "headers": headers}, {"type": "http.response.body", "body": body}]


async def _content(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
