"""What all routes share: who calls, the transaction, idempotency, paging.

A route is thin. It takes a `Call`, which says who asks and carries the one
transaction of the request, and hands both to its room's service::

    router = Router(prefix="/groups", tags=["groups"])

    @router.post("", status_code=201)
    def register(call: Annotated[Call, writes(Role.ADMIN)], body: NewGroup) -> Group:
        return service.register(call.conn, body, by=call.user.name)

The transaction opens in the handler's own thread, after the request was
validated, and commits before the answer is sent: one request, one transaction.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Depends, Header, Query
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path, get_name

from stepwell.errors import Denied, Unauthenticated, Unavailable
from stepwell.server import answers, browser
from stepwell.server.access import scopes, sessions
from stepwell.server.access import service as access
from stepwell.server.access.records import Role, User
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.described import PREFIX, operation_id
from stepwell.server.paging import Page, Pages, Paging, paged
from stepwell.server.services import Services

__all__ = [
    "ASKED_EVERY",
    "Call",
    "CurrentUser",
    "Page",
    "Pages",
    "Paging",
    "Reason",
    "Router",
    "asked_again",
    "paged",
    "reads",
    "require",
    "writes",
]

Who: TypeAlias = Role | Callable[..., Any]
"""A role, or a dependency that returns the `User` (for callers that have no API token)."""

BEARER = HTTPBearer(auto_error=False, description="An API token: sw_...")


@dataclass(slots=True)
class Call:
    """One request: who asks, and the transaction that all of it happens in.

    `conn` is open while the route's function runs, and only then.
    """

    user: User
    services: Services
    opener: Callable[[], AbstractContextManager[Connection]]
    idempotency_key: str | None = None
    secret: bool = False
    path: str = ""
    address: str | None = None
    _conn: Connection | None = field(default=None, repr=False)

    @property
    def conn(self) -> Connection:
        """The connection of the request's one transaction."""
        assert self._conn is not None, "the route is not running: use Router"
        return self._conn

    @property
    def db(self) -> Database:
        """The database; `call.db.steps(call.conn)` are the step verbs in this transaction."""
        return self.services.db

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open `conn` for the block."""
        with audit.called_from(self.address), self.opener() as conn:
            self._conn = conn
            try:
                yield
            finally:
                self._conn = None


def caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> User:
    """The user of the request's token, else of the browser's session.

    Raises
    ------
    Unauthenticated : there is neither, or it is not good.
    CrossSite : a change that may come from a page of another site.
    """
    services = services_of(request)
    if credentials is not None:
        return access.authenticate(services, credentials.credentials)
    cookie = browser.session_cookie(request, services.settings)
    if cookie is None:
        return access.authenticate(services, None)
    user = sessions.holder(services, cookie)
    browser.check(request, services.settings, user)
    return user


CurrentUser: TypeAlias = Annotated[User, Depends(caller)]


def require(role: Role) -> Callable[[Request, User], User]:
    """A dependency: the current user, who has at least this role and reaches what is named.

    Raises
    ------
    RoleMissing, OutOfGroups
    """

    def allowed(request: Request, user: CurrentUser) -> User:
        access.require(user, role)
        if user.groups is not None:
            with services_of(request).db.read() as conn:
                scopes.check(conn, user, request)
        return user

    allowed.role = role  # type: ignore[attr-defined] # `permissions` tells it to pages
    return allowed


ASKED_EVERY: Final = 15.0
"""Seconds after which who reads a stream is asked anew who they are: it may go on for days."""


def asked_again(
    request: Request, credentials: HTTPAuthorizationCredentials | None, check: Callable[[User], Any]
) -> Callable[[], bool]:
    """Whether the request would still be answered, each time that it is called.

    Parameters
    ----------
    check : raises `Denied` for whom it is not answered.
    """

    def admitted() -> bool:
        try:
            check(caller(request, credentials))
        except (Unauthenticated, Denied):
            return False
        except Unavailable:
            return True  # nothing is told either while the database is away
        return True

    return admitted


def services_of(request: Request) -> Services:
    """The server's parts, from the app that the request came to."""
    found: Services = request.app.state.services
    return found


def reads(who: Who) -> Any:
    """A `Call` whose connection only reads; for GET routes."""
    asks = Depends(_dependency(who))

    def call(request: Request, user: User = asks) -> Call:
        services = services_of(request)
        return Call(user, services, services.db.read, address=_address(request, services))

    return Depends(call)


def writes(who: Who, *, keyed: bool = True, secret: bool = False) -> Any:
    """A `Call` with a transaction that commits if the route's function returns.

    Parameters
    ----------
    keyed : do what comes with an `Idempotency-Key` once. Off only for containers, whose
        requests can be repeated as they are.
    secret : the answer holds a secret and is not stored: who repeats a key is told so.
    """
    asks = Depends(_dependency(who))

    def call(
        request: Request,
        user: User = asks,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Call:
        access.require_change(user)
        services = services_of(request)
        key = idempotency_key if keyed else None
        path = f"{request.method} {request.url.path}"
        address = _address(request, services)
        return Call(user, services, services.db.write, key, secret, path, address)

    return Depends(call)


def _address(request: Request, services: Services) -> str | None:
    return browser.address_of(request, services.settings)


def _dependency(who: Who) -> Callable[..., Any]:
    return require(who) if isinstance(who, Role) else who


_READING: Final = threading.RLock()


class TransactionRoute(APIRoute):
    """A route whose function runs inside the transaction of its `Call`.

    What it takes and gives is read from its function when that is first asked for, as by its
    first request: to read all of them takes half a second, which no start has to wait for.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # Of this much the router asks every route, until it has found the one of a request.
        self.path, self.endpoint = path, in_transaction(endpoint)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in options["methods"]}
        self.name = options.get("name") or get_name(endpoint)
        self.tags = options.get("tags") or []
        self._options: dict[str, Any] | None = options

    def __getattr__(self, name: str) -> Any:
        """What is not there yet."""
        with _READING:
            options, self._options = self.__dict__.get("_options"), None
            if options is not None:
                super().__init__(self.path, self.endpoint, **options)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None


class Router(APIRouter):
    """A room's router: its routes run in the transaction of their `Call`.

    They are whole as they are, with their names and the prefix of the API: an app takes them
    over (`app.router.routes`). To include a router makes each of its routes a second time, at
    the first request.
    """

    def __init__(self, *, root: str = PREFIX, prefix: str = "", **options: Any) -> None:
        super().__init__(
            prefix=root + prefix,
            route_class=TransactionRoute,
            generate_unique_id_function=operation_id,
            **options,
        )


def in_transaction(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """`endpoint`, run in the transaction of the `Call` among its arguments."""
    if inspect.iscoroutinefunction(endpoint) or hasattr(endpoint, "__wrapped__"):
        return endpoint

    @functools.wraps(endpoint)
    def run(**arguments: Any) -> Any:
        calls = [one for one in arguments.values() if isinstance(one, Call)]
        return _run(calls[0], endpoint, arguments) if calls else endpoint(**arguments)

    return run


_NO_ARGUMENTS: Final = (Call, Request, Response)


def _run(call: Call, endpoint: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    with call.transaction():
        if call.idempotency_key is None:
            return endpoint(**arguments)
        given = {key: one for key, one in arguments.items() if not isinstance(one, _NO_ARGUMENTS)}
        request = answers.Request(call.user.name, call.idempotency_key, call.path, given)
        act = functools.partial(endpoint, **arguments)
        return answers.once(call.conn, request, act, secret=call.secret)


Why: TypeAlias = Annotated[str | None, Query(max_length=1000)]
"""The reason for the audit log, where a request has no body to say it in."""

Begin: TypeAlias = Annotated[AwareDatetime | None, Query(alias="from")]
End: TypeAlias = Annotated[AwareDatetime | None, Query(alias="to")]
"""A span of instants, from one on and before another one."""


class Reason(BaseModel):
    """The body of an action that needs nothing but, at best, a reason for the audit log."""

    reason: str | None = Field(default=None, max_length=1000)
