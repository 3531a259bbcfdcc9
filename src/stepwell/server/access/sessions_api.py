"""Routes of logging in and out. Those of logging in need no authentication: they give it."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import PlainTextResponse, RedirectResponse

from stepwell.errors import NotFound, Unauthenticated
from stepwell.server import browser
from stepwell.server.access import developer, logins, service, sessions, states
from stepwell.server.access.records import (
    BrowserLink,
    Exchange,
    FirstAdmin,
    IssuedToken,
    LoginSession,
    LoginToken,
    LoginWays,
    PasswordLogin,
    Role,
)
from stepwell.server.access.sessions import Begun
from stepwell.server.access.states import Provider, refused
from stepwell.server.access.users_api import NotAnAccount
from stepwell.server.audit import service as audit
from stepwell.server.http import (
    Call,
    CurrentUser,
    Page,
    Pages,
    Reason,
    Router,
    reads,
    services_of,
    writes,
)

router = Router(tags=["login"])
entrance = APIRouter()
"""What is no part of the API: the address that a link of `stepwell dev` leads to."""

AGAIN: Final = "Where `stepwell dev` runs, `stepwell ui` opens a new one."
STATE_COOKIE: Final = "stepwell_login"


class NoProvider(NotFound):
    """No identity provider is set."""

    code = "no-provider"


@router.get("/login")
def login_ways(request: Request) -> LoginWays:
    """How one can log in here. Needs no login."""
    return logins.ways(services_of(request))


@router.post("/login", status_code=204)
def log_in(request: Request, body: PasswordLogin) -> Response:
    """Log in by name and password: sets the session's cookie. Needs no login."""
    services = services_of(request)
    browser.check_origin(request, services.settings)
    origin = browser.origin_of(request, services.settings)
    with audit.called_from(origin.address):
        return _welcome(request, logins.by_password(services, body, origin))


@router.post("/login/tokens", status_code=201)
def log_in_for_token(request: Request, body: LoginToken) -> IssuedToken:
    """Log in by name and password for a token of one's own. Needs no login."""
    services = services_of(request)
    browser.check_origin(request, services.settings)
    origin = browser.origin_of(request, services.settings)
    with audit.called_from(origin.address):
        return logins.token(services, body, origin)


@router.post("/login/exchanges", status_code=201)
def exchange_code(request: Request, body: Exchange) -> IssuedToken:
    """The code of a login in the browser for a token, for a command line. Needs no login."""
    services = services_of(request)
    with audit.called_from(browser.address_of(request, services.settings)):
        return logins.exchanged(services, body)


@router.post("/login/first", status_code=204)
def set_up(request: Request, body: FirstAdmin) -> Response:
    """Make the first admin with the secret that the server has printed, and log in."""
    services = services_of(request)
    browser.check_origin(request, services.settings)
    origin = browser.origin_of(request, services.settings)
    with audit.called_from(origin.address):
        return _welcome(request, logins.set_up(services, body, origin))


@router.post("/login/links", status_code=201)
def make_browser_link(call: Annotated[Call, writes(Role.ADMIN, secret=True)]) -> BrowserLink:
    """A link that logs a browser of this machine in, once; of `stepwell dev` only."""
    return developer.link(call.conn, call.services.settings)


@entrance.get("/login", include_in_schema=False)
def come_in(request: Request, code: Annotated[str, Query(max_length=200)]) -> Response:
    """Where a link of `stepwell dev` leads to. A browser that is in already stays in."""
    services = services_of(request)
    inside = RedirectResponse(f"{services.settings.base}/", status_code=303)
    inside.headers["Cache-Control"] = "no-store"
    origin = browser.origin_of(request, services.settings)
    try:
        with audit.called_from(origin.address):
            browser.remember(inside, services.settings, developer.come_in(services, code, origin))
    except Unauthenticated as error:
        if _is_in(request):
            return inside
        return PlainTextResponse(f"{error.what} {error.why}\n\n{AGAIN}\n", status_code=401)
    return inside


@router.get("/login/oidc", status_code=303, response_class=RedirectResponse)
def go_to_provider(
    request: Request,
    next: Annotated[str, Query(max_length=1000)] = "",
    port: Annotated[int | None, Query(ge=1024, le=65535)] = None,
    challenge: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{43}$")] = None,
) -> Response:
    """Go and log in with the identity provider. Needs no login.

    With `port` and `challenge` a command line waits there on loopback for a code.
    """
    settings = services_of(request).settings
    waits = port is not None and challenge is not None
    after = next or f"{settings.base}/"
    pending = states.begun(after, port if waits else None, challenge if waits else None)
    answer = RedirectResponse(_provider(request).address(pending.asked), status_code=303)
    answer.set_cookie(
        STATE_COOKIE,
        states.sealed(settings.signing_key, pending),
        max_age=states.LIFE,
        path=browser.cookie_path(settings),
        secure=browser.secure(settings),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/login/oidc/callback", status_code=303, response_class=RedirectResponse)
def come_back(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Where the identity provider sends the browser back to. Needs no login."""
    services = services_of(request)
    key, cookie = services.settings.signing_key, request.cookies.get(STATE_COOKIE)
    pending = states.opened(key, cookie, state)
    if error or not code:
        raise refused(f"The provider said {error!r}." if error else "There is no code.")
    claims = _provider(request).claims(code, pending.asked)
    origin = browser.origin_of(request, services.settings)
    with audit.called_from(origin.address):
        if pending.port is not None and pending.challenge is not None:
            handed = logins.code_for_cli(services, claims, pending.challenge)
            place = f"http://127.0.0.1:{pending.port}/?code={handed}"
            answer: Response = RedirectResponse(place, status_code=303)
        else:
            answer = RedirectResponse(pending.next, status_code=303)
            browser.remember(
                answer, services.settings, logins.by_provider(services, claims, origin)
            )
    answer.delete_cookie(STATE_COOKIE, path=browser.cookie_path(services.settings))
    return answer


@router.post("/logout", status_code=204)
def log_out(request: Request, user: CurrentUser) -> Response:
    """End the session, or the token of one's own login, that asks; take the cookies away."""
    services = services_of(request)
    address = browser.address_of(request, services.settings)
    if user.session_id is not None:
        with audit.called_from(address), services.db.write() as conn:
            sessions.revoke(conn, user.session_id, None, user=user, by_admin=False)
    elif user.user_id is not None and user.token_id is not None:
        with audit.called_from(address), services.db.write() as conn:
            service.revoke(conn, user.token_id, "logout", by=user.name)
    answer = Response(status_code=204)
    browser.forget(answer, services.settings)
    return answer


@router.get("/sessions")
def list_sessions(call: Annotated[Call, reads(Role.VIEWER)], pages: Pages) -> Page[LoginSession]:
    """The caller's own open sessions, newest first."""
    if call.user.user_id is None:
        raise NotAnAccount("This token belongs to no user.", fix="Log in as a user.")
    return sessions.listed(call.conn, call.user, pages)


@router.post("/sessions/{session_id}/revocations", status_code=201)
def revoke_session(
    call: Annotated[Call, writes(Role.VIEWER)], session_id: UUID, body: Reason
) -> LoginSession:
    """End a session of one's own; an admin may end anybody's."""
    admin = call.user.role is Role.ADMIN
    return sessions.revoke(call.conn, session_id, body.reason, user=call.user, by_admin=admin)


def _is_in(request: Request) -> bool:
    services = services_of(request)
    cookie = browser.session_cookie(request, services.settings)
    try:
        return cookie is not None and bool(sessions.holder(services, cookie))
    except Unauthenticated:
        return False


def _welcome(request: Request, begun: Begun) -> Response:
    answer = Response(status_code=204)
    browser.remember(answer, services_of(request).settings, begun)
    return answer


def _provider(request: Request) -> Provider:
    found: Provider | None = request.app.state.provider
    if found is None:
        raise NoProvider(
            "There is no login with an identity provider here.",
            fix="Log in with a password, or set STEPWELL_OIDC_ISSUER.",
        )
    return found
