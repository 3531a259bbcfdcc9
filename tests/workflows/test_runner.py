"""`python -m stepwell.workflows` as a launcher starts it: real processes, a real socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.signals import gone, wait_for
from tests.workflows.server import TOKEN, MiniServer
from tests.workflows.support import write_group

from stepwell.ids import new_id
from stepwell.step import EndedAs, StepStatus
from stepwell.workflows.local_backend import LocalBackend
from stepwell.workflows.manifest import load_manifest

GROUP = """
    @group.workflow
    class Sales:
        limit: int = 2

        @operation(retries=1)
        def load(self, ctx: Context, limit: int) -> list[int]:
            print("loading")
            ctx.state.save("last", ctx.state.get("last", default=0) + limit)
            ctx.report.json("rows", list(range(limit)))
            if ctx.attempt == 1:
                raise ConnectionError("not yet")
            return list(range(limit))

        @operation
        def total(self, load: list[int], ctx: Context) -> str:
            return f"{sum(load)} {ctx.due_at:%H:%M}"

    @group.workflow
    class Slow:
        mark: str

        @operation
        def wait(self, mark: str) -> None:
            Path(mark).write_text(str(os.getpid()))
            time.sleep(600)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MiniServer]:
    made = MiniServer(LocalBackend(tmp_path / "reports"))
    yield made
    made.close()


IMAGE = ("-m", "stepwell.workflows")
PATIENT = ("-m", "tests.workflows.patient")
"""One that is not in a hurry at its end, as it is for its launcher's sake: see there."""


def start(
    server: MiniServer, group: Path, mode: str, program: tuple[str, str] = IMAGE, **more: str
) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "STEPWELL_MODE": mode,
        "STEPWELL_GROUP": str(group),
        "STEPWELL_URL": server.url,
        "STEPWELL_TOKEN": TOKEN,
        "STEPWELL_RUN_ID": str(server.run_id),
        "STEPWELL_DISCOVERY_ID": str(new_id()),
        **more,
    }
    return subprocess.Popen(
        [sys.executable, *program],
        env={name: value for name, value in environment.items() if value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def test_a_run_goes_through_its_operations_and_retries(server: MiniServer, tmp_path: Path) -> None:
    server.assign("sales", "load", limit=3)
    code, out, err = ended(start(server, write_group(tmp_path, GROUP), "run"))
    assert (code, out) == (0, "loading\nloading\n"), err
    steps = server.steps()
    assert steps["load"].result == "[0,1,2]"
    assert steps["total"].result == '"3 07:00"'
    assert steps["total"].created_by_step_id == steps["load"].id
    found = server.backend.read("workflow:sales", "last")
    assert found is not None
    assert found.value == 3
    assert [path.name for path in server.backend.reports] == ["rows.json"]
    with server.store.transaction() as tx:
        assert tx.claimed(new_id()) == []


def test_a_runner_sends_what_its_operations_write(server: MiniServer, tmp_path: Path) -> None:
    """A segment for each execution, closed, with how much of the output it is (R39)."""
    server.assign("sales", "load", limit=3)
    code, _, err = ended(start(server, write_group(tmp_path, GROUP), "run", PATIENT))
    assert code == 0, err
    sent = [server.segments[number] for number in sorted(server.segments)]
    assert [(about["operation"], about["execution"]) for about, _ in sent] == [
        ("load", "1"),
        ("load", "2"),
    ]
    assert [[one.text for one in lines] for _, lines in sent] == [["loading"], ["loading"]]
    assert [about["first_line"] for about, _ in sent] == ["0", "1"]
    assert [about["written"] for about, _ in sent] == ["8", "16"]
    assert {about["closed"] for about, _ in sent} == {"true"}


def test_what_an_operation_has_written_outlives_its_process(
    server: MiniServer, tmp_path: Path
) -> None:
    """Also in an image whose author knows nothing of PYTHONUNBUFFERED."""
    group = """
    @group.workflow
    class Doomed:
        @operation
        def die(self) -> None:
            print("last words")
            os.kill(os.getpid(), 9)
    """
    server.assign("doomed", "die")
    _, out, err = ended(start(server, write_group(tmp_path, group), "run"))
    assert out == "last words\n", err
    assert "SIGKILL" in str(server.steps()["die"].description)


def test_a_discovery_posts_the_manifest(server: MiniServer, tmp_path: Path) -> None:
    code, _, err = ended(start(server, write_group(tmp_path, GROUP), "discover"))
    assert code == 0, err
    manifest = load_manifest(server.posted["manifest"])
    assert [one.name for one in manifest.workflows] == ["sales", "slow"]


def test_a_broken_group_posts_its_error(server: MiniServer, tmp_path: Path) -> None:
    path = write_group(tmp_path, "print('importing')\n1 / 0")
    code, out, err = ended(start(server, path, "discover"))
    assert (code, out) == (2, "importing\n")
    assert server.posted["error"]["code"] == "group-import-failed"
    assert "shop.py:10" in server.posted["error"]["why"]
    assert "[group-import-failed]" in err
    assert "Traceback" not in err


def test_a_run_of_a_broken_group_shows_why_it_failed(server: MiniServer, tmp_path: Path) -> None:
    server.assign("sales", "load")
    code, _, err = ended(start(server, write_group(tmp_path, "1 / 0"), "run"))
    assert code == 2, err
    step = server.steps()["load"]
    assert step.ended_as is EndedAs.FAILED
    assert "ZeroDivisionError" in str(step.description)


def test_a_run_of_a_workflow_that_the_image_lacks_fails(server: MiniServer, tmp_path: Path) -> None:
    server.assign("sold", "load")
    code, _, err = ended(start(server, write_group(tmp_path, GROUP), "run"))
    assert code == 2
    assert "no workflow shop/sold" in str(server.steps()["load"].description)
    assert "[workflow-unknown]" in err


def test_a_revoked_token_stops_the_runner_and_its_operation(
    server: MiniServer, tmp_path: Path
) -> None:
    """A newer attempt runs: nothing of this one may go on."""
    mark = tmp_path / "mark"
    server.assign("slow", "wait", mark=str(mark))
    process = start(server, write_group(tmp_path, GROUP), "run")
    wait_for(lambda: mark.exists() and mark.read_text())
    server.revoked = True
    code, _, err = ended(process)
    assert code == 3
    assert "The token was revoked." in err
    assert server.steps()["wait"].status is StepStatus.READY
    wait_for(lambda: gone(int(mark.read_text())))


def test_a_wrong_token_ends_the_runner(server: MiniServer, tmp_path: Path) -> None:
    path = write_group(tmp_path, GROUP)
    for mode in ("run", "discover"):
        code, _, err = ended(start(server, path, mode, STEPWELL_TOKEN="guessed"))
        assert code == 3
        assert "That token is wrong. [denied]" in err


def test_sigterm_gives_the_claims_back_at_once(server: MiniServer, tmp_path: Path) -> None:
    """So that the next attempt need not wait until this one is declared dead."""
    mark = tmp_path / "mark"
    server.assign("slow", "wait", mark=str(mark))
    process = start(server, write_group(tmp_path, GROUP), "run", PATIENT)
    wait_for(lambda: mark.exists() and mark.read_text())
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 143
    step = server.steps()["wait"]
    assert (step.status, step.claimed_by) == (StepStatus.READY, None)
    wait_for(lambda: gone(int(mark.read_text())))


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("STEPWELL_MODE", "", "STEPWELL_MODE is not set"),
        ("STEPWELL_MODE", "walk", "STEPWELL_MODE is 'walk'"),
        ("STEPWELL_URL", "", "STEPWELL_URL is not set"),
        ("STEPWELL_RUN_ID", "one", "STEPWELL_RUN_ID is 'one'"),
    ],
)
def test_an_incomplete_environment_is_named(
    server: MiniServer, tmp_path: Path, variable: str, value: str, words: str
) -> None:
    code, _, err = ended(start(server, tmp_path, "run", IMAGE, **{variable: value}))
    assert code == 2
    assert words in err
    assert "Traceback" not in err
