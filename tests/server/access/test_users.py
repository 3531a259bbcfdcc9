"""Accounts: who makes, changes and disables them, and how passwords are set."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update
from tests.server.access.support import PASSWORD, account, browser, entries, logged_in
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.server.app import Server
from stepwell.server.database import tables


@on_both
def test_an_invited_user_sets_the_password_by_a_link_that_works_once(
    server: Server, api: Api
) -> None:
    made = api("admin").post("users", json={"name": "Anna", "role": "operator"}).json()
    assert (made["name"], made["login"]) == ("anna", "none yet")
    link = made["link"]
    assert link["url"].endswith(f"/password#{link['secret']}")
    body = {"secret": link["secret"], "password": PASSWORD}
    assert browser(server).post("password-resets", json=body).status_code == 204
    assert logged_in(server).get("me").json()["role"] == "operator"
    problem(browser(server).post("password-resets", json=body), 401, "link-invalid")
    (entry,) = entries(server, "user.create")
    assert entry["after"] == {"role": "operator", "email": None}


@on_both
def test_a_new_link_ends_the_one_before_and_a_link_ends_with_time(server: Server, api: Api) -> None:
    user_id = account(server)
    first, second = (
        api("admin").post(f"users/{user_id}/links", json={}).json()["secret"] for _ in range(2)
    )
    body = {"secret": first, "password": PASSWORD + "!"}
    problem(browser(server).post("password-resets", json=body), 401, "link-invalid")
    with server.db.write() as conn:
        conn.execute(update(tables.one_time_links).values(expires_at=clock.now()))
    body = {"secret": second, "password": PASSWORD + "!"}
    problem(browser(server).post("password-resets", json=body), 401, "link-invalid")


def test_a_link_does_not_bring_back_a_disabled_user(server: Server, api: Api) -> None:
    user_id, admin = account(server), api("admin")
    admin.patch(f"users/{user_id}", json={"disabled": True})
    secret = admin.post(f"users/{user_id}/links", json={}).json()["secret"]
    body = {"secret": secret, "password": PASSWORD + "!"}
    problem(browser(server).post("password-resets", json=body), 401, "link-invalid")


@on_both
def test_a_changed_password_ends_all_that_was_open_with_the_old_one(server: Server) -> None:
    account(server)
    here, there = logged_in(server), logged_in(server)
    body = {"name": "anna", "password": PASSWORD}
    secret = browser(server).post("login/tokens", json=body).json()["secret"]
    change = {"current": PASSWORD, "new": "another long sentence"}
    assert here.post("passwords", json=change).status_code == 204
    problem(there.get("me"), 401, "session-ended")
    by_token = browser(server, headers={"Authorization": f"Bearer {secret}"})
    problem(by_token.get("me"), 401, "unauthenticated")
    assert logged_in(server, password="another long sentence").get("me").status_code == 200


def test_who_has_found_an_open_browser_cannot_change_the_password(server: Server) -> None:
    account(server)
    client = logged_in(server)
    change = {"current": "a guess of it", "new": "another long sentence"}
    problem(client.post("passwords", json=change), 403, "password-wrong")
    assert client.get("me").status_code == 200


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "anna-of-the-house"])
def test_a_password_that_is_easy_to_guess_is_refused(server: Server, password: str) -> None:
    account(server, "anna-of-the-house")
    client = logged_in(server, "anna-of-the-house")
    change = {"current": PASSWORD, "new": password}
    problem(client.post("passwords", json=change), 422, "password-weak")


@on_both
def test_a_change_of_role_holds_at_once_and_the_log_says_from_what_to_what(
    server: Server, api: Api
) -> None:
    user_id = account(server)
    client = logged_in(server)
    answer = api("admin").patch(f"users/{user_id}", json={"role": "viewer", "reason": "on holiday"})
    assert answer.json()["role"] == "viewer"
    assert client.get("me").json()["role"] == "viewer"
    (entry,) = entries(server, "user.change")
    assert entry["before"] == {"role": "operator", "email": None, "disabled": False}
    assert entry["after"] == {"role": "viewer", "email": None, "disabled": False}
    assert (entry["reason"], entry["address"]) == ("on holiday", "testclient")


@on_both
def test_a_disabled_user_is_out_at_once_and_for_ever_with_that_session(
    server: Server, api: Api
) -> None:
    user_id = account(server)
    client, admin = logged_in(server), api("admin")
    admin.patch(f"users/{user_id}", json={"disabled": True, "reason": "has left"})
    problem(client.get("me"), 401, "session-ended")
    admin.patch(f"users/{user_id}", json={"disabled": False})
    problem(client.get("me"), 401, "session-ended")
    assert logged_in(server).get("me").status_code == 200


@on_both
@pytest.mark.parametrize("change", [{"role": "viewer"}, {"disabled": True}])
def test_the_last_admin_stays_one(server: Server, api: Api, change: dict[str, object]) -> None:
    user_id = account(server, "root", "admin")
    problem(api("admin").patch(f"users/{user_id}", json=change), 409, "last-admin")
    account(server, "second", "admin")
    assert api("admin").patch(f"users/{user_id}", json=change).status_code == 200


def test_a_change_of_nothing_is_no_entry(server: Server, api: Api) -> None:
    user_id = account(server)
    api("admin").patch(f"users/{user_id}", json={"role": "operator"})
    assert entries(server, "user.change") == []


def test_users_and_tokens_share_their_names(server: Server, api: Api) -> None:
    """Else the audit log could not say who it was."""
    account(server)
    admin = api("admin")
    body = {"name": "ANNA", "role": "viewer"}
    problem(admin.post("users", json=body), 409, "user-name-taken")
    problem(admin.post("tokens", json=body), 409, "token-name-taken")
    admin.post("tokens", json={"name": "ci", "role": "viewer"})
    problem(admin.post("users", json={"name": "CI", "role": "viewer"}), 409, "user-name-taken")


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_only_admins_see_and_make_users(server: Server, api: Api, role: str) -> None:
    user_id = account(server)
    client = api(role)
    problem(client.get("users"), 403, "role-missing")
    problem(client.post("users", json={"name": "x", "role": "viewer"}), 403, "role-missing")
    problem(client.patch(f"users/{user_id}", json={"role": "admin"}), 403, "role-missing")
    problem(client.post(f"users/{user_id}/links", json={}), 403, "role-missing")


def test_users_are_listed_by_name_without_their_hashes(server: Server, api: Api) -> None:
    for name in ("otto", "anna"):
        account(server, name)
    answer = api("admin").get("users")
    assert [one["name"] for one in answer.json()["items"]] == ["anna", "otto"]
    assert "argon2" not in answer.text


def test_a_hash_of_weaker_settings_is_made_again_at_the_next_login(server: Server) -> None:
    account(server)
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with server.db.write() as conn:
        conn.execute(update(tables.users).values(password_hash=weak))
    logged_in(server)
    with server.db.read() as conn:
        kept = conn.execute(select(tables.users.c.password_hash)).scalar_one()
    assert kept != weak
    assert logged_in(server).get("me").status_code == 200


def test_links_live_for_a_day(server: Server, api: Api) -> None:
    made = api("admin").post("users", json={"name": "anna", "role": "viewer"}).json()
    with server.db.read() as conn:
        ends = conn.execute(select(tables.one_time_links.c.expires_at)).scalar_one()
    assert timedelta(hours=23) < ends - clock.now() < timedelta(hours=25)
    assert made["link"]["expires_at"]
