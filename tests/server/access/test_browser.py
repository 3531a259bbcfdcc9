"""What other sites cannot do with a browser that has logged in here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.server.access.support import PASSWORD, account, browser, logged_in
from tests.server.support import Api, problem

from stepwell.server.app import Server, create_app
from stepwell.server.browser import CSRF_HEADER, address_of
from stepwell.server.settings import Settings


def test_a_change_by_cookie_needs_the_pages_own_token(server: Server) -> None:
    account(server)
    client = logged_in(server)
    assert client.post("logout", headers={CSRF_HEADER: "guessed"}).status_code == 403
    del client.headers[CSRF_HEADER]
    problem(client.post("logout"), 403, "cross-site")
    assert client.get("me").status_code == 200


def test_the_token_of_one_session_does_not_fit_another(server: Server) -> None:
    account(server)
    one, other = logged_in(server), logged_in(server)
    one.headers[CSRF_HEADER] = other.headers[CSRF_HEADER]
    problem(one.post("logout"), 403, "cross-site")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_change_from_a_page_of_another_site_is_refused(
    server: Server, headers: dict[str, str]
) -> None:
    account(server)
    client = logged_in(server)
    problem(client.post("logout", headers=headers), 403, "cross-site")
    body = {"name": "anna", "password": PASSWORD}
    problem(browser(server).post("login", json=body, headers=headers), 403, "cross-site")


def test_a_change_from_a_page_of_ours_is_taken(server: Server) -> None:
    account(server)
    client = logged_in(server)
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("logout", headers=own).status_code == 204


def test_the_public_address_is_our_own_behind_a_proxy(server: Server) -> None:
    account(server)
    settings = replace(server.settings, public_url="http://stepwell.example")
    server.app.state.services = replace(server.services, settings=settings)
    client = logged_in(server)
    own = {"Origin": "http://stepwell.example"}
    assert client.post("logout", headers=own).status_code == 204


def test_a_form_of_another_site_cannot_log_a_browser_in(server: Server) -> None:
    """Forms send no JSON."""
    account(server)
    text = '{"name": "anna", "password": "' + PASSWORD + '"}'
    answer = browser(server).post("login", content=text, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422


def test_a_token_in_the_header_needs_no_such_proof(api: Api) -> None:
    client = api("admin")
    body = {"name": "ci", "role": "viewer"}
    foreign = {"Origin": "http://evil.example"}
    assert client.post("tokens", json=body, headers=foreign).status_code == 201


def test_the_token_wins_over_the_cookie(server: Server, api: Api) -> None:
    account(server)
    client = logged_in(server)
    client.headers["Authorization"] = api("viewer").headers["Authorization"]
    assert client.get("me").json()["how"] == "token"


@pytest.mark.parametrize("path", ["health", "me", "nothing", "groups"])
def test_every_answer_tells_browsers_what_it_is_not_for(api: Api, path: str) -> None:
    headers = api(None).get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_over_https_browsers_never_come_without_it_again(server: Server) -> None:
    settings = replace(server.settings, public_url="https://stepwell.example")
    app = create_app(replace(server.services, settings=settings))
    answer = TestClient(app, base_url="https://stepwell.example").get("/api/v1/health")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_refusal_of_an_unknown_host_has_the_headers_too(server: Server) -> None:
    settings = replace(server.settings, allowed_hosts=("localhost",))
    app = create_app(replace(server.services, settings=settings))
    answer = TestClient(app, base_url="http://evil.example").get("/api/v1/health")
    assert answer.status_code == 403
    assert answer.headers["x-content-type-options"] == "nosniff"


def request(forwarded: str | None) -> Request:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    return Request({"type": "http", "client": ("192.0.2.9", 1), "headers": headers})


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, None, "192.0.2.9"),
        (0, "203.0.113.1", "192.0.2.9"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "6.6.6.6, 203.0.113.1", "203.0.113.1"),
        (2, "6.6.6.6, 203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1", "192.0.2.9"),
    ],
)
def test_only_what_a_trusted_proxy_says_of_the_address_is_believed(
    trusted: int, forwarded: str | None, address: str
) -> None:
    assert address_of(request(forwarded), Settings(trusted_proxies=trusted)) == address
