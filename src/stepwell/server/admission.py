"""ASGI: what is refused before anything of it is read into memory or shown to a database.

A body that is too large, whether it says so or not; and a NUL character in an address,
which no database keeps as text.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stepwell.errors import InvalidInput
from stepwell.server.problems import BodyTooLarge, problem, too_large

MIB: Final = 1024 * 1024

LIMITS: Final[tuple[tuple[re.Pattern[str], int | None], ...]] = (
    # A settlement of 20 operations, each with state and result at the limit of R4.
    (re.compile(r"/api/v1/runs/[^/]+/store/"), 32 * MIB),
    (re.compile(r"/api/v1/runs/[^/]+/staged$"), 32 * MIB),
    (re.compile(r"/api/v1/runs/[^/]+/blobs$"), 65 * MIB),
    (re.compile(r"/api/v1/runs/[^/]+/logs/segments$"), 8 * MIB),
    (re.compile(r"/api/v1/discoveries/"), 8 * MIB),
    (re.compile(r"/api/v1/state/[^/]+/imports$"), 32 * MIB),
    (re.compile(r""), 2 * MIB),
)
"""The beginning of a path -> bytes of a body at most, None for a route that takes its body in
pieces. The first that fits decides."""


class CharacterForbidden(InvalidInput):
    """A NUL character in a path or query."""

    code = "character-forbidden"


class Admission:
    """Refuse what is too large or cannot be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        refused = _refused(scope, limit)
        if refused is not None:
            status = 413 if isinstance(refused, BodyTooLarge) else 422
            await problem(Request(scope), status, refused.as_dict())(scope, receive, send)
            return
        await self.app(scope, receive if limit is None else _Counted(receive, limit), send)


def limit_of(path: str) -> int | None:
    """How many bytes the body of a request to this path may have; None is any number."""
    return next(limit for pattern, limit in LIMITS if pattern.match(path))


def _refused(scope: Scope, limit: int | None) -> InvalidInput | None:
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        return CharacterForbidden(
            "The address has a NUL character.", fix="Leave it out; no text here can hold one."
        )
    said = Headers(scope=scope).get("content-length", "")
    if limit is not None and said.isdecimal() and (len(said) > 15 or int(said) > limit):
        return too_large(limit)
    return None


class _Counted:
    """Counts what comes in; the length that a request announces need not be true, or there."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.limit, self.size = receive, limit, 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.size += len(message.get("body", b""))
        if self.size > self.limit:
            raise HTTPException(413, str(self.limit))  # what the framework passes on as it is
        return message
