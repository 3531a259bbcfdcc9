"""The commands of users, logins, tokens, the audit log and retention, typed as people do."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.cli.shell import Shell

from stepwell.cli.access import logins
from stepwell.cli.profile import NoServer, Profile
from stepwell.ids import new_id

PASSWORD = "correct horse battery"


def someone(shell: Shell, role: str = "operator") -> str:
    """A user who has set a password by the link; the name."""
    name = f"u{new_id().hex[:12]}"
    link = shell.good("users", "create", name, "--role", role).out.strip()
    shell.good("users", "password", "--link", link, given=f"{PASSWORD}\n{PASSWORD}\n")
    return name


def elsewhere(served: Shell, tmp_path: Path) -> tuple[Shell, str]:
    """A shell in another folder, and the server's address: what a colleague has."""
    url = json.loads((served.folder / ".stepwell" / "client.json").read_text())["url"]
    return Shell(tmp_path), url


def test_a_login_is_kept_for_this_server_readable_by_its_owner_only(
    served: Shell, tmp_path: Path
) -> None:
    name = someone(served)
    shell, url = elsewhere(served, tmp_path)
    words = ("login", "--url", url, "-u", name, "--password-stdin", "--json")
    told = shell.good(*words, given=f"{PASSWORD}\n").json
    kept = Path(told["file"])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    me = shell.good("whoami", "--json").json
    assert (me["name"], me["role"], me["how"]) == (name, "operator", "token")
    secret = json.loads(kept.read_text())["token"]
    shell.good("logout")
    assert not kept.exists()
    answer = shell.type("whoami", "--url", url, "--token", secret)
    assert answer.code != 0
    assert "not valid" in answer.err


def test_a_wrong_password_keeps_nothing(served: Shell, tmp_path: Path) -> None:
    name = someone(served)
    shell, url = elsewhere(served, tmp_path)
    answer = shell.type("login", "--url", url, "-u", name, given="something else\n")
    assert answer.code != 0
    assert "do not fit" in answer.err
    assert not list(tmp_path.rglob("*.json"))


def test_users_are_made_changed_disabled_and_listed(served: Shell) -> None:
    name = someone(served)
    assert (
        served.good("users", "change", name, "--role", "viewer", "--json").json["role"] == "viewer"
    )
    assert served.good("users", "disable", name, "--reason", "left", "--json").json["disabled_at"]
    assert served.good("users", "enable", name, "--json").json["disabled_at"] is None
    assert "/password#" in served.good("users", "link", name).out
    listed = {one["name"]: one for one in served.good("users", "list", "--json").json}
    assert listed[name]["role"] == "viewer"
    answer = served.type("users", "disable", "nobody")
    assert "There is no user 'nobody'" in answer.err


def test_the_first_user_can_be_made_without_a_server(shell: Shell) -> None:
    shell.good("migrate")
    link = shell.good("users", "create", "root", "--role", "admin", "--direct").out
    assert "/password#swl_" in link
    answer = shell.type("users", "create", "x", "--role", "king", "--direct")
    assert "role" in answer.err


def test_a_token_can_be_limited(served: Shell) -> None:
    name = f"t{new_id().hex[:12]}"
    words = ("--group", "weather", "--read-only", "--days", "7", "--json")
    made = served.good("tokens", "create", name, "--role", "operator", *words).json
    assert (made["groups"], made["read_only"]) == (["weather"], True)
    assert made["expires_at"] is not None
    answer = served.type("groups", "discover", "weather", "--token", made["secret"])
    assert "may only read" in answer.err
    assert served.good("runs", "list", "--group", "weather", "--token", made["secret"]).code == 0
    told = served.good("tokens", "create", f"{name}-b", "--group", "wether")
    assert "Not registered" in told.err
    assert told.out.startswith("sw_")


def test_the_audit_log_is_listed_and_exported(served: Shell, tmp_path: Path) -> None:
    name = someone(served)
    found = served.good("audit", "list", "--target", name, "--json").json
    assert {"user.create", "user.password"} <= {one["action"] for one in found}
    for file in (tmp_path / "audit.csv", tmp_path / "audit.json"):
        served.good("audit", "export", file, "--target", name)
        assert "user.create" in file.read_text()


def test_policies_are_listed_previewed_and_set(served: Shell) -> None:
    assert "ledger" in served.good("retention", "list").out
    found = served.good("retention", "preview", "jobs", "--json").json
    assert [one["kind"] for one in found] == ["jobs"]
    words = ("retention", "set", "jobs")
    assert served.type(*words, "--days", "9").code != 0  # it needs a reason
    assert served.good(*words, "--days", "9", "--reason", "x", "--json").json["days"] == 9
    assert served.good(*words, "--default", "--json").json["days"] == 30
    assert "not clear" in served.type(*words, "--days", "9", "--default").err


def test_a_backup_is_made_and_put_back(shell: Shell) -> None:
    shell.good("migrate")
    shell.good("tokens", "create", "ops", "--role", "admin", "--direct")
    shell.good("backup", "copy.db")
    assert "is whole" in shell.good("backup", "another.db").out
    answer = shell.type("restore", "copy.db")
    assert "--replace" in answer.err
    told = shell.good("restore", "copy.db", "--replace", "--json").json
    assert told["tokens_left"] == 1


# -- which login counts ------------------------------------------------------------


def test_a_login_is_used_only_at_its_own_server(tmp_path: Path) -> None:
    environment = {"STEPWELL_CONFIG": str(tmp_path)}
    logins.keep(environment, Profile("http://one.example", "sw_one"))
    logins.keep(environment, Profile("http://two.example/", "sw_two"))
    found = {
        url: logins.with_login(url, None, environment, tmp_path).token
        for url in ("http://one.example", "http://two.example", "http://three.example")
    }
    assert found == {
        "http://one.example": "sw_one",
        "http://two.example": "sw_two",
        "http://three.example": "",
    }


def test_a_token_that_is_given_goes_before_a_login(tmp_path: Path) -> None:
    environment = {"STEPWELL_CONFIG": str(tmp_path)}
    logins.keep(environment, Profile("http://one.example", "sw_one"))
    found = logins.with_login("http://one.example", "sw_given", environment, tmp_path)
    assert found.token == "sw_given"
    assert logins.with_login(None, None, environment, tmp_path).url == "http://one.example"


def test_without_any_login_no_server_is_known(tmp_path: Path) -> None:
    with pytest.raises(NoServer):
        logins.with_login(None, None, {}, tmp_path)
