"""Any step as a Job: the same record, retries and search, whatever is killed (R14, R15, R35)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import httpx
import pytest
from tests.server.live import listening, without_fsync
from tests.server.support import free_port

from stepwell import Registry, StepQuery, StepStatus, new_step
from stepwell.codec import JSON
from stepwell.engine import Engine
from stepwell.launchers import shim
from stepwell.launchers.protocol import LaunchFailed
from stepwell.server.app import Server
from stepwell.server.jobs import queries, running, service, tokens
from stepwell.server.settings import Settings
from stepwell.step import EndedAs, Step
from stepwell.testing.launcher_contract import until

SHOP = """
import os
import time
from pathlib import Path

from stepwell import Registry, RetryPolicy, Step, done, new_step, rerun

registry = Registry()


@registry.handler("shop/add")
def add(state):
    return done(state["a"] + state["b"], next=[new_step("shop/told", {"of": "add"})])


@registry.handler("shop/twice")
async def twice(state, step: Step):
    if state["left"]:
        return rerun({**state, "left": state["left"] - 1}, description="once more")
    return done(step.execution_count)


@registry.handler("shop/fails", retry=RetryPolicy(attempts=2, delays=(0.1,)))
def fails(state):
    print("about to fail", flush=True)
    raise ValueError("no stock")


@registry.handler("shop/stays")
def stays(state):
    with Path(state["notes"], "log").open("a") as file:
        file.write(f"{os.getpid()} {'STEPWELL_TOKEN' in os.environ}" + chr(10))
    while not Path(state["notes"], "go").exists():
        time.sleep(0.02)
    return done("went")
"""
NAMES = ("shop/add", "shop/twice", "shop/fails", "shop/stays", "shop/nobody")


class Shop:
    """A server that executes the shop's steps in processes of their own."""

    def __init__(self, server: Server, notes: Path) -> None:
        self.server, self.notes = server, notes

    def add(self, name: str, state: Any = None, **fields: Any) -> UUID:
        """A step, as a program beside the server would add it."""
        return Engine(self.server.db.store, Registry()).add(new_step(name, state, **fields))

    def step(self, step_id: UUID) -> Step:
        """Its row."""
        with self.server.db.store.transaction() as tx:
            (found,) = tx.search(_by(step_id))
        return found

    def ended(self, step_id: UUID) -> Step:
        """Its row, when it has ended."""
        until(lambda: self.step(step_id).status is not StepStatus.READY)
        return self.step(step_id)

    @property
    def log(self) -> list[str]:
        """Who has stayed."""
        file = self.notes / "log"
        return file.read_text().splitlines() if file.exists() else []

    def jobs(self, step_id: UUID) -> list[Any]:
        """Its launches, the newest first."""
        with self.server.db.read() as conn:
            return service.listed(conn, step_id)


@pytest.fixture
def shop(settings: Settings, tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "shop.py").write_text(SHOP)
    images = tuple(f"{name}={tmp_path / 'shop.py'}" for name in NAMES)
    made = without_fsync(
        Server(replace(settings, port=free_port(), run_engine=True, step_images=images))
    )
    made.db.migrate()
    with made, listening(made):
        yield Shop(made, tmp_path)


def test_a_step_runs_in_a_process_of_its_own_with_the_record_of_any_other(shop: Shop) -> None:
    """Result, executions, and what it adds: as if its handler ran here."""
    step = shop.ended(shop.add("shop/add", {"a": 2, "b": 3}, search_key="five"))
    assert (step.ended_as, JSON.decode(step.result or "")) == (EndedAs.DONE, 5)
    assert (step.execution_count, step.search_key) == (1, "five")
    with shop.server.db.store.transaction() as tx:
        (told,) = tx.search(replace(_all(), name="shop/told"))
    assert (told.created_by_step_id, told.flow_id) == (step.id, step.flow_id)
    (job,) = shop.jobs(step.id)
    assert (job.number, job.exit["code"], job.lost) == (1, 0, 0)


def test_a_coroutine_that_runs_again_gets_its_new_state_in_a_new_launch(shop: Shop) -> None:
    """Each execution is one launch, and counted once."""
    step = shop.ended(shop.add("shop/twice", {"left": 1}))
    assert JSON.decode(step.result or "") == 1
    assert [job.number for job in shop.jobs(step.id)] == [2, 1]


def test_retries_are_those_of_the_handler_in_the_image(shop: Shop) -> None:
    """With its own words, and its own frames."""
    step = shop.ended(shop.add("shop/fails", {}))
    assert (step.ended_as, step.failure_count, step.execution_count) == (EndedAs.FAILED, 2, 2)
    assert "ValueError: no stock" in (step.description or "")
    assert "about to fail" in (shop.jobs(step.id)[0].output or "")


def test_a_killed_process_is_a_failed_attempt_and_the_step_is_tried_again(shop: Shop) -> None:
    """With the launcher's words for it."""
    step_id = shop.add("shop/stays", {"notes": str(shop.notes)})
    until(lambda: shop.log)
    os.kill(int(shop.log[0].split()[0]), signal.SIGKILL)
    until(lambda: len(shop.log) == 2)
    (shop.notes / "go").touch()
    step = shop.ended(step_id)
    assert (step.ended_as, step.execution_count) == (EndedAs.DONE, 2)
    second, first = shop.jobs(step_id)
    assert "SIGKILL" in first.exit["reason"]
    assert (first.lost, second.lost) == (1, 0)


@pytest.mark.parametrize("away", ["launcher", "database"])
def test_what_is_away_while_a_process_runs_does_not_start_a_second_one_beside_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """Nobody knows how it goes, so nothing is decided: it is asked again."""
    monkeypatch.setattr(running, "TRY_AGAIN", 0.05)
    held_up = threading.Event()

    def refuse(*_: Any) -> NoReturn:
        held_up.set()
        raise LaunchFailed("The engine does not answer.")

    step_id = shop.add("shop/stays", {"notes": str(shop.notes)})
    until(lambda: shop.log)
    with monkeypatch.context() as patch:
        if away == "launcher":
            patch.setattr(shop.server.services.launcher("process"), "poll", refuse)
        else:
            patch.setattr(queries, "get", refuse)
        assert held_up.wait(90)
    (shop.notes / "go").touch()
    step = shop.ended(step_id)
    assert (step.ended_as, step.execution_count) == (EndedAs.DONE, 1)
    assert len(shop.log) == len(shop.jobs(step_id)) == 1


def test_a_step_that_is_cancelled_takes_its_process_with_it(shop: Shop) -> None:
    """As soon as the engine's beat has told it."""
    step_id = shop.add("shop/stays", {"notes": str(shop.notes)})
    until(lambda: shop.log)
    pid = int(shop.log[0].split()[0])
    with shop.server.db.store.transaction() as tx:
        assert tx.end(step_id, EndedAs.CANCELLED, "not wanted")
    until(lambda: shim.identity(pid) == "")
    until(lambda: shop.jobs(step_id)[0].finished_at)


def test_another_server_goes_on_with_the_same_process(shop: Shop) -> None:
    """The claim is given back, the process lives on, and nothing is executed twice (R14)."""
    step_id = shop.add("shop/stays", {"notes": str(shop.notes)})
    until(lambda: shop.log)
    assert shop.server.jobs is not None
    shop.server.jobs.stop(timeout=0.0)
    assert shop.step(step_id).claimed_by is None
    second = Server(shop.server.settings)
    assert second.jobs is not None
    second.db.open()
    second.jobs.start()
    try:
        until(lambda: shop.step(step_id).claimed_by is not None)
        (shop.notes / "go").touch()
        step = shop.ended(step_id)
    finally:
        second.jobs.stop()
        second.db.close()
    assert (JSON.decode(step.result or ""), step.execution_count) == ("went", 1)
    assert len(shop.log) == len(shop.jobs(step_id)) == 1


def test_an_image_without_the_handler_fails_the_step_with_its_words(shop: Shop) -> None:
    """Trying again would not help."""
    step = shop.ended(shop.add("shop/nobody", {}))
    assert step.ended_as is EndedAs.FAILED
    assert "no handler for steps named 'shop/nobody'" in (step.description or "")


def test_a_token_is_good_for_one_execution_of_one_step(shop: Shop) -> None:
    """The handler does not see it, and it falls with the execution (R35)."""
    step_id = shop.add("shop/stays", {"notes": str(shop.notes)})
    other = shop.add("shop/told", {})
    until(lambda: shop.log)
    assert shop.log[0].split()[1] == "False"
    key, url = shop.server.settings.signing_key, shop.server.settings.url

    def ask(of: UUID, token: str) -> tuple[int, str]:
        answer = httpx.post(
            f"{url}/api/v1/step-jobs/{of}/assignments",
            headers={"Authorization": f"Bearer {token}"},
            timeout=90,
        )
        return answer.status_code, answer.json().get("code", "ok")

    assert ask(step_id, tokens.issue(key, step_id, 1)) == (201, "ok")
    assert ask(other, tokens.issue(key, step_id, 1)) == (401, "unauthenticated")
    assert ask(step_id, tokens.issue(key, step_id, 2)) == (403, "job-token-revoked")
    (shop.notes / "go").touch()
    shop.ended(step_id)
    assert ask(step_id, tokens.issue(key, step_id, 1)) == (403, "job-token-revoked")


def test_five_losses_in_a_row_are_the_end(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for steps that cost their engines (R15)."""
    monkeypatch.setattr("stepwell.retry._cubic", lambda failures: 0.05)
    step_id = shop.add("shop/stays", {"notes": str(shop.notes)})
    for number in range(1, 6):
        until(lambda number=number: len(shop.log) == number)  # type: ignore[misc]
        os.kill(int(shop.log[-1].split()[0]), signal.SIGKILL)
    step = shop.ended(step_id)
    assert step.ended_as is EndedAs.FAILED
    assert "lost 5 times in a row" in (step.description or "")


def _by(step_id: UUID) -> StepQuery:
    return replace(_all(), ids=(step_id,))


def _all() -> StepQuery:
    return StepQuery(limit=10)
