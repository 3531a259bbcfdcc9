"""Logging in by password, sessions and their ends, and the first admin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.server.access.support import PASSWORD, account, browser, entries, logged_in
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.server.access import logins, passwords, throttle
from stepwell.server.app import Server, create_app
from stepwell.server.browser import CSRF_COOKIE, CSRF_HEADER
from stepwell.server.database import tables
from stepwell.testing.clock import VirtualClock


@on_both
def test_a_login_opens_a_session_that_says_who_one_is(server: Server) -> None:
    user_id = account(server, role="reviewer")
    client = logged_in(server)
    me = client.get("me").json()
    assert (me["name"], me["role"], me["how"]) == ("anna", "reviewer", "password")
    assert (me["user_id"], me["groups"], me["read_only"]) == (user_id, None, False)
    assert me["csrf"] == client.cookies[CSRF_COOKIE]
    (entry,) = entries(server, "session.begin")
    assert (entry["actor"], entry["address"]) == ("anna", "testclient")


def test_names_do_not_depend_on_case(server: Server) -> None:
    account(server)
    assert logged_in(server, name="ANNA").get("me").json()["name"] == "anna"


def test_the_cookie_cannot_be_read_by_pages_and_is_not_sent_by_other_sites(server: Server) -> None:
    account(server)
    answer = browser(server).post("login", json={"name": "anna", "password": PASSWORD})
    hidden, shown = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(hidden.split("; "))
    assert "HttpOnly" not in shown


def test_over_https_cookies_stay_on_https_and_on_this_host(server: Server) -> None:
    account(server)
    server.app.state.services = replace(
        server.services, settings=replace(server.settings, public_url="https://testserver")
    )
    client = browser(server, base_url="https://testserver/api/v1/")
    answer = client.post("login", json={"name": "anna", "password": PASSWORD})
    hidden, shown = answer.headers.get_list("set-cookie")
    assert hidden.startswith("__Host-stepwell=")
    assert "Secure" in hidden
    assert "Secure" in shown
    assert "Domain" not in hidden
    assert client.get("me").status_code == 200


def below(server: Server, public_url: str) -> TestClient:
    """A browser of a server of this address, at its API."""
    return TestClient(app_at(server, public_url), base_url=f"{public_url}/api/v1/")


def app_at(server: Server, public_url: str) -> ASGIApp:
    own = replace(server.settings, public_url=public_url)
    return create_app(replace(server.services, settings=own))


def test_below_a_path_cookies_are_of_that_path_alone(server: Server) -> None:
    account(server)
    client = below(server, "http://testserver/two/flows")
    answer = client.post("login", json={"name": "anna", "password": PASSWORD})
    for cookie in answer.headers.get_list("set-cookie"):
        assert "Path=/two/flows" in cookie.split("; ")
    assert client.get("me").status_code == 200
    assert client.get("http://testserver/api/v1/me").status_code == 401
    client.headers[CSRF_HEADER] = client.cookies[CSRF_COOKIE]
    assert client.post("logout").status_code == 204
    assert dict(client.cookies) == {}


def test_over_https_a_path_does_not_cost_the_prefix(server: Server) -> None:
    """Which browsers take with the path `/` only; the other cookie has its own."""
    account(server)
    client = below(server, "https://testserver/flows")
    answer = client.post("login", json={"name": "anna", "password": PASSWORD})
    hidden, shown = (set(one.split("; ")) for one in answer.headers.get_list("set-cookie"))
    assert any(one.startswith("__Host-stepwell-flows=") for one in hidden)
    assert {"Path=/", "Secure", "HttpOnly"} <= hidden
    assert {"Path=/flows", "Secure"} <= shown
    assert client.get("me").status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_servers_on_one_host_do_not_end_each_others_sessions(server: Server, scheme: str) -> None:
    account(server)
    bases = ("/a/b", "/a", "")
    apps = {base: app_at(server, f"{scheme}://testserver{base}") for base in bases}

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        base = next(one for one in bases if scope["path"].startswith(f"{one}/api"))
        await apps[base](scope, receive, send)

    client = TestClient(host, base_url=f"{scheme}://testserver")
    for base in bases:
        client.post(f"{base}/api/v1/login", json={"name": "anna", "password": PASSWORD})
    current = set()
    for base in bases:
        found = client.get(f"{base}/api/v1/sessions").json()["items"]
        current |= {one["id"] for one in found if one["current"]}
    assert len(current) == len(bases)


@on_both
def test_only_the_hash_of_a_session_is_kept(server: Server) -> None:
    account(server)
    client = logged_in(server)
    secret = client.cookies["stepwell_session"]
    with server.db.read() as conn:
        kept = repr(conn.execute(select(tables.sessions)).all())
    assert secret not in kept


@pytest.mark.parametrize("name", ["anna", "nobody", "disabled", "anna\0"])
def test_a_failed_login_does_not_tell_what_was_wrong(server: Server, name: str) -> None:
    account(server)
    account(server, "disabled")
    with server.db.write() as conn:
        gone = tables.users.c.name == "disabled"
        conn.execute(update(tables.users).where(gone).values(disabled_at=clock.now()))
    password = PASSWORD if name == "disabled" else "wrong password"
    answer = browser(server).post("login", json={"name": name, "password": password})
    told = problem(answer, 401, "login-failed")
    assert told["what"] == "Name and password do not fit."
    assert "set-cookie" not in answer.headers


def test_what_was_typed_in_place_of_a_name_is_kept_nowhere(server: Server) -> None:
    """People type their password there."""
    browser(server).post("login", json={"name": "my-secret-password", "password": "x"})
    (entry,) = entries(server, "session.refuse")
    assert (entry["actor"], entry["target"]) == ("an unknown user", "an unknown user")
    with server.db.read() as conn:
        kept = repr(conn.execute(select(tables.login_throttles)).all())
    assert "my-secret-password" not in kept


def test_a_user_who_does_not_exist_costs_the_same_work(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(server)
    checked: list[bool] = []
    real = passwords.fits

    def fits(password_hash: str | None, password: str) -> bool:
        checked.append(password_hash is not None)
        return real(password_hash, password)

    monkeypatch.setattr(passwords, "fits", fits)
    for name in ("anna", "nobody"):
        browser(server).post("login", json={"name": name, "password": "wrong password"})
    assert checked == [True, False]


@on_both
def test_an_account_is_tried_a_few_times_only_whatever_the_password(server: Server) -> None:
    account(server)
    services = replace(server.services, clock=VirtualClock())
    server.app.state.services = services
    wrong = {"name": "anna", "password": "wrong password"}
    for _ in range(throttle.ACCOUNT.burst):
        throttle.charge(services, "anna", None)
    answer = browser(server).post("login", json=wrong)
    problem(answer, 429, "too-many-logins")
    assert 0 < int(answer.headers["retry-after"]) <= throttle.ACCOUNT.interval + 1
    right = browser(server).post("login", json={"name": "Anna", "password": PASSWORD})
    problem(right, 429, "too-many-logins")


def test_a_right_password_forgives_the_account_and_not_the_address(server: Server) -> None:
    account(server)
    for _ in range(throttle.ACCOUNT.burst - 1):
        throttle.charge(server.services, "anna", "192.0.2.1")
    logged_in(server)
    with server.db.read() as conn:
        keys = set(conn.execute(select(tables.login_throttles.c.key)).scalars())
    assert keys == {"address:192.0.2.1", "address:testclient"}


def test_an_address_is_limited_over_all_accounts_and_ipv6_by_its_network(server: Server) -> None:
    services = replace(server.services, clock=VirtualClock())
    for number in range(throttle.ADDRESS.burst):
        throttle.charge(services, f"user{number}", f"2001:db8::{number:x}")
    with pytest.raises(throttle.TooManyLogins):
        throttle.charge(services, "another", "2001:db8::ffff")
    throttle.charge(services, "another", "2001:db8:0:1::1")


def test_after_a_while_one_may_try_again(server: Server) -> None:
    time = VirtualClock()
    services = replace(server.services, clock=time)
    for _ in range(throttle.ACCOUNT.burst):
        throttle.charge(services, "anna", None)
    time.advance(throttle.ACCOUNT.interval)
    throttle.charge(services, "anna", None)
    with pytest.raises(throttle.TooManyLogins):
        throttle.charge(services, "anna", None)


@on_both
def test_logging_out_ends_the_session_at_once(server: Server) -> None:
    account(server)
    client = logged_in(server)
    secret = client.cookies["stepwell_session"]
    answer = client.post("logout")
    assert answer.status_code == 204
    assert "stepwell_session" not in client.cookies
    client.cookies["stepwell_session"] = secret
    problem(client.get("me"), 401, "session-ended")


def aged(server: Server, **values: Any) -> None:
    with server.db.write() as conn:
        conn.execute(update(tables.sessions).values(**values))


def test_a_session_ends_when_it_was_not_used_for_long(server: Server) -> None:
    account(server)
    client = logged_in(server)
    idle = timedelta(seconds=server.settings.session_idle)
    aged(server, last_used_at=clock.now() - idle + timedelta(minutes=1))
    assert client.get("me").status_code == 200  # and was used just now
    aged(server, last_used_at=clock.now() - idle)
    problem(client.get("me"), 401, "session-ended")


def test_a_session_ends_after_its_time_however_much_it_was_used(server: Server) -> None:
    account(server)
    client = logged_in(server)
    aged(server, expires_at=clock.now())
    problem(client.get("me"), 401, "session-ended")


def test_one_sees_and_ends_ones_own_sessions(server: Server) -> None:
    account(server)
    here, there = logged_in(server), logged_in(server)
    listed = here.get("sessions").json()["items"]
    assert [one["current"] for one in listed] == [False, True]
    ended = here.post(f"sessions/{listed[0]['id']}/revocations", json={})
    assert ended.status_code == 201
    problem(there.get("me"), 401, "session-ended")
    assert here.get("me").status_code == 200
    assert len(here.get("sessions").json()["items"]) == 1


def test_only_an_admin_ends_the_session_of_somebody_else(server: Server) -> None:
    account(server)
    account(server, "otto")
    account(server, "root", "admin")
    theirs = logged_in(server)
    (session,) = theirs.get("sessions").json()["items"]
    path = f"sessions/{session['id']}/revocations"
    problem(logged_in(server, "otto").post(path, json={}), 404, "session-not-found")
    assert logged_in(server, "root").post(path, json={"reason": "stolen"}).status_code == 201
    problem(theirs.get("me"), 401, "session-ended")


def test_a_token_has_no_sessions(api: Api) -> None:
    problem(api("admin").get("sessions"), 403, "not-an-account")


# -- tokens of the command line ----------------------------------------------------


def test_a_login_for_a_token_speaks_for_the_user_and_is_named_after_them(server: Server) -> None:
    user_id = account(server)
    body = {"name": "anna", "password": PASSWORD, "label": "laptop"}
    made = browser(server).post("login/tokens", json=body).json()
    assert made["name"].startswith("anna/laptop-")
    assert made["expires_at"] is not None
    client = browser(server, headers={"Authorization": f"Bearer {made['secret']}"})
    me = client.get("me").json()
    assert (me["name"], me["role"], me["user_id"], me["how"]) == (
        "anna",
        "operator",
        user_id,
        "token",
    )


@on_both
def test_such_a_token_never_has_a_higher_role_than_the_account_and_ends_with_it(
    server: Server, api: Api
) -> None:
    user_id = account(server, role="reviewer")
    body = {"name": "anna", "password": PASSWORD}
    secret = browser(server).post("login/tokens", json=body).json()["secret"]
    client = browser(server, headers={"Authorization": f"Bearer {secret}"})
    admin = api("admin")
    admin.patch(f"users/{user_id}", json={"role": "viewer"})
    assert client.get("me").json()["role"] == "viewer"
    admin.patch(f"users/{user_id}", json={"disabled": True})
    problem(client.get("me"), 401, "unauthenticated")


# -- the first admin ---------------------------------------------------------------


@on_both
def test_the_first_admin_is_made_with_the_printed_secret_and_once_only(server: Server) -> None:
    ways = {"password": True, "oidc": None, "setup": True, "link": False}
    assert browser(server).get("login").json() == ways
    secret, other = (logins.setup_secret(server.services) for _ in range(2))
    body = {"secret": secret, "name": "Root", "password": PASSWORD}
    client = browser(server)
    assert client.post("login/first", json=body).status_code == 204
    assert client.get("me").json()["role"] == "admin"
    problem(browser(server).post("login/first", json=body), 401, "link-invalid")
    again = {"secret": other, "name": "second", "password": PASSWORD}
    problem(browser(server).post("login/first", json=again), 409, "set-up-already")
    assert logins.setup_secret(server.services) is None
    assert browser(server).get("login").json()["setup"] is False


def test_a_guessed_secret_makes_no_admin(server: Server) -> None:
    logins.setup_secret(server.services)
    body = {"secret": "swl_guessed", "name": "mallory", "password": PASSWORD}
    problem(browser(server).post("login/first", json=body), 401, "link-invalid")
