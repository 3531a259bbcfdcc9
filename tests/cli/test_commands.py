"""What the commands do and show when all is well."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.cli.conftest import at_rest
from tests.cli.shell import EXAMPLES, PATIENCE, Shell
from tests.stores.mysql.support import connect

from stepwell.cli import main
from stepwell.cli.exits import Exit

pytestmark = pytest.mark.slow


def test_without_its_packages_the_command_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stepwell.cli.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert "pip install 'stepwell[cli]'" in str(ended.value.code)


def test_the_script_is_installed_and_says_its_version(shell: Shell) -> None:
    assert (Path(sys.executable).parent / "stepwell").exists()
    said = shell.good("--version").out
    assert said.strip().count(".") == 2
    assert (
        subprocess.check_output([sys.executable, "-m", "stepwell", "--version"], text=True) == said
    )


def test_steps_of_a_store_are_added_found_activated_and_cancelled(shell: Shell) -> None:
    shell.good("migrate", "--database", "sqlite:///mine.db")
    store = ("--store", "sqlite:///mine.db")
    made = shell.good(
        "steps", "add", "v1/hello", "--state", '{"a": 1}', "--at", "2030-01-01T00:00:00Z", *store
    ).out.strip()
    shown = shell.good("steps", "show", made, "--json", *store).json
    assert (shown["state"], shown["schedule_time"][:4]) == ({"a": 1}, "2030")
    assert shell.good("steps", "explain", made, *store).out.startswith("It is due at 2030-01-01")
    shell.good("steps", "activate", made, "--args", "[1]", *store)
    assert shell.good("steps", "count", "--json", *store).json["ready"] == 1
    shell.good("steps", "cancel", made, "--reason", "enough", *store)
    (found,) = shell.good("steps", "list", "--status", "failed", "--json", *store).json
    assert (found["ended_as"], found["description"]) == ("cancelled", "enough")
    copy = shell.good("steps", "reexecute", made, *store).out.strip()
    assert copy != made
    assert made in shell.good("steps", "list", *store).out


def test_the_steps_of_a_server_are_found_and_explained(served: Shell) -> None:
    (tick,) = served.good("steps", "list", "--name", "v1/server/tick", "--json").json
    shown = served.good("steps", "show", tick["id"]).out
    assert "explanation" in shown
    explained = served.good("steps", "explain", tick["id"], "--json").json
    assert explained["explanation"].startswith("It ")
    assert served.good("steps", "count", "--prefix", "v1/server/", "--json").json["ready"] >= 1


def test_migrations_can_be_printed_instead_of_run(shell: Shell) -> None:
    """What is printed makes a database that the server takes for its own."""
    sql = shell.good("migrate", "--print").out
    assert not list(shell.folder.rglob("*.db"))
    (shell.folder / ".stepwell").mkdir()
    with contextlib.closing(sqlite3.connect(shell.folder / ".stepwell" / "stepwell.db")) as made:
        made.executescript(sql)
    shell.good("tokens", "create", "first", "--role", "admin", "--direct")
    assert "up to date" in shell.good("migrate").out


def test_migrations_of_postgresql_can_be_printed(
    shell: Shell, postgres_database: Callable[[], str]
) -> None:
    url = postgres_database()
    sql = shell.good("migrate", "--print", "--database", url).out
    with psycopg.connect(url) as made:
        made.execute(sql.encode())
    shell.good("tokens", "create", "first", "--role", "admin", "--direct", "--database", url)
    assert "up to date" in shell.good("migrate", "--database", url).out


def test_migrations_of_mysql_can_be_printed(
    shell: Shell, mysql_database: Callable[[], str]
) -> None:
    url = mysql_database()
    sql = shell.good("migrate", "--print", "--store", url).out
    with contextlib.closing(connect(url, autocommit=True)) as made, made.cursor() as cursor:
        for statement in sql.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    assert "up to date" in shell.good("migrate", "--store", url).out


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_end_of_what_is_printed_upgrades_an_older_database(
    shell: Shell, postgres_database: Callable[[], str], kind: str
) -> None:
    url = "sqlite:///old.db" if kind == "sqlite" else postgres_database()
    first, mark, rest = shell.good("migrate", "--print", "--store", url).out.partition("-- 0002_")
    older = f"{first}\nUPDATE stepwell_meta SET value = '1' WHERE key = 'schema_version';"
    if kind == "sqlite":
        older = f"{first}\nINSERT INTO stepwell_meta VALUES ('schema_version', '1');"
    for script in (older, mark + rest):
        run_sql(shell, url, script)
    assert "up to date" in shell.good("migrate", "--store", url).out


def run_sql(shell: Shell, url: str, script: str) -> None:
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(shell.folder / "old.db")) as made:
            made.executescript(script)
        return
    with psycopg.connect(url) as connection:
        connection.execute(script.encode())


def test_migrating_twice_changes_nothing(shell: Shell) -> None:
    assert "applied" in shell.good("migrate").out
    assert "up to date" in shell.good("migrate").out


def test_a_token_is_shown_once_and_listed_without_its_secret(served: Shell) -> None:
    secret = served.good("tokens", "create", "once", "--role", "operator").out.strip()
    assert secret.startswith("sw_")
    listed = served.good("tokens", "list").out
    assert "once" in listed
    assert secret not in listed


def test_a_run_is_started_shown_repeated_and_its_output_read(served: Shell) -> None:
    start = ("runs", "start", "weather", "year-in-review", "-p", "year=2013", "--wait", "--json")
    run = served.good(*start).json
    assert [one["outcome"] for one in run["operations"]] == ["done", "done"]
    again = served.good("runs", "repeat", run["id"], "-p", "year=2014", "--wait", "--json").json
    assert (again["repeat_of"], again["parameters"]) == (run["id"], {"year": 2014})
    assert "output" not in served.good("runs", "output", run["id"]).err
    assert run["id"] in served.good("runs", "list", "--workflow", "year-in-review").out
    (report,) = served.good("reports", "list", "--run", run["id"], "--json").json
    target = served.folder / "review.md"
    served.good("reports", "get", report["id"], "-o", target)
    assert target.read_text().startswith("# Seattle in 2013")


def test_what_operations_keep_is_listed_and_read(served: Shell) -> None:
    run = served.good("schedules", "run", "weather/load-weather", "--json").json["run_id"]
    said = served.good("runs", "output", run, "--follow").out
    loaded = re.search(r"loading \S+ to (\S+)", said)
    assert loaded
    assert "loaded-to" in served.good("state", "list", "weather").out
    kept = served.good("state", "get", "weather", "workflow:load-weather", "loaded-to")
    assert kept.json == loaded[1]


def test_the_log_of_a_run_is_read_searched_and_followed(served: Shell) -> None:
    run = served.good("runs", "start", "weather", "load-weather", "--wait", "--json").json["id"]
    whole = served.good("runs", "logs", run)
    lines = [json.loads(one) for one in served.good("runs", "logs", run, "--json").out.splitlines()]
    assert lines
    assert lines[-1]["text"] in whole.out
    followed = served.good("runs", "logs", run, "--follow", "--tail", 1)
    assert lines[-1]["text"] in followed.out
    assert f"run {run} has ended: succeeded" in followed.err
    found = served.good("runs", "logs", run, "--grep", lines[-1]["text"], "--context", 1)
    assert "match" in found.err
    assert served.good("runs", "logs", run, "--operation", "nothing").out == ""


def test_state_is_set_restored_deleted_and_moved(served: Shell, tmp_path: Path) -> None:
    where, why = ("weather", "group", "mark"), ("--reason", "a test")
    served.good("state", "set", *where, '{"a": 1}', *why)
    served.good("state", "set", *where, "2", "--expect-version", 1, *why)
    stale = served.type("state", "set", *where, "3", "--expect-version", 1, *why)
    assert stale.code != 0
    assert "is at version 2" in stale.err
    assert "version 1 to 2" in served.good("state", "diff", *where).out
    served.good("state", "restore", *where, 1, *why)
    assert served.good("state", "get", *where).json == {"a": 1}
    assert len(served.good("state", "history", *where, "--json").json) == 3
    file = tmp_path / "state.json"
    served.good("state", "export", "weather", "--scope", "group", "--output", file)
    served.good("state", "delete", *where, *why)
    assert served.good("state", "list", "weather", "--scope", "group", "--json").json == []
    assert "1 values written" in served.good("state", "import", "weather", file, *why).out
    assert served.good("state", "readers", *where).out.strip() == "Nobody has read it."
    assert served.type("state", "set", *where, "{", *why).code != 0


def test_reports_are_shown_compared_and_shared(served: Shell, tmp_path: Path) -> None:
    served.good("runs", "start", "weather", "load-weather", "--wait")
    report, *_ = served.good("reports", "list", "--group", "weather", "--json").json
    assert report["name"] in served.good("reports", "show", report["id"]).out
    file = tmp_path / "report"
    served.good("reports", "download", report["id"], "--output", file)
    assert file.stat().st_size == report["size"]
    newest = served.good(
        "reports", "latest", "weather", report["workflow"], report["name"], "--json"
    )
    assert newest.json["id"] == report["id"]
    served.good("reports", "compare", report["id"])
    link = served.good("reports", "share", report["id"], "--latest").out.strip()
    assert httpx.get(link, timeout=PATIENCE).content == file.read_bytes()
    badge = served.good("reports", "badge", "weather", report["workflow"]).out.strip()
    assert "passing" in httpx.get(badge, timeout=PATIENCE).text


def test_a_schedule_is_previewed_paused_and_resumed(served: Shell) -> None:
    daily = ("--cron", "30 7 * * MON-FRI", "--timezone", "Europe/Oslo", "--count", "3")
    preview = served.good("schedules", "preview", *daily)
    assert preview.out.count("T07:30") == 3
    assert served.good("schedules", "show", "weather/load-weather", "--json").json["paused_at"]
    why = served.good("why", "weather/load-weather", "--schedule")
    assert "aused" in why.out
    served.good("schedules", "resume", "weather/load-weather")
    shown = served.good("schedules", "show", "weather/load-weather", "--json").json
    served.good("schedules", "pause", "weather/load-weather")
    at_rest(served)
    assert shown["paused_at"] is None


def test_what_a_new_server_says_to_type_can_be_typed(served: Shell) -> None:
    items = {one["task"]: one for one in served.good("first-run", "show", "--json").json["items"]}
    for task in ("run", "schedule"):
        _, *words = shlex.split(items[task]["command"])
        assert served.type(*words, "--url", "http://127.0.0.1:1").code == Exit.UNREACHABLE


def test_a_release_is_rolled_back_as_a_new_one(served: Shell, tmp_path: Path) -> None:
    path = tmp_path / "turns.py"
    source = (
        "from stepwell.workflows import WorkflowGroup, operation\n"
        "group = WorkflowGroup('turns')\n\n\n@group.workflow\nclass Turn:\n    limit: int = 1\n\n"
        "    @operation\n    def go(self, limit: int) -> int:\n        return limit\n"
    )
    path.write_text(source)
    served.good("groups", "register", path)
    served.good("groups", "approve", "turns")
    path.write_text(source.replace("= 1", "= 2"))
    served.good("groups", "discover", "turns")
    served.good("groups", "approve", "turns")
    assert "release 3 of turns" in served.good("groups", "rollback", "turns", "--to", "1").out
    assert len(served.good("groups", "releases", "turns", "--json").json) == 3
    run = served.good("runs", "start", "turns", "turn", "--wait", "--json").json
    assert run["operations"][0]["result"] == 1


def test_a_workflow_runs_without_a_server(shell: Shell) -> None:
    words = ("run", EXAMPLES / "weather", "LoadWeather", "--state", "kept.json", "-p", "months=1")
    shell.good(*words)
    result = shell.good(*words, "--json").json
    assert result["state"] == "succeeded"
    assert json.loads((shell.folder / "kept.json").read_text())
    assert (shell.folder / "reports" / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_workflow_those_of_a_file_are_listed(shell: Shell) -> None:
    answer = shell.good("run", EXAMPLES / "weather")
    assert re.search(r"load-weather +months", answer.out)
    assert f"stepwell run {EXAMPLES / 'weather'} " in answer.err
    rows = shell.good("run", EXAMPLES / "weather", "--json").json
    assert {"load-weather", "year-in-review"} <= {one["name"] for one in rows}


def test_a_workflow_that_recovers_without_a_server_says_so(shell: Shell) -> None:
    answer = shell.good("run", EXAMPLES / "flaky", "rank-shares", "-p", "failures=1")
    assert "the run succeeded, warnings: 1" in answer.out
    assert "503 Service Unavailable" in answer.err
    assert "AttemptFailed" not in answer.err
