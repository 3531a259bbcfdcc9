"""R14: the group's code runs in a process of its own, which may block, crash or be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.engine.signals import gone, wait_for
from tests.pipes import readable
from tests.workflows.support import Hurry, write_group

from stepwell.errors import StepwellError
from stepwell.workflows import host
from stepwell.workflows.channel import Channel, Message
from stepwell.workflows.context import Facts, Versioned, Write
from stepwell.workflows.errors import (
    AttemptFailed,
    GroupImportFailed,
    GroupInvalid,
    ParametersInvalid,
    ProcessEnded,
    StateConflict,
    TimedOut,
    ValueMisfit,
    WorkflowUnknown,
)
from stepwell.workflows.host import ChildHost
from stepwell.workflows.messages import Call, Effects
from stepwell.workflows.reports import Report

SALES = """
    @group.workflow
    class Sales:
        day: date = date(2026, 1, 31)

        @operation
        def well(self, ctx: Context) -> dict[str, int]:
            print("hello")
            print("trouble", file=sys.stderr)
            ctx.state.save("seen", ctx.state.get("seen", default=0) + 1)
            ctx.report.text("notes", "all is well")
            ctx.progress(1, 2, "half")
            return {"day": self.day.day, "pid": os.getpid()}

        @operation
        async def later(self, well: dict[str, int]) -> int:
            import asyncio
            await asyncio.sleep(0)
            return well["day"]

        @operation
        def raises(self, ctx: Context) -> None:
            ctx.state.save("seen", "never")
            inner()

        @operation
        def leaves(self) -> None:
            sys.exit(3)

        @operation
        def dies(self, ctx: Context) -> None:
            ctx.report.text("why", "soon", on_failure=True)
            ctx.report.text("notes", "all is well")
            os._exit(7)

        @operation
        def vanishes(self, ctx: Context) -> None:
            ctx.progress(1, 2, "so far")
            os._exit(7)

        @operation
        def slow(self, ctx: Context) -> None:
            ctx.report.text("why", "too slow", on_failure=True)
            ctx.report.text("notes", "all is well")
            time.sleep(600)

        @operation
        def waits(self) -> None:
            import subprocess
            sleeper = subprocess.Popen(["sleep", "600"])
            Path(os.environ["MARK"]).write_text(f"{os.getpid()} {sleeper.pid}")
            time.sleep(600)

        @operation
        def misfits(self) -> int:
            return "many"

        @operation
        def swaps(self, ctx: Context) -> None:
            ctx.state.save("seen", 1, expect_version=1, now=True)

    def inner():
        raise ValueError("no sales")
"""


class Desk:
    """Serves calls from a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Versioned] = {}
        self.told: list[tuple[float, float | None, str]] = []
        self.reports: list[Report] = []

    def read(self, scope: str, key: str) -> Versioned | None:
        return self.entries.get((scope, key))

    def keys(self, scope: str, prefix: str) -> list[str]:
        return sorted(k for s, k in self.entries if s == scope and k.startswith(prefix))

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def write_now(self, write: Write) -> None:
        raise StateConflict("The state 'seen' has changed.")

    def progress(self, done: float, total: float | None, note: str) -> None:
        self.told.append((done, total, note))


class Shop:
    """A host for the group, with its output and its mark."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[tuple[str, str]] = []
        self.mark = folder / "mark"
        self.desk = Desk()
        self.host = ChildHost(
            write_group(folder, SALES),
            echo=lambda stream, line: self.lines.append((stream, line)),
            environment={**os.environ, "MARK": str(self.mark), "STEPWELL_TOKEN": "secret"},
        )

    def run(self, operation: str, timeout: float | None = None, **inputs: Any) -> Effects:
        facts = Facts(run_id=uuid4(), group="shop", workflow="sales", operation=operation)
        call = Call(facts=facts, parameters={}, inputs=inputs)
        return self.host.run(call, self.desk, timeout)

    def pids(self) -> list[int]:
        """Of the operation that waits, and of what it has started; once it has."""
        wait_for(self.mark.exists)
        wait_for(lambda: " " in self.mark.read_text())
        return [int(one) for one in self.mark.read_text().split()]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.host.stop()


def test_an_operation_gives_its_value_and_what_commits_with_it(shop: Shop) -> None:
    shop.desk.entries["workflow", "seen"] = Versioned(4, 1)
    effects = shop.run("well")
    assert effects.result["day"] == 31
    assert effects.result["pid"] != os.getpid()
    assert [(one.key, one.value) for one in effects.writes] == [("seen", 5)]
    assert [(one.name, one.content) for one in effects.reports] == [("notes", b"all is well")]
    assert shop.desk.told == [(1, 2, "half")]


def test_its_output_comes_through_line_by_line(shop: Shop) -> None:
    shop.run("well")
    wait_for(lambda: len(shop.lines) == 2)
    assert sorted(shop.lines) == [("stderr", "trouble\n"), ("stdout", "hello\n")]


def test_the_same_process_serves_the_whole_run(shop: Shop) -> None:
    assert shop.run("well").result["pid"] == shop.run("well").result["pid"]


def test_coroutines_are_operations_too(shop: Shop) -> None:
    assert shop.run("later", well={"day": 3}).result == 3


def test_an_exception_is_told_with_the_users_frames_only(shop: Shop) -> None:
    with pytest.raises(AttemptFailed) as caught:
        shop.run("raises")
    lines = str(caught.value).splitlines()
    assert lines[0] == "ValueError: no sales"
    assert [line.split(" in ")[1] for line in lines[1:]] == [
        "raises: inner()",
        'inner: raise ValueError("no sales")',
    ]


def test_an_operation_that_calls_exit_has_failed_and_no_more(shop: Shop) -> None:
    with pytest.raises(AttemptFailed, match="SystemExit: 3"):
        shop.run("leaves")
    assert shop.run("well").result["day"] == 31


def test_a_process_that_ends_itself_fails_the_attempt_with_words(shop: Shop) -> None:
    with pytest.raises(ProcessEnded, match="ended by itself with exit code 7"):
        shop.run("dies")


def test_a_kill_in_the_middle_fails_the_attempt_and_the_next_one_runs(shop: Shop) -> None:
    """With the real signal, on the real process."""
    errors: list[StepwellError] = []

    def run() -> None:
        try:
            shop.run("waits")
        except StepwellError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    operation, sleeper = shop.pids()
    os.kill(operation, signal.SIGKILL)
    thread.join(timeout=90)
    assert [one.code for one in errors] == ["process-ended"]
    assert "The process that ran it was ended by signal 9 (SIGKILL)." in str(errors[0])
    assert "memory" in errors[0].fix
    wait_for(lambda: gone(sleeper))
    assert shop.run("well").result["pid"] != operation


def test_a_timeout_ends_the_process_and_all_that_it_has_started(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.host.manifest()
    begun = Hurry(lambda: shop.mark.exists() and " " in shop.mark.read_text())
    monkeypatch.setattr(host, "time", begun)
    with pytest.raises(TimedOut, match="longer than 600 s"):
        shop.run("waits", timeout=600.0)
    wait_for(lambda: all(map(gone, shop.pids())))
    assert shop.run("well").result["day"] == 31


@pytest.mark.parametrize("operation", ["slow", "dies"])
def test_what_tells_why_is_handed_over_before_the_process_is_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """The reports that are kept on failure, and no others."""
    shop.host.manifest()
    told = Hurry(lambda: operation == "slow" and shop.desk.reports)
    monkeypatch.setattr(host, "time", told)
    with pytest.raises(AttemptFailed):
        shop.run(operation, timeout=600.0)
    assert [one.name for one in shop.desk.reports] == ["why"]


class Late:
    """A channel whose reader is held up: it looks when all has happened, and its time is over."""

    def __init__(self, channel: Channel, until: Callable[[], Any]) -> None:
        self.channel, self.until = channel, until

    def receive(self, timeout: float | None = None) -> Message:
        if timeout:
            wait_for(self.until)
            raise TimeoutError
        return self.channel.receive(timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.channel, name)


def held_up(shop: Shop, also: Callable[[], bool] = lambda: True) -> threading.Event:
    """Nobody looks until something was sent and `also` holds; set when it has come to that."""
    channel = shop.host._channel
    assert channel is not None
    late = threading.Event()

    def happened() -> bool:
        if readable([channel._socket], 0.0) and also():
            late.set()
        return late.is_set()

    shop.host._channel = Late(channel, happened)  # type: ignore[assignment]
    return late


@pytest.mark.parametrize("operation", ["slow", "vanishes"])
def test_what_was_told_before_an_end_is_heard_though_nobody_came_to_it_in_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """As on a machine that does not let the engine's process run for a while."""
    shop.host.manifest()
    process = shop.host._process
    assert process is not None
    late = held_up(shop, lambda: operation == "slow" or gone(process.pid))
    monkeypatch.setattr(host, "time", Hurry(lambda: operation == "slow" and late.is_set()))
    with pytest.raises(AttemptFailed):
        shop.run(operation, timeout=600.0)
    reports = [one.name for one in shop.desk.reports]
    assert (reports or shop.desk.told) == (["why"] if operation == "slow" else [(1, 2, "so far")])


def test_an_operation_that_had_ended_in_time_is_done_though_nobody_came_to_hear_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not the operation that took longer."""
    shop.host.manifest()
    monkeypatch.setattr(host, "time", Hurry(held_up(shop).is_set))
    assert shop.run("later", timeout=600.0, well={"day": 3}).result == 3


def test_an_operation_goes_on_when_it_is_known_what_became_of_what_tells_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be killed at the next line, and the runner that it has told with it."""

    def refuse(report: Report) -> None:
        raise ValueMisfit(f"Nobody takes {report.name}.")

    monkeypatch.setattr(shop.desk, "report", refuse)
    with pytest.raises(AttemptFailed, match=r"ValueMisfit: Nobody takes why\."):
        shop.run("dies")


def test_the_process_ends_when_the_engines_process_is_killed(shop: Shop, tmp_path: Path) -> None:
    program = tmp_path / "engine.py"
    program.write_text(
        "import sys, uuid\n"
        "from pathlib import Path\n"
        "from stepwell.workflows.context import Facts\n"
        "from stepwell.workflows.host import ChildHost\n"
        "from stepwell.workflows.messages import Call\n"
        "facts = Facts(run_id=uuid.uuid4(), group='shop', workflow='sales', operation='waits')\n"
        "call = Call(facts=facts, parameters={}, inputs={})\n"
        "ChildHost(Path(sys.argv[1])).run(call, None)\n"
    )
    engine = subprocess.Popen(
        [sys.executable, program, tmp_path / "shop.py"],
        env={**os.environ, "MARK": str(shop.mark)},
    )
    pids = shop.pids()
    engine.kill()
    engine.wait()
    wait_for(lambda: all(map(gone, pids)))


def test_a_result_that_does_not_fit_is_told_apart_from_an_exception(shop: Shop) -> None:
    """It would be the same at the next attempt."""
    with pytest.raises(ValueMisfit):
        shop.run("misfits")


def test_an_error_of_a_call_is_raised_in_the_operation(shop: Shop) -> None:
    with pytest.raises(AttemptFailed, match=r"StateConflict: The state 'seen' has changed\."):
        shop.run("swaps")


def test_the_users_code_does_not_get_the_token(shop: Shop, tmp_path: Path) -> None:
    path = write_group(tmp_path, "os.environ['STEPWELL_TOKEN']", "nosy.py")
    environment = {**os.environ, "STEPWELL_TOKEN": "secret"}
    with pytest.raises(GroupImportFailed, match="STEPWELL_TOKEN"):
        ChildHost(path, environment=environment).manifest()


def test_parameters_are_read_as_their_types(shop: Shop) -> None:
    assert shop.host.parameters("sales", {"day": "2026-02-01"}) == {"day": "2026-02-01"}
    with pytest.raises(ParametersInvalid) as caught:
        shop.host.parameters("sales", {"day": "soon", "dya": 1})
    codes = [one.code for one in caught.value.problems]
    assert sorted(codes) == ["parameter-invalid", "parameter-unknown"]
    with pytest.raises(WorkflowUnknown):
        shop.host.parameters("sale", {})


def test_what_a_group_gets_wrong_is_told_with_every_problem(tmp_path: Path) -> None:
    path = write_group(
        tmp_path,
        """
        @group.workflow
        class Sales:
            @operation
            def load(self, rows: int) -> Nowhere: ...
        """,
    )
    with pytest.raises(GroupInvalid) as caught:
        ChildHost(path).manifest()
    assert [one.code for one in caught.value.problems] == ["input-unbound", "type-unknown"]
    assert json.dumps(caught.value.as_dict())


def test_a_module_that_crashes_while_it_is_imported_is_told(tmp_path: Path) -> None:
    path = write_group(tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(GroupImportFailed) as caught:
        ChildHost(path).manifest()
    assert "signal 11 (SIGSEGV)" in caught.value.why


def test_a_module_that_never_ends_its_import_is_told(tmp_path: Path) -> None:
    path = write_group(tmp_path, "time.sleep(600)")
    with pytest.raises(TimedOut, match="takes longer than 2 s to import"):
        ChildHost(path).manifest(timeout=2.0)
