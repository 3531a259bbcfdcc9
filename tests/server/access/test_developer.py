"""The developer of `stepwell dev` comes in by a link: once, within the hour, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from tests.server.access.support import PASSWORD, account, entries
from tests.server.support import Api, problem, token

from stepwell import clock
from stepwell.server.access import developer, logins, queries
from stepwell.server.app import Server
from stepwell.server.database import tables
from stepwell.server.settings import Settings


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Server]:
    """A server as `stepwell dev` makes it, without its engine."""
    with Server(Settings.for_dev(tmp_path / "data", run_engine=False)) as made:
        yield made


def browser(server: Server, *, at: str = "127.0.0.1", **options: Any) -> TestClient:
    """A browser at an address."""
    place = {"base_url": server.settings.url, "client": (at, 40_000), "follow_redirects": False}
    return TestClient(server.app, **{**place, **options})


def link(server: Server) -> str:
    """The address of a new link."""
    with server.db.write() as conn:
        return developer.link(conn, server.settings).url


def me(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/me").json()
    return found


def test_the_link_lets_the_developer_in_as_an_admin_and_leads_to_the_first_page(
    dev: Server,
) -> None:
    client = browser(dev)
    answer = client.get(link(dev))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["cache-control"] == "no-store"
    who = me(client)
    assert (who["name"], who["role"], who["how"]) == ("developer", "admin", "link")
    assert (who["environment"], who["mode"]) == ("dev", "server")
    sent = client.post("/api/v1/logout", headers={"X-Stepwell-CSRF": who["csrf"]})
    assert sent.status_code == 204
    (entry,) = entries(dev, "session.begin")
    assert (entry["actor"], entry["address"]) == ("developer", "127.0.0.1")


def test_it_works_once_and_a_browser_that_is_in_stays_in(dev: Server) -> None:
    url = link(dev)
    client, other = browser(dev), browser(dev)
    assert client.get(url).status_code == 303
    assert client.get(url).status_code == 303
    refused = other.get(url, headers={"Accept": "text/html"})
    assert (refused.status_code, refused.cookies) == (401, {})
    assert "stepwell ui" in refused.text


def test_a_newer_link_ends_the_one_before(dev: Server) -> None:
    first, second = (link(dev) for _ in range(2))
    assert browser(dev).get(first).status_code == 401
    assert browser(dev).get(second).status_code == 303


def test_it_is_too_old_after_an_hour(dev: Server) -> None:
    url = link(dev)
    with dev.db.write() as conn:
        links = tables.one_time_links
        conn.execute(update(links).values(expires_at=clock.now() - timedelta(seconds=1)))
    assert browser(dev).get(url).status_code == 401


@pytest.mark.parametrize("at", ["192.0.2.7", "testclient", "::ffff:192.0.2.7"])
def test_another_machine_is_not_let_in_and_does_not_use_it_up(dev: Server, at: str) -> None:
    url = link(dev)
    assert browser(dev, at=at).get(url).status_code == 401
    assert browser(dev, at="::1").get(url).status_code == 303


def test_a_foreign_name_for_this_machine_is_refused(dev: Server) -> None:
    """A page of another site, whose name points to 127.0.0.1, cannot ask."""
    client = browser(dev)
    url = link(dev)
    assert client.get(url, headers={"Host": "evil.example:8420"}).status_code == 403


def test_a_guess_lets_nobody_in(dev: Server) -> None:
    link(dev)
    assert browser(dev).get("/login?code=swl_guessed").status_code == 401


def test_the_developer_has_no_password_and_is_out_when_disabled(dev: Server) -> None:
    url = link(dev)
    body = {"name": "developer", "password": ""}
    problem(browser(dev).post("/api/v1/login", json=body), 401, "login-failed")
    with dev.db.write() as conn:
        row = queries.user_by_name(conn, "developer")
        assert row
        queries.change_user(conn, row["id"], disabled_at=clock.now())
    assert browser(dev).get(url).status_code == 401


def test_an_admin_gets_another_link_over_the_api(dev: Server) -> None:
    with browser(dev) as client:
        headers = {"Authorization": f"Bearer {token(dev, 'admin')}"}
        made = client.post("/api/v1/login/links", headers=headers)
        assert made.status_code == 201
        assert client.get(made.json()["url"]).status_code == 303
        headers = {"Authorization": f"Bearer {token(dev, 'operator')}"}
        stranger = browser(dev)
        problem(stranger.post("/api/v1/login/links", headers=headers), 403, "role-missing")


def test_a_server_in_production_lets_nobody_in_by_a_link(
    dev: Server, server: Server, api: Api
) -> None:
    problem(api("admin").post("login/links"), 409, "not-development")
    url = link(dev)
    grown_up = replace(dev.services, settings=replace(dev.settings, dev=False))
    dev.app.state.services = grown_up
    assert browser(dev).get(url).status_code == 401


def test_the_developer_is_no_user_when_the_first_admin_is_to_be_made(dev: Server) -> None:
    link(dev)
    ways = browser(dev).get("/api/v1/login").json()
    assert ways == {"password": True, "oidc": None, "setup": False, "link": True}
    assert logins.setup_secret(dev.services)
    account(dev)
    assert logins.setup_secret(dev.services) is None
    assert PASSWORD
