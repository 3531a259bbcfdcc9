"""ASGI: answers browsers with the pages, and leaves all else to the API.

Whatever address a browser goes to is answered with the one page that there is, which
draws the screen itself; so an address like /metrics is a screen for people, and numbers
for Prometheus, which does not ask for HTML.
"""

from __future__ import annotations

import html
import secrets
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stepwell.server.ui.bundle import Asset, Shelf

NONCE: Final = "__CSP_NONCE__"
BASE: Final = "__BASE__"
ENVIRONMENT: Final = "__ENVIRONMENT__"

POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "frame-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""No script and no style but our own; what libraries write into the page carries the nonce."""

_YEAR: Final = 365 * 24 * 3600
_HASHED: Final = "assets/"
_API: Final = "/api/"

MISSING: Final = """\
Stepwell is running. Its pages are not built in this checkout.

Build them:   make web        (needs Node 20.19 or newer; then load this page again)
The API:      {base}/api/v1   (stepwell runs list, stepwell --help)

An installed stepwell has them: pip install 'stepwell[server]'
"""


class Pages:
    """Serves the bundle.

    Parameters
    ----------
    app : what answers all else.
    shelf : where the bundle is.
    base : the path below which the server is reached, without a slash at the end.
    environment : what the server is called.
    """

    def __init__(
        self, app: ASGIApp, shelf: Shelf, *, base: str = "", environment: str = ""
    ) -> None:
        self.app, self.shelf = app, shelf
        self.base, self.environment = html.escape(base), html.escape(environment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        answer = self._answer(scope) if _is_for_us(scope) else None
        await (answer or self.app)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        bundle = self.shelf.bundle()
        asset = bundle.assets.get(path[1:]) if bundle else None
        if asset is not None:
            return _file(asset, path, headers.get("accept-encoding", ""))
        if path != "/" and "text/html" not in headers.get("accept", ""):
            return None
        return self._missing() if bundle is None else self._page(bundle.index)

    def _page(self, index: str) -> Response:
        nonce = secrets.token_urlsafe(18)
        text = index.replace(NONCE, nonce).replace(BASE, self.base)
        text = text.replace(ENVIRONMENT, self.environment)
        policy = POLICY.format(nonce=nonce)
        return HTMLResponse(
            text,
            headers={
                "Content-Security-Policy": policy,
                "Cache-Control": "no-store",
                "X-Frame-Options": "DENY",
            },
        )

    def _missing(self) -> Response:
        text = MISSING.format(base=self.base)
        return PlainTextResponse(text, headers={"Cache-Control": "no-store"})


def _is_for_us(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    is_link = scope["path"] == "/login" and b"code=" in scope["query_string"]
    return not is_link and not scope["path"].startswith(_API)


def _file(asset: Asset, path: str, accepted: str) -> Response:
    named = {part.partition(";")[0].strip() for part in accepted.split(",")}
    how = next((one for one in asset.packed if one in named), None)
    hashed = path[1:].startswith(_HASHED)
    headers = {
        "Cache-Control": f"public, max-age={_YEAR}, immutable" if hashed else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if how is not None:
        headers["Content-Encoding"] = how
    place = asset.plain if how is None else asset.packed[how]
    return FileResponse(place, headers=headers, media_type=asset.media_type)
