"""`stepwell doctor` on real stores, with what really ails them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from tests.cli.shell import Shell
from tests.cli.test_mistakes import refused
from tests.stores.postgres.support import add

from stepwell import Engine, Registry, StepClient, done, new_step
from stepwell.cli.doctor import checks
from stepwell.cli.doctor import commands as doctor
from stepwell.cli.exits import Exit
from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.outcome import Outcome
from stepwell.step import Step
from stepwell.stores import open_store
from stepwell.stores.postgres import inspecting
from stepwell.stores.protocol import EngineInfo

URL = "sqlite:///mine.db"


@pytest.fixture
def mine(shell: Shell) -> Shell:
    """A shell in a folder with a migrated store."""
    shell.good("migrate", "--store", URL)
    return shell


@pytest.fixture
def steps(mine: Shell) -> Iterator[StepClient]:
    store = open_store(f"sqlite:///{mine.folder / 'mine.db'}")
    yield StepClient(store)
    store.close()


def findings(shell: Shell, code: Exit, url: str = URL) -> dict[str, dict[str, Any]]:
    """What the doctor finds, by check."""
    answer = shell.type("doctor", "--store", url, "--json")
    assert answer.code == code, answer
    return {one["check"]: one for one in answer.json["findings"]}


@pytest.fixture
def registry() -> Registry:
    made = Registry()

    @made.handler("v1/hello")
    def hello() -> Outcome:
        return done()

    return made


def test_a_store_with_a_live_engine_is_well(
    mine: Shell, steps: StepClient, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BETWEEN", 90.0)
    with Engine(steps.store, registry):
        steps.add(new_step("v1/hello"))
        answer = mine.good("doctor", "--store", URL)
    assert answer.out.strip() == "All is well."


def test_a_store_that_answers_late_has_no_other_clock(
    mine: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It told its time at once, and the rest of its answer an hour later."""
    hands = iter([0, 3600])
    start = now()
    monkeypatch.setattr(doctor, "now", lambda: start + timedelta(seconds=next(hands)))
    assert "clock" not in findings(mine, Exit.OK)


def test_a_store_that_is_not_there_is_a_finding_with_the_codes_of_all_commands(
    shell: Shell,
) -> None:
    assert findings(shell, Exit.SETUP, "sqlite:///no.db")["schema"]["fix"]
    nobody = "postgresql://nobody@127.0.0.1:1/x"
    assert findings(shell, Exit.UNREACHABLE, nobody)["connection"]["severity"] == "problem"


def test_what_the_doctor_says_is_what_why_and_fix(shell: Shell) -> None:
    said = shell.type("doctor", "--store", "sqlite:///no.db").out
    assert said.startswith("problem: no.db is not ready")
    assert "\n    why: There is no such file." in said
    assert "\n    fix: Run `stepwell migrate" in said


def test_where_no_address_is_given_it_looks_at_what_a_server_keeps_in_this_folder(
    shell: Shell,
) -> None:
    """A server and `stepwell dev` need no address, and the doctor is what one asks beside them."""
    kept = shell.folder / ".stepwell"
    kept.mkdir()
    refused(shell.type("doctor"), Exit.SETUP, "no-store")
    (kept / "stepwell.db").touch()
    said = shell.type("doctor")
    assert (said.code, f"{kept / 'stepwell.db'} is not ready" in said.out) == (Exit.SETUP, True)
    elsewhere = Shell(shell.folder, STEPWELL_DATA_DIR="data")
    refused(elsewhere.type("doctor"), Exit.SETUP, "no-store")


def test_mistakes_in_the_address_are_no_findings(shell: Shell) -> None:
    refused(shell.type("doctor"), Exit.SETUP, "no-store")
    refused(shell.type("doctor", "--store", "mine.db"), Exit.MISTAKE, "invalid-input")
    refused(shell.type("doctor", "--store", "memory://"), Exit.MISTAKE, "invalid-input")


def test_steps_that_nobody_claims_are_a_problem(
    mine: Shell, steps: StepClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.add(new_step("v1/hello"))
    assert findings(mine, Exit.OK)["due"]["severity"] == "note", "it has only just been added"
    monkeypatch.setattr(checks, "NOBODY", now() - now())
    assert findings(mine, Exit.FAILED)["due"]["severity"] == "problem"


def test_for_the_queue_of_a_server_a_server_is_to_be_started(
    mine: Shell, steps: StepClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No module of anybody's has its handlers."""
    steps.add(new_step("v1/server/tick", queue="server"))
    monkeypatch.setattr(checks, "NOBODY", now() - now())
    assert findings(mine, Exit.FAILED)["due"]["fix"].startswith(
        "Start the server, `stepwell serve`"
    )


def test_a_dead_engine_and_a_name_that_nobody_handles_are_warnings(
    mine: Shell, steps: StepClient, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BETWEEN", 0.01)
    dead = EngineInfo(id=new_id(), name="dead:1", version="1", handles=(), queues=("default",))
    steps.add(new_step("v1/helo"))
    Engine(steps.store, registry).drain()
    with steps.store.transaction() as tx:
        tx.join(dead)
    found = findings(mine, Exit.WARNED)
    assert found["engines"]["what"].startswith("The engine dead:1")
    assert "'v1/helo'" in found["names"]["what"]


def test_a_file_without_a_write_ahead_log_is_a_problem(mine: Shell) -> None:
    with contextlib.closing(sqlite3.connect(mine.folder / "mine.db")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    assert findings(mine, Exit.FAILED)["journal"]["severity"] == "problem"
    mine.good("migrate", "--store", URL)
    findings(mine, Exit.OK)


def test_missing_partitions_and_rows_without_one_are_warnings(
    shell: Shell, postgres_database: Callable[[], str]
) -> None:
    url = postgres_database()
    shell.good("migrate", "--store", url)
    findings(shell, Exit.OK, url)
    with psycopg.connect(url) as connection:
        (part,) = connection.execute(
            "SELECT part FROM stepwell_partitions WHERE parent = 'stepwell_done_standard'"
            " AND starts <= now() AND ends > now()"
        ).fetchone() or ("",)
        connection.execute(f"DROP TABLE {part}".encode())
    said = findings(shell, Exit.WARNED, url)["partitions"]["what"]
    assert "stepwell_done_standard from" in said
    store = open_store(url)
    steps = StepClient(store)
    steps.complete(steps.add(new_step("v1/hello")), "by hand")
    store.close()
    assert "default partitions" in findings(shell, Exit.WARNED, url)["partitions"]["what"]
    shell.good("migrate", "--store", url)
    findings(shell, Exit.OK, url)


def test_a_transaction_that_is_left_open_is_told_with_how_to_end_it(
    shell: Shell, postgres_steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "LONG", 0.0)
    with psycopg.connect(postgres_steps, application_name="forgotten") as connection:
        connection.execute("SELECT 1")
        found = findings(shell, Exit.WARNED, postgres_steps)["long-transaction"]
        assert "forgotten, idle in transaction" in found["what"]
        assert f"pg_terminate_backend({connection.info.backend_pid})" in found["fix"]


def test_suspects_of_a_real_store_are_told(mine: Shell, steps: StepClient) -> None:
    suspect = Step(
        id=new_id(),
        name="v1/hello",
        flow_id=new_id(),
        created_at=now(),
        schedule_time=now(),
        lost_count=2,
    )
    add(steps.store, suspect)
    assert str(suspect.id) in findings(mine, Exit.WARNED)["suspects"]["what"]


def test_the_folder_of_the_shell_is_left_as_it_was(mine: Shell) -> None:
    """The doctor changes nothing."""
    database = mine.folder / "mine.db"
    before = database.read_bytes()
    mine.good("doctor", "--store", URL)
    assert database.read_bytes() == before
