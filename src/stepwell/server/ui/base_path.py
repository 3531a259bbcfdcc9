"""ASGI: a server below a path of another one, whether its proxy takes the path off or not."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class BelowPath:
    """Takes the base path off what comes with it.

    Parameters
    ----------
    base : `/stepwell`, without a slash at the end.
    """

    def __init__(self, app: ASGIApp, base: str) -> None:
        self.app, self.base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        path = scope.get("path", "")
        if path == self.base or path.startswith(f"{self.base}/"):
            scope = {**scope, "path": path[len(self.base) :] or "/"}
        await self.app(scope, receive, send)
