"""ASGI: the headers of each answer that tell browsers what it must not be used for."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class SecurityHeaders:
    """Adds them to every answer, errors included; what a route has set stays.

    Parameters
    ----------
    https : whether users reach the server over https; then they never come without it.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app, self.https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self.app(scope, receive, sender)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        if "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = POLICY
            headers.setdefault("X-Frame-Options", "DENY")
        if self.https:
            headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}")
        if path.startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
