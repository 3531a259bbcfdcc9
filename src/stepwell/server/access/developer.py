"""The developer of `stepwell dev`: no password, but links that work once, on this machine only.

Whoever sees the terminal that shows a link may do anything there anyway.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Conflict
from stepwell.server.access import links, queries, sessions, users
from stepwell.server.access.records import BrowserLink, How, NewUser, Origin, Role
from stepwell.server.access.service import DEVELOPMENT as MAKER
from stepwell.server.access.sessions import Begun
from stepwell.server.services import Services
from stepwell.server.settings import Settings

NAME: Final = "developer"


class NotDevelopment(Conflict):
    """Only `stepwell dev` lets a browser in by a link."""

    code = "not-development"


ACCOUNT: Final = NewUser(name=NAME, role=Role.ADMIN)


def link(conn: Connection, settings: Settings, account: NewUser = ACCOUNT) -> BrowserLink:
    """A new link for an account, which is made if need be; those before it end.

    Raises
    ------
    NotDevelopment
    """
    if not settings.dev:
        raise NotDevelopment(
            "This server lets nobody in by a link.",
            why="It is not `stepwell dev`.",
            fix=f"Log in at {settings.url}/login.",
        )
    secret = links.made(conn, links.BROWSER, by=MAKER, user_id=_account(conn, account))
    ends = clock.now() + links.LIFE[links.BROWSER]
    return BrowserLink(url=f"{settings.url}/login?code={secret}", expires_at=ends)


def come_in(services: Services, code: str, origin: Origin) -> Begun:
    """A session for the code of a link, which is used up.

    Raises
    ------
    LinkInvalid : also where the browser is on another machine.
    """
    if not services.settings.dev or not is_local(origin.address):
        raise links.invalid()
    with services.db.write() as conn:
        used = links.used(conn, links.BROWSER, code)
        account = users.found(conn, used["user_id"])
        if account["disabled_at"] is not None:
            raise links.invalid()
        return sessions.begin(conn, services, account, How.LINK, origin)


def is_local(address: str | None) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _account(conn: Connection, wanted: NewUser) -> UUID:
    row = queries.user_by_name(conn, wanted.name)
    if row is None:
        return users.create(conn, wanted, by=MAKER)
    found: UUID = row["id"]
    return found
