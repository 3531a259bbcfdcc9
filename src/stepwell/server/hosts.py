"""ASGI: answers only to the Host names it knows, and only to pages of its own origin (R42).

Without it a page of any site could reach a server on loopback, by a name that
its owner points there.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from stepwell.errors import Denied
from stepwell.server.problems import problem


class HostUnknown(Denied):
    """The Host or Origin header names another site."""

    code = "host-unknown"


class KnownHosts:
    """Refuse requests whose Host, or Origin where there is one, is not in `hosts`."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app, self.hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        foreign = self._foreign(Request(scope)) if scope["type"] == "http" else None
        if foreign is None:
            await self.app(scope, receive, send)
            return
        error = HostUnknown(
            f"This server does not answer to {foreign!r}.",
            why="It takes requests for its own names only.",
            fix=f"Use one of {', '.join(sorted(self.hosts))}, or set STEPWELL_ALLOWED_HOSTS.",
        )
        await problem(Request(scope), 403, error.as_dict())(scope, receive, send)

    def _foreign(self, request: Request) -> str | None:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        named = [f"//{host}"] if origin is None else [f"//{host}", origin]
        return next((one for one in named if _name(one) not in self.hosts), None)


def _name(address: str) -> str:
    """The host name in an address, with the brackets that IPv6 has in a Host header."""
    try:
        name = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name
