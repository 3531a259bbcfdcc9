"""`stepwell steps` on a store of one's own: which store, again, later, and watched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from tests.cli.shell import PATIENCE, Shell, wait
from tests.cli.test_mistakes import refused
from typer.main import get_command

from stepwell import Engine, FailStep, Registry, StepClient, new_step
from stepwell.cli.app import app
from stepwell.cli.exits import Exit
from stepwell.cli.steps import watch
from stepwell.cli.steps.books import StoreBook
from stepwell.clock import now
from stepwell.outcome import Outcome, done
from stepwell.stores import open_store
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store

pytestmark = pytest.mark.slow

URL = "sqlite:///mine.db"


@pytest.fixture
def mine(shell: Shell) -> Shell:
    """A shell in a folder with a migrated store, which it knows by the environment."""
    shell.good("migrate", "--store", URL)
    shell.environment["STEPWELL_STORE"] = URL
    return shell


@pytest.fixture
def steps(mine: Shell) -> Iterator[StepClient]:
    store = open_store(f"sqlite:///{mine.folder / 'mine.db'}")
    yield StepClient(store)
    store.close()


def add(shell: Shell, *words: object) -> str:
    return shell.good("steps", "add", "v1/hello", *words).out.strip()


def shown(shell: Shell, step: str) -> dict[str, Any]:
    found: dict[str, Any] = shell.good("steps", "show", step, "--json").json
    return found


# -- which store ---------------------------------------------------------------


def test_the_store_of_the_environment_is_the_one_that_is_migrated(shell: Shell) -> None:
    shell.environment["STEPWELL_STORE"] = URL
    assert "0001_steps" in shell.good("migrate").out
    assert [path.name for path in shell.folder.rglob("*.db")] == ["mine.db"]
    shell.good("steps", "count")


@pytest.mark.parametrize("named", ["--database", "--data-dir", "STEPWELL_DATABASE_URL"])
def test_whatever_names_a_servers_database_wins_when_it_is_migrated(
    shell: Shell, named: str
) -> None:
    shell.environment["STEPWELL_STORE"] = URL
    value = "there" if named == "--data-dir" else "sqlite:///server.db"
    words = (named, value) if named.startswith("--") else ()
    shell.environment |= {} if words else {named: value}
    shell.good("migrate", *words)
    assert not (shell.folder / "mine.db").exists()


def test_a_store_in_memory_is_not_migrated_for_others(shell: Shell) -> None:
    refused(shell.type("migrate", "--store", "memory://"), Exit.MISTAKE, "invalid-input")


@pytest.mark.parametrize("option", ["--store", "--database"])
def test_a_store_is_named_by_option(shell: Shell, option: str) -> None:
    shell.good("migrate", "--store", URL)
    assert shell.good("steps", "count", option, URL, "--json").json["ready"] == 0


def test_an_option_wins_over_the_environment(mine: Shell) -> None:
    add(mine)
    mine.good("migrate", "--store", "sqlite:///other.db")
    counts = mine.good("steps", "count", "--store", "sqlite:///other.db", "--json").json
    assert counts["ready"] == 0
    assert mine.good("steps", "count", "--json").json["ready"] == 1


def test_a_server_named_by_option_wins_over_a_store_of_the_environment(mine: Shell) -> None:
    refused(
        mine.type("steps", "list", "--url", "http://127.0.0.1:1"),
        Exit.UNREACHABLE,
        "server-unreachable",
    )


def test_a_store_and_a_server_at_once_are_a_mistake(shell: Shell) -> None:
    words = ("steps", "list", "--store", URL, "--url", "http://127.0.0.1:1")
    refused(shell.type(*words), Exit.MISTAKE, "invalid-input")


def test_without_either_it_says_how_to_name_one(shell: Shell) -> None:
    answer = shell.type("steps", "list")
    refused(answer, Exit.SETUP, "no-server")
    assert "Give --store sqlite:///steps.db" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("list", "--store", "mine.db"), Exit.MISTAKE, "invalid-input"),
        (("list", "--store", "memory://"), Exit.MISTAKE, "invalid-input"),
        (("list", "--status", "raedy"), Exit.MISTAKE, "invalid-input"),
        (("show", "abc"), Exit.MISTAKE, "invalid-input"),
        (("show", "01900000-0000-7000-8000-000000000000"), Exit.NOT_FOUND, "step-not-found"),
        (("retry", "01900000-0000-7000-8000-000000000000"), Exit.NOT_FOUND, "step-not-found"),
        (("add", "v1/x", "--at", "tomorrow"), Exit.MISTAKE, "invalid-input"),
        (("add", "v1/x", "--state", '{"to": "Oslo"'), Exit.MISTAKE, "invalid-input"),
        (("add", "v1/x", "--at", "2030-01-01T00:00:00"), Exit.MISTAKE, "invalid-input"),
        (("reschedule", "01900000-0000-7000-8000-000000000000"), Exit.MISTAKE, "invalid-input"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_says_what_why_and_how_to_fix_it(
    mine: Shell, words: tuple[str, ...], code: Exit, name: str
) -> None:
    refused(mine.type("steps", *words), code, name)
    assert mine.good("steps", "count", "--json").json == {"ready": 0, "done": 0, "failed": 0}


@pytest.mark.parametrize(("typed", "meant"), [("wacth", "watch"), ("re-try", "retry")])
def test_a_mistyped_verb_gets_its_neighbour(mine: Shell, typed: str, meant: str) -> None:
    answer = mine.type("steps", typed)
    assert answer.code == Exit.MISTAKE
    assert meant in answer.err


# -- verbs ---------------------------------------------------------------------


def test_an_ended_step_is_retried_as_a_copy(mine: Shell) -> None:
    step = add(mine, "--state", "7")
    mine.good("steps", "fail", step)
    copy = mine.good("steps", "retry", step).out.strip()
    again = shown(mine, copy)
    assert (again["copy_of"], again["state"], again["status"]) == (step, 7, "ready")


def test_a_ready_step_is_retried_in_its_place_with_the_arguments_that_it_had(mine: Shell) -> None:
    step = add(mine)
    mine.good("steps", "activate", step, "--args", '{"paid": true}')
    mine.good("steps", "reschedule", step, "--at", "2030-01-01T00:00:00Z")
    assert mine.good("steps", "retry", step).out.strip() == step
    found = shown(mine, step)
    assert datetime.fromisoformat(found["schedule_time"]) <= now()
    assert found["activation_args"] == {"paid": True}


def test_a_step_is_rescheduled_to_an_instant_or_by_a_delay(mine: Shell) -> None:
    step = add(mine)
    mine.good("steps", "reschedule", step, "--at", "2030-01-01T01:00:00+01:00")
    assert shown(mine, step)["schedule_time"].startswith("2030-01-01T00:00:00")
    mine.good("steps", "reschedule", step, "--in", 3600)
    due = datetime.fromisoformat(shown(mine, step)["schedule_time"])
    assert timedelta(minutes=59) < due - now() <= timedelta(hours=1)
    mine.good("steps", "cancel", step)
    refused(mine.type("steps", "reschedule", step, "--in", 1), Exit.CONFLICT, "step-ended")


def test_steps_are_found_by_search_key(mine: Shell) -> None:
    add(mine), add(mine, "--search-key", "customer-7")
    assert len(mine.good("steps", "list", "--search-key", "customer-7", "--json").json) == 1
    assert mine.good("steps", "count", "--search-key", "x", "--json").json["ready"] == 0


def test_steps_are_found_by_a_query_as_runs_are(mine: Shell) -> None:
    add(mine), add(mine, "--search-key", "customer-7")
    found = mine.good("steps", "list", "state:ready search:customer-*", "--json").json
    assert [one["search_key"] for one in found] == ["customer-7"]
    assert mine.good("steps", "count", "since:1h executions>0", "--json").json["ready"] == 0
    mistake = mine.type("steps", "list", "stat:ready")
    assert (mistake.code, "Did you mean 'state'?" in mistake.err) == (Exit.MISTAKE, True)


def test_every_command_can_answer_in_json() -> None:
    """One switch for programs, whatever is asked."""

    def without(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        below = getattr(command, "commands", None)
        if below is None:
            if not any("--json" in one.opts for one in command.params):
                yield " ".join(words)
            return
        for name, one in below.items():
            yield from without(one, (*words, name))

    assert list(without(get_command(app), ())) == []


@pytest.mark.parametrize(
    "words",
    [("nope",), ("steps", "show"), ("steps", "list", "--limit", "x"), ("doctor", "--nope")],
    ids=" ".join,
)
def test_words_that_make_no_command_are_told_in_json_too(
    shell: Shell, words: tuple[str, ...]
) -> None:
    answer = shell.type(*words, "--json")
    told = json.loads(answer.err)
    assert (answer.code, answer.out, told["code"]) == (Exit.MISTAKE, "", "invalid-input")
    assert told["what"]
    assert "--help" in told["fix"]


def test_a_state_is_json_or_a_text_that_does_not_look_like_it(mine: Shell) -> None:
    given = ['{"to": "Oslo"}', "7", "hello", '"[1] is open"']
    shown_states = [shown(mine, add(mine, "--state", one))["state"] for one in given]
    assert shown_states == [{"to": "Oslo"}, 7, "hello", "[1] is open"]


@pytest.mark.parametrize(
    "words",
    [
        ("add", "v1/hello"),
        ("activate", "{}"),
        ("reschedule", "{}", "--in", "1"),
        ("retry", "{}"),
        ("explain", "{}"),
        ("show", "{}"),
        ("cancel", "{}"),
        ("fail", "{}"),
        ("complete", "{}"),
        ("list",),
        ("count",),
        ("watch", "--once"),
    ],
    ids=lambda words: words[0],
)
def test_each_verb_gives_one_json_document(mine: Shell, words: tuple[str, ...]) -> None:
    step = add(mine)
    assert mine.good("steps", *(word.format(step) for word in words), "--json").json


# -- watch ---------------------------------------------------------------------


def failing() -> Registry:
    made = Registry()

    @made.handler("v1/hello")
    def hello(state: str | None) -> Outcome:
        raise FailStep(f"no customer {state}")

    return made


def test_a_watch_shows_counts_per_queue_and_the_newest_failures(
    mine: Shell, steps: StepClient
) -> None:
    steps.add_many([new_step("v1/hello", "ada"), new_step("v1/hello", queue="mail")])
    Engine(steps.store, failing()).drain()
    said = mine.good("steps", "watch", "--once").out.splitlines()
    assert said[1].split()[:6] == ["queue", "running", "due", "later", "done/min", "failed"]
    assert [line.split()[:6] for line in said[2:4]] == [
        ["default", "0", "0", "0", "0", "1"],
        ["mail", "0", "1", "0", "0", "0"],
    ]
    assert "no customer ada" in said[-1]
    seen = mine.good("steps", "watch", "--once", "--json").json
    assert [one["description"] for one in seen["failures"]] == ["no customer ada"]


def test_the_newest_failures_are_those_that_failed_last(mine: Shell, steps: StepClient) -> None:
    """A step may have been added long before it fails."""
    old, new = (steps.add(new_step("v1/hello", schedule_time=now())) for _ in range(2))
    steps.fail(new, "first to fail")
    steps.fail(old, "last to fail")
    seen = mine.good("steps", "watch", "--once", "--failures", 1, "--json").json
    assert [one["description"] for one in seen["failures"]] == ["last to fail"]


def test_a_watch_of_postgresql_counts_what_ended_in_the_last_minute(
    shell: Shell, postgres_database: Callable[[], str]
) -> None:
    url = postgres_database()
    shell.good("migrate", "--store", url)
    step = shell.good("steps", "add", "v1/hello", "--store", url).out.strip()
    shell.good("steps", "complete", step, "--store", url)
    (row,) = shell.good("steps", "watch", "--once", "--store", url, "--json").json["queues"]
    assert (row["queue"], row["done"]) == ("default", 1)


def test_a_watch_of_a_server_counts_its_tables(served: Shell) -> None:
    (row,) = served.good("steps", "watch", "--once", "--json").json["queues"]
    assert row["queue"] == "(all)"
    assert row["ready"] >= 1


def test_a_watch_goes_on_until_ctrl_c_with_a_reading_on_each_line(
    mine: Shell, steps: StepClient
) -> None:
    process = mine.begin("steps", "watch", "--json")
    log = mine.log("steps")
    wait(lambda: log.read_text().count("\n") >= 1, log)
    steps.add(new_step("v1/hello"))
    wait(lambda: '"due": 1' in log.read_text(), log)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0, log.read_text()
    readings = [json.loads(line) for line in log.read_text().splitlines()]
    times = [datetime.fromisoformat(one["at"]) for one in readings]
    assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(times))


def test_a_watch_into_a_pipe_that_is_closed_ends(mine: Shell) -> None:
    """`stepwell steps watch | head` leaves nobody behind, and no traceback."""
    command = [*mine._command(("steps", "watch", "--json"))]
    with subprocess.Popen(
        command,
        cwd=mine.folder,
        env={**os.environ, **mine.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        process.wait(PATIENCE)
    assert "Traceback" not in said


def test_reading_takes_a_tenth_of_the_time_at_most() -> None:
    assert watch.pause(1.0, 0.01) == 1.0
    assert watch.pause(1.0, 2.0) == 20.0


class Counted(MemoryStore):
    """Tells how often it was asked."""

    asked = 0

    def transaction(self) -> Any:
        self.asked += 1
        return super().transaction()

    def overview(self, since: datetime) -> Any:
        self.asked += 1
        return super().overview(since)


def test_a_reading_without_new_failures_is_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    store: Store = Counted()
    monkeypatch.setattr("stepwell.cli.steps.books.open_store", lambda _: store)
    steps = StepClient(store)
    steps.fail(steps.add(new_step("v1/hello")), "no")
    readings = watch.Readings(StoreBook("memory://"), 5)
    list(readings.once())
    before = store.asked  # type: ignore[attr-defined]
    list(readings.once())
    assert store.asked - before == 1  # type: ignore[attr-defined]


# -- lineage -----------------------------------------------------------------------


def test_what_a_step_has_spawned_stands_below_it(mine: Shell, steps: StepClient) -> None:
    registry = Registry()

    @registry.handler("v1/order")
    def order(state: Any) -> Outcome:
        return done(next=[new_step("v1/pack")])

    @registry.handler("v1/pack")
    def pack(state: Any) -> None:
        """Nothing."""

    first = add(mine, "--search-key", "x").strip()
    steps.cancel(steps.search()[0].id, "not this one")
    root = steps.add(new_step("v1/order"))
    Engine(steps.store, registry).drain()

    told = mine.good("steps", "lineage", root).out
    assert told.index("v1/order") < told.index("  v1/pack")
    assert first not in told
    found = mine.good("steps", "lineage", root, "--json").json
    assert [edge["kind"] for edge in found["edges"]] == ["spawned"]
