"""Logging in with an identity provider that really signs, redirects and is asked over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.server.access import provider
from tests.server.access.provider import CLIENT, SECRET, Idp
from tests.server.access.support import PASSWORD, account, browser, entries
from tests.server.support import Api, on_both, problem

from stepwell.errors import SetupError
from stepwell.server.access import oidc
from stepwell.server.access.identities import role_of
from stepwell.server.access.oidc import OpenIdProvider, ProviderUnusable
from stepwell.server.access.records import Role
from stepwell.server.access.states import Asked, safe
from stepwell.server.app import Server
from stepwell.server.browser import CSRF_COOKIE
from stepwell.server.database import tables
from stepwell.server.settings import Settings


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Idp]:
    """A provider that knows anna, who is in the group `ops`."""
    monkeypatch.setattr(oidc, "_TIMEOUT", 90.0)
    with provider.running() as made:
        made.user = {"sub": "u-1", "preferred_username": "Anna", "groups": ["ops", "all"]}
        yield made


@pytest.fixture
def settings(settings: Settings, idp: Idp) -> Settings:
    """As for all, with the provider."""
    return replace(
        settings,
        public_url="http://testserver",
        oidc_issuer=idp.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_roles=("ops=operator", "admins=admin"),
    )


def asked(client: TestClient, **query: Any) -> str:
    """Begin a login; where the provider sends the browser back to."""
    answer = client.get("login/oidc", params=query)
    assert answer.status_code == 303, answer.text
    back = httpx.get(answer.headers["location"], follow_redirects=False, timeout=90)
    return back.headers["location"]


def come_back(client: TestClient, **query: Any) -> httpx.Response:
    """A whole login; the last answer."""
    answer: httpx.Response = client.get(asked(client, **query))
    return answer


@on_both
def test_a_login_makes_an_account_with_the_role_of_the_claim(server: Server) -> None:
    client = browser(server)
    answer = come_back(client, next="/runs?state=failed")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?state=failed")
    me = client.get("me").json()
    assert (me["name"], me["role"], me["how"]) == ("anna", "operator", "oidc")
    assert me["csrf"] == client.cookies[CSRF_COOKIE]
    (entry,) = entries(server, "user.create")
    assert entry["actor"] == "identity provider"
    assert browser(server).get("login").json()["oidc"] == "Single sign-on"


@on_both
def test_the_next_login_is_the_same_account_with_the_role_of_now(server: Server, idp: Idp) -> None:
    come_back(browser(server))
    idp.user |= {"groups": ["admins"], "preferred_username": "renamed"}
    client = browser(server)
    come_back(client)
    me = client.get("me").json()
    assert (me["name"], me["role"]) == ("anna", "admin")
    (entry,) = entries(server, "user.change")
    assert (entry["before"], entry["after"]) == ({"role": "operator"}, {"role": "admin"})


def refused(server: Server) -> str:
    """The reason why a login is refused."""
    client = browser(server)
    told = problem(come_back(client), 401, "identity-refused")
    problem(client.get("me"), 401, "unauthenticated")
    return str(told["why"])


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["somebody-else", "and-another"]},
        {"aud": [CLIENT, "somebody-else"]},
        {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"iss": "http://evil.example"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
        {"nbf": 10_000_000_000},
    ],
)
def test_an_id_token_that_is_not_for_this_login_is_refused(
    server: Server, idp: Idp, claims: dict[str, Any]
) -> None:
    idp.claims = claims
    assert "id token" in refused(server)


def test_an_id_token_of_another_key_is_refused(server: Server, idp: Idp) -> None:
    idp.shown = [RSAKey.generate_key(2048, {"kid": "one"})]
    assert "id token" in refused(server)


_HS256 = b'{"alg":"HS256","kid":"one"}'


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def test_an_id_token_signed_with_the_public_key_as_a_secret_is_refused(
    server: Server, idp: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classic confusion: everybody has the public key."""
    real = Idp.id_token

    def forged(self: Idp, nonce: str) -> str:
        _, body, _ = real(self, nonce).split(".")
        signed = f"{encoded(_HS256)}.{body}"
        key = self.key.as_pem(private=False)
        return f"{signed}.{encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"

    monkeypatch.setattr(Idp, "id_token", forged)
    assert "id token" in refused(server)


def test_an_id_token_without_signature_is_refused(
    server: Server, idp: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Idp.id_token

    def unsigned(self: Idp, nonce: str) -> str:
        _, body, _ = real(self, nonce).split(".")
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        return f"{header}.{body}."

    monkeypatch.setattr(Idp, "id_token", unsigned)
    assert "id token" in refused(server)


def test_new_keys_of_the_provider_are_taken_up(server: Server, idp: Idp) -> None:
    come_back(browser(server))
    read = idp.keys_read
    come_back(browser(server))
    assert idp.keys_read == read
    idp.key = RSAKey.generate_key(2048, {"kid": "two"})
    assert come_back(browser(server)).status_code == 303
    assert idp.keys_read == read + 1


def test_the_answer_is_only_taken_by_the_browser_that_has_asked(server: Server) -> None:
    """Else somebody could log others in as himself."""
    address = asked(browser(server))
    told = problem(browser(server).get(address), 401, "identity-refused")
    assert "has not begun" in told["why"]
    other = browser(server)
    asked(other)
    told = problem(other.get(address), 401, "identity-refused")
    assert "another login" in told["why"]


def test_a_forged_cookie_is_refused(server: Server) -> None:
    client = browser(server)
    address = asked(client)
    text, _, mac = client.cookies["stepwell_login"].strip('"').rpartition(".")
    client.cookies.clear()
    client.cookies["stepwell_login"] = f"{text}x.{mac}"
    problem(client.get(address), 401, "identity-refused")


def test_an_answer_is_taken_once(server: Server) -> None:
    client = browser(server)
    address = asked(client)
    cookie = client.cookies["stepwell_login"]
    assert client.get(address).status_code == 303
    client.cookies["stepwell_login"] = cookie
    problem(client.get(address), 401, "identity-refused")


def test_a_refusal_of_the_provider_is_told(server: Server) -> None:
    client = browser(server)
    state = parse_qs(urlsplit(asked(client)).query)["state"][0]
    answer = client.get("login/oidc/callback", params={"error": "access_denied", "state": state})
    assert "access_denied" in problem(answer, 401, "identity-refused")["why"]


def test_who_has_no_role_there_is_not_let_in(server: Server, idp: Idp) -> None:
    idp.user["groups"] = ["all"]
    assert "role" in refused(server)
    with server.db.read() as conn:
        assert conn.execute(select(tables.users)).all() == []


@on_both
def test_the_name_of_a_local_account_is_not_taken_over(server: Server, idp: Idp) -> None:
    """Neither name nor e-mail address prove anything: they can be chosen there."""
    account(server, "anna", "admin")
    assert "another account" in refused(server)
    with server.db.read() as conn:
        (row,) = conn.execute(select(tables.users)).mappings()
    assert row["subject"] is None


def test_a_disabled_account_stays_out(server: Server, api: Api) -> None:
    client = browser(server)
    come_back(client)
    user_id = client.get("me").json()["user_id"]
    api("admin").patch(f"users/{user_id}", json={"disabled": True})
    assert "disabled" in refused(server)


def test_such_an_account_has_no_password(server: Server, api: Api) -> None:
    client = browser(server)
    come_back(client)
    user_id = client.get("me").json()["user_id"]
    problem(api("admin").post(f"users/{user_id}/links", json={}), 409, "no-password")
    answer = browser(server).post("login", json={"name": "anna", "password": PASSWORD})
    problem(answer, 401, "login-failed")


def test_an_account_can_be_made_before_the_first_login(server: Server, api: Api) -> None:
    body = {"name": "chosen", "role": "viewer", "subject": "u-1"}
    assert api("admin").post("users", json=body).json()["link"] is None
    client = browser(server)
    come_back(client)
    assert client.get("me").json()["name"] == "chosen"


def test_claims_that_the_id_token_lacks_are_asked_for(server: Server, idp: Idp) -> None:
    idp.userinfo = {**idp.user}
    idp.user = {"sub": "u-1"}
    client = browser(server)
    come_back(client)
    assert client.get("me").json()["role"] == "operator"


def test_what_is_told_of_another_subject_is_not_believed(server: Server, idp: Idp) -> None:
    idp.userinfo = {**idp.user, "sub": "u-2", "groups": ["admins"]}
    idp.user = {"sub": "u-1"}
    assert "role" in refused(server)


@on_both
def test_a_command_line_gets_a_token_for_the_code_that_the_browser_brings(server: Server) -> None:
    verifier = "v" * 64
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    client = browser(server)
    answer = come_back(client, port=34567, challenge=challenge)
    place = urlsplit(answer.headers["location"])
    assert (place.scheme, place.netloc) == ("http", "127.0.0.1:34567")
    problem(client.get("me"), 401, "unauthenticated")  # it logs the command line in, not itself
    code = parse_qs(place.query)["code"][0]
    wrong = {"code": code, "verifier": "w" * 64}
    problem(browser(server).post("login/exchanges", json=wrong), 401, "link-invalid")
    right = {"code": code, "verifier": verifier}
    problem(browser(server).post("login/exchanges", json=right), 401, "link-invalid")  # used up
    again = come_back(client, port=34567, challenge=challenge).headers["location"]
    code = parse_qs(urlsplit(again).query)["code"][0]
    made = browser(server).post("login/exchanges", json={"code": code, "verifier": verifier})
    me = browser(server, headers={"Authorization": f"Bearer {made.json()['secret']}"}).get("me")
    assert (me.json()["name"], me.json()["how"]) == ("anna", "token")


def test_a_provider_that_is_away_is_a_pause(server: Server, idp: Idp) -> None:
    lost = replace(server.settings, oidc_issuer="http://127.0.0.1:1")
    server.app.state.provider = OpenIdProvider(lost)
    problem(browser(server).get("login/oidc"), 503, "provider-unreachable")


@pytest.mark.parametrize("issuer", ["http://idp.example", "ftp://idp.example", "idp.example"])
def test_a_provider_is_asked_over_https_only(issuer: str) -> None:
    made = OpenIdProvider(Settings(oidc_issuer=issuer, oidc_client_id="x"))
    with pytest.raises(ProviderUnusable):
        made.address(Asked("a", "b", "c" * 43))


@pytest.mark.parametrize(
    ("next", "where"),
    [
        ("/runs", "/runs"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_sent_to_another_site(next: str, where: str) -> None:
    assert safe(next) == where


@pytest.mark.parametrize(
    ("held", "present", "role"),
    [
        (["a"], None, Role.VIEWER),
        (["a", "b"], None, Role.ADMIN),
        ("b", Role.VIEWER, Role.ADMIN),
        ([], Role.ADMIN, None),
        (None, Role.ADMIN, None),
    ],
)
def test_of_several_values_the_highest_role_counts(
    held: Any, present: Role | None, role: Role | None
) -> None:
    settings = Settings(oidc_roles=("a=viewer", "b=admin"))
    assert role_of(settings, {"groups": held}, present) == role


def test_without_a_mapping_an_account_keeps_its_role_and_a_new_one_gets_the_default() -> None:
    settings = Settings(oidc_default_role="viewer")
    assert role_of(settings, {}, None) is Role.VIEWER
    assert role_of(settings, {}, Role.ADMIN) is Role.ADMIN


def test_a_mapping_to_no_role_is_a_mistake_of_the_setting() -> None:
    with pytest.raises(SetupError, match="OIDC_ROLES"):
        role_of(Settings(oidc_roles=("a=king",)), {"groups": ["a"]}, None)


def test_an_id_token_a_moment_too_old_for_our_clock_is_taken(server: Server, idp: Idp) -> None:
    idp.claims = {"exp": int(time.time()) - 5}
    assert come_back(browser(server)).status_code == 303
