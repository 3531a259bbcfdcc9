"""ASGI: the headers of each answer that tell browsers what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header: TypeAlias = tuple[bytes, bytes]

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)
"""Unless an answer brings its own, as reports do (R43); those our own pages may frame."""

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_YEAR: Final = 365 * 24 * 3600
_POLICY: Final = b"content-security-policy"


class SecurityHeaders:
    """Adds them to every answer, errors included; what a route has set stays.

    Parameters
    ----------
    https : whether users reach the server over https; then they never come without it.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        strict = {"Strict-Transport-Security": f"max-age={_YEAR}"} if https else {}
        self._always = _raw({**ALWAYS, **strict})
        self._own_policy = _raw({"Content-Security-Policy": POLICY, "X-Frame-Options": "DENY"})
        self._private = _raw({"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._all(message.get("headers", ()), scope["path"])
            await send(message)

        await self.app(scope, receive, sender)

    def _all(self, own: Iterable[Header], path: str) -> list[Header]:
        headers = list(own)
        have = {name.lower() for name, _ in headers}
        wanted = self._always if _POLICY in have else self._always + self._own_policy
        if path.startswith("/api/"):
            wanted = wanted + self._private
        return headers + [one for one in wanted if one[0] not in have]


def _raw(headers: Mapping[str, str]) -> list[Header]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
