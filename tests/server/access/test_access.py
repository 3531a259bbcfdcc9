"""Who may do what, and how a token lives."""

from __future__ import annotations

import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import select
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.server.app import Server
from stepwell.server.database.tables import audit, one_time_links, tokens
from stepwell.server.settings import Settings

ANY = "01a2020e-4d21-7083-abba-217f0bf09562"


def filled(path: object) -> str:
    """The path of a route below the API's, with something in place of each parameter; the
    whole address of another route."""
    below = re.sub(r"\{\w+(:path)?\}", ANY, str(path).removeprefix("/api/v1/"))
    return f"http://testserver{below}" if below.startswith("/") else below


OPEN = {
    ("get", "health"): 200,
    ("get", "login"): 200,
    ("post", "login"): 422,
    ("post", "login/tokens"): 422,
    ("post", "login/exchanges"): 422,
    ("post", "login/first"): 422,
    ("post", "password-resets"): 422,
    ("get", "login/oidc"): 404,
    ("get", "login/oidc/callback"): 401,
    ("get", f"shared/reports/{ANY}"): 404,
    ("get", f"shared/badges/{ANY}"): 404,
    ("get", "http://testserver/login"): 422,
    ("get", "http://testserver/healthz"): 200,
    ("get", "http://testserver/readyz"): 200,
}
"""What needs no authentication: health and logging in; and what an empty request gets there."""


def test_nothing_answers_without_authentication_but_health_and_login(
    server: Server, api: Api
) -> None:
    client = api(None)
    routes = list(iter_route_contexts(server.app.routes))
    assert len(routes) > 50
    seen = set()
    for route in routes:
        relative = filled(route.path)
        for method in map(str.lower, route.methods or ()):
            answer = client.request(method, relative, json={})
            expected = OPEN.get((method, relative), 401)
            assert answer.status_code == expected, (method, route.path, answer.text)
            seen.add((method, relative))
    assert seen >= OPEN.keys()


def test_the_description_of_the_api_needs_a_token_too(api: Api) -> None:
    assert api("viewer").get("openapi.json").json()["openapi"].startswith("3.1")


def test_a_wrong_token_is_refused_with_words_that_tell_nothing(api: Api) -> None:
    answer = api(None).get("me", headers={"Authorization": "Bearer sw_wrong"})
    told = problem(answer, 401, "unauthenticated")
    assert "unknown, expired or revoked" in told["why"]
    assert answer.headers["www-authenticate"] == "Bearer"


@on_both
def test_a_new_token_works_at_once_and_its_secret_is_kept_nowhere(server: Server, api: Api) -> None:
    answer = api("admin").post("tokens", json={"name": "ci", "role": "operator"})
    assert answer.status_code == 201
    secret = answer.json()["secret"]
    me = api(None).get("me", headers={"Authorization": f"Bearer {secret}"})
    told = me.json()
    assert (told["name"], told["role"], told["how"]) == ("ci", "operator", "token")
    assert (told["user_id"], told["csrf"]) == (None, None)
    with server.db.read() as conn:
        rows = [*conn.execute(select(tokens)), *conn.execute(select(audit))]
    assert secret not in repr(rows)
    assert secret not in api("admin").get("tokens").text


def test_a_repeated_request_for_a_token_does_not_show_its_secret_again(api: Api) -> None:
    """The answer is not kept; that there was one is, so that no other is made."""
    client, key = api("admin"), {"Idempotency-Key": "once"}
    body = {"name": "ci", "role": "viewer"}
    secret = client.post("tokens", json=body, headers=key).json()["secret"]
    told = problem(client.post("tokens", json=body, headers=key), 409, "answer-not-kept")
    assert secret not in str(told)


def test_a_repeated_request_for_a_link_makes_no_second_one(server: Server, api: Api) -> None:
    """Each link sets the password once, so a second one that nobody knows of is a way in."""
    client, key = api("admin"), {"Idempotency-Key": "once"}
    made = client.post("users", json={"name": "ada", "role": "viewer"}).json()
    path = f"users/{made['id']}/links"
    assert client.post(path, json={}, headers=key).status_code == 201
    with server.db.read() as conn:
        links = conn.execute(select(one_time_links)).all()
    problem(client.post(path, json={}, headers=key), 409, "answer-not-kept")
    with server.db.read() as conn:
        assert conn.execute(select(one_time_links)).all() == links
    assert client.post(path, json={}, headers={"Idempotency-Key": "again"}).status_code == 201


def test_a_revoked_token_is_refused_at_once(api: Api) -> None:
    client = api("admin")
    made = client.post("tokens", json={"name": "ci", "role": "viewer"}).json()
    other = {"Authorization": f"Bearer {made['secret']}"}
    assert api(None).get("me", headers=other).status_code == 200
    ended = client.post(f"tokens/{made['id']}/revocations", json={"reason": "it leaked"})
    assert ended.json()["revoked_at"] is not None
    problem(api(None).get("me", headers=other), 401, "unauthenticated")
    entry = client.get("audit?action=token.revoke").json()["items"][0]
    assert (entry["target"], entry["reason"]) == ("ci", "it leaked")


def test_an_expired_token_is_refused(server: Server, api: Api) -> None:
    later = (clock.now() + timedelta(hours=1)).isoformat()
    body = {"name": "ci", "role": "viewer", "expires_at": later}
    secret = api("admin").post("tokens", json=body).json()["secret"]
    other = {"Authorization": f"Bearer {secret}"}
    assert api(None).get("me", headers=other).status_code == 200
    with server.db.write() as conn:
        past = clock.now() - timedelta(seconds=1)
        conn.execute(tokens.update().where(tokens.c.name == "ci").values(expires_at=past))
    problem(api(None).get("me", headers=other), 401, "unauthenticated")


def test_an_expiry_in_the_past_is_refused(api: Api) -> None:
    body = {"name": "ci", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}
    problem(api("admin").post("tokens", json=body), 422, "invalid-input")


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_only_an_admin_sees_tokens_and_others_are_told_so(api: Api, role: str) -> None:
    told = problem(api(role).get("tokens"), 403, "role-missing")
    assert "This needs the role admin" in told["what"]
    assert role in told["what"]


def test_use_is_written_at_most_once_a_minute(server: Server, api: Api) -> None:
    client = api("viewer")
    client.get("me")
    with server.db.read() as conn:
        first = conn.execute(select(tokens.c.last_used_at)).scalar_one()
    client.get("me")
    with server.db.read() as conn:
        assert conn.execute(select(tokens.c.last_used_at)).scalar_one() == first
    assert first is not None


def test_tokens_come_in_pages_that_neither_repeat_nor_lose_one(api: Api) -> None:
    client = api("admin")
    for number in range(4):
        client.post("tokens", json={"name": f"t{number}", "role": "viewer"})
    seen, cursor = [], None
    while True:
        query = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        page = client.get("tokens", params=query).json()
        seen += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert seen[:4] == ["t3", "t2", "t1", "t0"]


def test_dev_keeps_an_admin_token_that_only_its_owner_can_read(tmp_path: Path) -> None:
    settings = Settings.for_dev(tmp_path, run_engine=False)
    with Server(settings) as first:
        secret = first.admin_token_file.read_text()
        assert stat.S_IMODE(first.admin_token_file.stat().st_mode) == 0o600
    with Server(settings) as second:
        assert second.admin_token_file.read_text() == secret


def test_dev_replaces_an_admin_token_that_no_longer_works(tmp_path: Path) -> None:
    settings = Settings.for_dev(tmp_path, run_engine=False)
    with Server(settings) as first, first.db.write() as conn:
        secret = first.admin_token_file.read_text()
        conn.execute(tokens.update().values(revoked_at=clock.now()))
    with Server(settings) as second:
        assert second.admin_token_file.read_text() != secret
