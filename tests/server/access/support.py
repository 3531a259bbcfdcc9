"""Accounts and browsers for the tests of logging in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from starlette.testclient import TestClient

from stepwell.server.access import users
from stepwell.server.access.records import NewUser, Role
from stepwell.server.app import Server
from stepwell.server.browser import CSRF_COOKIE, CSRF_HEADER
from stepwell.server.database.tables import audit

PASSWORD = "correct horse battery"


def account(server: Server, name: str = "anna", role: str = "operator", **values: Any) -> str:
    """An account with a password; its id."""
    new = NewUser(name=name, role=Role(role))
    with server.db.write() as conn:
        return str(users.create(conn, new, by="the test", password=PASSWORD, **values))


def browser(server: Server, **options: Any) -> TestClient:
    """A browser that keeps its cookies and has not logged in."""
    return TestClient(
        server.app,
        base_url=options.pop("base_url", "http://testserver/api/v1/"),
        raise_server_exceptions=False,
        follow_redirects=False,
        **options,
    )


def logged_in(server: Server, name: str = "anna", password: str = PASSWORD) -> TestClient:
    """A browser of a page of ours, in which somebody has logged in."""
    client = browser(server)
    answer = client.post("login", json={"name": name, "password": password})
    assert answer.status_code == 204, answer.text
    client.headers[CSRF_HEADER] = client.cookies[CSRF_COOKIE]
    return client


def entries(server: Server, action: str) -> list[Any]:
    """What the audit log says of an action, oldest first."""
    query = select(audit).where(audit.c.action == action).order_by(audit.c.at)
    with server.db.read() as conn:
        return list(conn.execute(query).mappings())
