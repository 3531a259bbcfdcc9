"""Secrets are planted everywhere they can enter, and looked for everywhere they could stay."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.server.access.support import account, browser, logged_in
from tests.server.support import Api, drain

from stepwell.server.access import logins
from stepwell.server.app import Server
from stepwell.telemetry.log import log_events

pytestmark = pytest.mark.slow

GROUP = """
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("planted")


@group.workflow
class Work:
    @operation
    def work(self) -> str:
        return "done"
"""


def everything(server: Server) -> str:
    """All that is in the database, as SQL, and in files of the data folder."""
    path = server.settings.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as conn:
        dump = "\n".join(conn.iterdump())
    kept = server.settings.data_dir
    files = [one for one in kept.rglob("*") if one.is_file()] if kept.exists() else []
    return dump + "".join(one.read_bytes().decode(errors="replace") for one in files)


def planted(server: Server, api: Api, tmp_path: Path) -> dict[str, str]:
    """Use each secret once, rightly and wrongly; name -> the secret."""
    admin, password = api("admin"), "planted-password-of-anna"
    account(server)
    change = {"current": "correct horse battery", "new": password}
    logged_in(server).post("passwords", json=change)
    client = logged_in(server, password=password)
    browser(server).post("login", json={"name": "anna", "password": "planted-wrong-password"})
    browser(server).post("login", json={"name": "planted-name-password", "password": "x"})
    token = admin.post("tokens", json={"name": "ci", "role": "viewer"}).json()["secret"]
    body = {"name": "anna", "password": password}
    of_login = browser(server).post("login/tokens", json=body).json()["secret"]
    invited = admin.post("users", json={"name": "otto", "role": "viewer"}).json()
    wrong = {"secret": "planted-guess-of-link", "password": "planted-new-password"}
    browser(server).post("password-resets", json=wrong)
    bad = {"Authorization": "Bearer planted-guess-of-token"}
    browser(server, headers=bad).get("me")
    (tmp_path / "planted.py").write_text(GROUP)
    group = {"image": str(tmp_path / "planted.py"), "secrets": {"PASSWORD": "env:PLANTED_SECRET"}}
    answer = admin.post("groups", json={**group, "discover_with_secrets": True})
    assert answer.status_code == 201, answer.text
    drain(server, patience=1.0)
    return {
        "the user's password": password,
        "a wrong password": "planted-wrong-password",
        "a password in place of a name": "planted-name-password",
        "a token": token,
        "the token of a login": of_login,
        "a session": client.cookies["stepwell_session"],
        "a one-time link": invited["link"]["secret"],
        "a guessed link": "planted-guess-of-link",
        "a new password": "planted-new-password",
        "a guessed token": "planted-guess-of-token",
        "a secret of a group": "planted-value-of-secret",
        "the secret key": "planted-secret-key",
        "the secret of the client": "planted-client-secret",
    }


@pytest.fixture
def settings(settings: Any) -> Any:
    """With secrets of the server's own."""
    own = {"secret_key": "planted-secret-key", "oidc_client_secret": "planted-client-secret"}
    return replace(settings, **own)


def test_no_secret_is_in_the_database_in_a_file_or_in_a_log(
    server: Server,
    api: Api,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PLANTED_SECRET", "planted-value-of-secret")
    caplog.set_level(logging.DEBUG)
    end = log_events()
    try:
        secrets = planted(server, api, tmp_path)
    finally:
        end()
    first = logins.setup_secret(server.services)
    assert first is None  # there are users
    kept, logged = everything(server), caplog.text
    assert "argon2" in kept  # the dump has what it should
    found = [
        (name, place)
        for name, secret in secrets.items()
        for place, text in (("kept", kept), ("logged", logged), ("shown", repr(server.settings)))
        if secret in text
    ]
    assert found == []


def test_an_error_nobody_foresaw_logs_no_secret(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even one that breaks while the password is in hand: records hide it."""

    def breaks(*arguments: object, **_: object) -> None:
        raise RuntimeError(f"broken with {arguments}")

    monkeypatch.setattr(logins.throttle, "charge", breaks)  # type: ignore[attr-defined]
    body = {"name": "anna", "password": "planted-password"}
    answer = browser(server).post("login", json=body)
    assert answer.status_code == 500
    assert "planted-password" not in caplog.text + answer.text
