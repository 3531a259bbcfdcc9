"""A run without a server: R32 (order, names, halting) and R38 (what commits with success)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.support import Hurry, write_group

from stepwell.errors import StepwellError
from stepwell.events import Event
from stepwell.step import Claim
from stepwell.workflows import host
from stepwell.workflows.local import RunResult, run_local
from stepwell.workflows.local_backend import LocalBackend, StateFileBroken
from stepwell.workflows.reports import Report

Run = Callable[..., RunResult]

GROUP = """
    @dataclass
    class Row:
        day: date
        amount: float

    @group.workflow
    class Sales:
        day: date
        limit: int = 2

        @operation
        def load_rows(self, day: date) -> list[Row]:
            return [Row(day, 1.5)] * self.limit

        @operation(output="sum")
        def total(self, load_rows: list[Row], ctx: Context) -> float:
            assert all(isinstance(one.day, date) for one in load_rows)
            ctx.state.save("runs", ctx.state.get("runs", default=0) + 1)
            ctx.report.table("rows", load_rows and [{"amount": r.amount} for r in load_rows])
            return sum(one.amount for one in load_rows)

        @operation
        def tell(self, sum: float, limit: int, context: Context) -> str:
            return f"{self.day:%d.%m.} {sum} {limit} {context.attempt}"

    @group.workflow
    class Fragile:
        tries: int = 1

        @operation(retries=1)
        def first(self, ctx: Context, tries: int) -> int:
            ctx.state.save("attempts", ctx.attempt)
            ctx.report.text(f"attempt-{ctx.attempt}", "")
            if ctx.attempt < tries:
                raise ConnectionError("not yet")
            return ctx.attempt

        @operation(halt_on_error=False)
        def second(self, ctx: Context) -> int:
            ctx.state.save("second", True)
            ctx.report.text("second", "")
            raise ValueError("always")

        @operation
        def third(self, first: int, second: int = 40) -> int:
            return first + second

        @operation
        def fourth(self, second: int) -> int:
            return second

        @operation
        def fifth(self, fourth: int = 0) -> int:
            return fourth

    @group.workflow
    class Swap:
        version: int

        @operation(retries=1)
        def change(self, ctx: Context, version: int) -> int:
            ctx.state.save("it", ctx.attempt, expect_version=version if ctx.attempt == 1 else None)
            ctx.report.text("changed", str(ctx.attempt))
            return ctx.attempt

    @group.workflow
    class Wrong:
        @operation(retries=3, halt_on_error=False)
        def misfits(self) -> int:
            return "many"

        @operation(retries=3, halt_on_error=False)
        def large(self) -> str:
            return "x" * 300_000

        @operation
        def dies(self) -> None:
            os._exit(9)

    @group.workflow
    class Slow:
        @operation(timeout=600.0, halt_on_error=False)
        def sleeps(self, ctx: Context) -> None:
            import time
            ctx.report.text("why", "step 1", on_failure=True)
            ctx.report.text("why", "step 2", on_failure=True)
            ctx.report.text("rows", "none")
            time.sleep(600)

        @operation
        def goes_well(self, ctx: Context) -> None:
            ctx.report.text("good", "", on_failure=True)

    @group.workflow
    class Keeps:
        @operation
        def keep(self, ctx: Context) -> None:
            ctx.state.save("now", 1, now=True)
            ctx.state.save("later", 1)
            raise ValueError("after all")
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a workflow of the group above, with state that lasts for the test."""
    path = write_group(tmp_path, GROUP)

    def run_it(workflow: str, **parameters: Any) -> RunResult:
        return run_local(
            path,
            workflow,
            parameters,
            reports_dir=tmp_path / "reports",
            state_file=tmp_path / "state.json",
        )

    return run_it


def outcomes(result: RunResult) -> list[str]:
    return [one.outcome for one in result.operations]


def state(tmp_path: Path) -> dict[str, Any]:
    rows = json.loads((tmp_path / "state.json").read_text())["entries"]
    return {row["key"]: row["value"] for row in rows}


def test_values_flow_by_name_and_come_back_as_their_types(run: Run, tmp_path: Path) -> None:
    result = run("Sales", day="2026-01-31", limit="3")
    assert (result.state, result.warnings) == ("succeeded", 0)
    assert result.operations[-1].result == "31.01. 4.5 3 1"
    assert all(one.duration is not None for one in result.operations)
    assert [path.name for path in result.reports] == ["rows.json"]
    assert json.loads(result.reports[0].read_text())["columns"] == ["amount"]
    assert state(tmp_path) == {"runs": 1}


def test_state_lasts_from_run_to_run(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        run("sales", day="2026-01-31")
    assert state(tmp_path) == {"runs": 2}


def test_a_failure_that_does_not_halt_is_a_warning(run: Run) -> None:
    """A consumer with a default runs with it; any other is skipped, and so on from there."""
    result = run("fragile")
    assert outcomes(result) == ["done", "failed", "done", "skipped", "done"]
    assert [one.result for one in result.operations] == [1, None, 41, None, 0]
    assert (result.state, result.warnings) == ("succeeded", 2)
    assert (result.operations[1].error or "").startswith("ValueError: always\n  ")
    assert result.operations[3].error == (
        "Skipped: it needs 'second', which 'second' has not given."
    )


def test_a_retry_sees_nothing_that_the_failed_attempt_wrote(run: Run, tmp_path: Path) -> None:
    """Nor does a failed operation leave anything (R38)."""
    result = run("fragile", tries=2)
    assert result.operations[0].attempts == 2
    assert [path.name for path in result.reports] == ["attempt-2.txt"]
    assert state(tmp_path) == {"attempts": 2}


def test_attempts_that_are_used_up_halt_the_run(run: Run) -> None:
    result = run("fragile", tries=9)
    assert outcomes(result) == ["failed", *["not run"] * 4]
    assert result.state == "failed"
    assert result.operations[0].attempts == 2


def test_a_stale_version_is_a_failed_attempt_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    """The attempt after it reads anew."""
    result = run("swap", version=5)
    assert (result.state, result.operations[0].result) == ("succeeded", 2)
    assert state(tmp_path) == {"it": 2}
    assert [path.read_text() for path in result.reports] == ["2"]


def test_a_version_that_still_holds_is_swapped(run: Run, tmp_path: Path) -> None:
    assert run("swap", version=0).operations[0].result == 1
    assert run("swap", version=1).operations[0].result == 1
    assert state(tmp_path) == {"it": 1}


def test_what_would_fail_again_is_not_retried_and_still_need_not_halt(run: Run) -> None:
    """R4: a value that cannot be kept fails its operation with the remedy."""
    result = run("wrong")
    assert outcomes(result) == ["failed", "done", "failed"]
    assert [one.attempts for one in result.operations] == [1, 1, 1]
    assert "does not fit int" in (result.operations[0].error or "")
    assert result.operations[1].result == "x" * 300_000, "kept by reference (R38)"
    assert "exit code 9" in (result.operations[2].error or "")
    assert result.state == "failed"


def test_an_operation_that_runs_out_of_time_leaves_what_tells_why(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bytes] = []
    keep = LocalBackend.report

    def report(backend: LocalBackend, claim: Claim, report: Report) -> None:
        keep(backend, claim, report)
        told.append(report.content)

    monkeypatch.setattr(LocalBackend, "report", report)
    monkeypatch.setattr(host, "time", Hurry(lambda: b"step 2" in told))
    reports = run("slow").reports
    assert [(path.name, path.read_text()) for path in reports] == [
        ("why.txt", "step 2"),
        ("good.txt", ""),
    ]


def test_what_is_saved_now_stays_when_the_operation_fails(run: Run, tmp_path: Path) -> None:
    assert run("keeps").state == "failed"
    assert state(tmp_path) == {"now": 1}


@pytest.mark.parametrize(
    ("workflow", "parameters", "code"),
    [
        ("nowhere", {}, "workflow-unknown"),
        ("sales", {}, "parameters-invalid"),
        ("sales", {"day": "2026-02-30"}, "parameters-invalid"),
        ("sales", {"day": "2026-02-03", "dya": 1}, "parameters-invalid"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    run: Run, tmp_path: Path, workflow: str, parameters: dict[str, Any], code: str
) -> None:
    with pytest.raises(StepwellError) as caught:
        run(workflow, **parameters)
    assert caught.value.code == code
    assert not (tmp_path / "reports").exists()


def test_a_state_file_that_cannot_be_read_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{broken")
    with pytest.raises(StateFileBroken):
        run("sales", day="2026-01-31")
    assert (tmp_path / "state.json").read_text() == "{broken"


def test_events_tell_of_each_execution(tmp_path: Path) -> None:
    heard: list[Event] = []
    run_local(
        write_group(tmp_path, GROUP),
        "sales",
        {"day": "2026-01-31"},
        reports_dir=tmp_path,
        on_event=heard.append,
    )
    executed = [one.fields["name"] for one in heard if one.name == "step.executed"]
    assert executed == [f"v1/shop/sales/{name}" for name in ("load-rows", "total", "tell")]
