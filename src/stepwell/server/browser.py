"""What is special about browsers: cookies, requests that other sites send, proxies in between."""

from __future__ import annotations

import hmac
import re
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from stepwell.errors import Denied
from stepwell.server.access import sessions
from stepwell.server.access.records import Origin, User
from stepwell.server.access.sessions import Begun
from stepwell.server.settings import Settings

CSRF_HEADER: Final = "X-Stepwell-CSRF"
CSRF_COOKIE: Final = "stepwell_csrf"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9_-]")
"""What a name of a cookie may not have, or had better not."""


class CrossSite(Denied):
    """A change that a page of another site may have sent."""

    code = "cross-site"


def secure(settings: Settings) -> bool:
    """Whether users reach the server over https."""
    return settings.url.startswith("https://")


def cookie_name(settings: Settings) -> str:
    """The session's cookie. With the prefix no other host or path can set it (RFC 6265bis).

    Below a path it carries that path: a browser sends a server below `/a` also what one at `/`
    has set, and of two cookies with one name nobody can tell whose is whose.
    """
    plain = "__Host-stepwell" if secure(settings) else "stepwell_session"
    return plain + _UNNAMED.sub("-", settings.base)


def cookie_path(settings: Settings) -> str:
    """Below what a browser sends a cookie: what else the host has is told nothing."""
    return settings.base or "/"


def _session_path(settings: Settings) -> str:
    """Over https it is `/`, also below a path: no browser takes a `__Host-` cookie of another
    path, and that no neighbouring host can plant one is worth more. A path keeps nobody out,
    as pages of one host may look into each other; so nothing is lost but tidiness."""
    return "/" if secure(settings) else cookie_path(settings)


def session_cookie(request: Request, settings: Settings) -> str | None:
    """The secret of the browser's session, if it has one."""
    return request.cookies.get(cookie_name(settings))


def remember(response: Response, settings: Settings, begun: Begun) -> None:
    """Give the browser its session, and a page of ours what it needs to send changes."""
    assert begun.user.session_id is not None
    csrf = sessions.csrf_token(settings.signing_key, begun.user.session_id)
    for name, value, path, hidden in (
        (cookie_name(settings), begun.secret, _session_path(settings), True),
        (CSRF_COOKIE, csrf, cookie_path(settings), False),
    ):
        response.set_cookie(
            name,
            value,
            max_age=begun.seconds,
            path=path,
            secure=secure(settings),
            httponly=hidden,
            samesite="lax",
        )


def forget(response: Response, settings: Settings) -> None:
    """Take both cookies away."""
    for name, path in (
        (cookie_name(settings), _session_path(settings)),
        (CSRF_COOKIE, cookie_path(settings)),
    ):
        response.delete_cookie(name, path=path, secure=secure(settings), samesite="lax")


def check(request: Request, settings: Settings, user: User) -> None:
    """Raise `CrossSite` unless a change that a session asks for comes from a page of ours.

    Tokens need no such check: no browser sends them by itself.
    """
    if request.method in SAFE or user.session_id is None:
        return
    check_origin(request, settings)
    given = request.headers.get(CSRF_HEADER, "")
    expected = sessions.csrf_token(settings.signing_key, user.session_id)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise CrossSite(
            f"The header {CSRF_HEADER} is missing or does not fit.",
            why="With a session's cookie, each change must show that a page of ours sent it.",
            fix=f"Send the value of the cookie {CSRF_COOKIE}, or of /me; or use an API token.",
        )


def check_origin(request: Request, settings: Settings) -> None:
    """Raise `CrossSite` if the browser says that a page of another site sent this."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own = {request.headers.get("host", ""), urlsplit(settings.url).netloc}
    foreign = site == "cross-site" if origin is None else _place(origin) not in own
    if foreign:
        raise CrossSite(
            f"This came from a page of {origin or 'another site'}.",
            why="Only pages of this server may send it.",
            fix="If that is this server's own address, set it as STEPWELL_PUBLIC_URL.",
        )


def origin_of(request: Request, settings: Settings) -> Origin:
    """Where a request comes from."""
    return Origin(address_of(request, settings), request.headers.get("user-agent"))


def address_of(request: Request, settings: Settings) -> str | None:
    """The caller's address; behind trusted proxies what the outermost of them has seen."""
    peer = None if request.client is None else request.client.host
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    trusted = settings.trusted_proxies
    if not trusted or len(hops) < trusted:
        return peer
    return hops[-trusted].strip()[:64] or peer


def _place(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
