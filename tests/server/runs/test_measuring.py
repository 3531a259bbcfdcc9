"""How the end of a run is measured, told and traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pod, settlement
from tests.server.support import on_both

from stepwell.ids import new_id
from stepwell.launchers.protocol import LaunchSpecInvalid
from stepwell.server.app import Server
from stepwell.server.database.tables import metrics_pending, occasions, runs
from stepwell.server.metrics import folding
from stepwell.server.runs import measuring
from stepwell.server.runs.judgement import Verdict
from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs
from stepwell.telemetry import run_spans
from stepwell.telemetry.run_spans import RunSpan, span_id

Pods = Callable[..., Pod]
Work = Callable[..., None]
NOW = datetime(2026, 3, 29, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured stays to be seen, however long a test takes: the fold comes every 15 s."""
    monkeypatch.setattr(folding, "fold", lambda conn, most: 0)


def told(server: Server) -> list[dict[str, Any]]:
    with server.db.read() as conn:
        rows = conn.execute(select(occasions).order_by(occasions.c.id)).mappings()
        return [dict(row) for row in rows]


def measured(server: Server, operation: str = "") -> list[str]:
    with server.db.read() as conn:
        mine = metrics_pending.c.operation == operation
        found = conn.execute(select(metrics_pending.c.what).where(mine)).scalars()
        return sorted(found)


@pytest.fixture
def fails(
    work: Work, launcher: PlayedLauncher, start: Start, pod: Pods
) -> Callable[..., dict[str, Any]]:
    """`fails()` is a run whose first operation has failed with a fingerprint."""

    def run(fingerprint: str | None = "abc", **given: Any) -> dict[str, Any]:
        one = start()
        work()
        about = {"description": "ValueError: no", "fingerprint": fingerprint, **given}
        pod(one).work(EndedAs.FAILED, **about)
        launcher.end(f"{one['id']}-1")
        work()
        return one

    return run


def succeed(work: Work, launcher: PlayedLauncher, start: Start, pod: Pods) -> dict[str, Any]:
    run = start()
    work()
    one = pod(run)
    one.work(then="load")
    one.work(then="report")
    one.work()
    launcher.end(f"{run['id']}-1")
    work()
    return run


@on_both
def test_a_failed_run_is_told_by_the_fingerprint_of_its_operation(
    server: Server, fails: Callable[..., dict[str, Any]]
) -> None:
    run = fails()
    (one,) = told(server)
    assert (one["kind"], one["cause"], str(one["run_id"])) == ("failure", "abc", run["id"])
    assert one["sentence"] == ("weather/nightly failed. The operation fetch failed: ValueError: no")
    assert measured(server).count("failed") == 1
    assert measured(server, "fetch") == ["failed"]


@on_both
def test_the_next_success_is_a_recovery(
    server: Server,
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    pod: Pods,
    fails: Callable[..., dict[str, Any]],
) -> None:
    fails()
    run = succeed(work, launcher, start, pod)
    failure, recovery = told(server)
    assert (recovery["kind"], recovery["cause"]) == ("recovery", "abc")
    assert str(recovery["run_id"]) == run["id"]
    assert failure["passed_at"] is not None


def test_a_success_without_a_failure_tells_nothing(
    server: Server, work: Work, launcher: PlayedLauncher, start: Start, pod: Pods
) -> None:
    succeed(work, launcher, start, pod)
    assert told(server) == []
    assert "succeeded" in measured(server)


def test_what_the_launcher_refuses_is_one_cause(
    server: Server, work: Work, launcher: PlayedLauncher, start: Start
) -> None:
    """Whatever ids and sizes its message has."""
    for number in (1, 2):
        launcher.fault = LaunchSpecInvalid(f"No room: {number}00 MiB are missing.")
        start()
        work()
    causes = {one["cause"] for one in told(server)}
    assert len(told(server)) == 2
    assert len(causes) == 1


def test_an_attempt_that_is_tried_again_counts_as_a_retry(
    server: Server, work: Work, start: Start, pod: Pods
) -> None:
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    one.settle(settlement(step, None, failure_count=1, schedule_time=NOW))
    assert measured(server, "fetch") == ["retried"]


def test_a_trial_is_neither_measured_nor_told(
    server: Server, fails: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "is_measured", lambda run: False)
    fails()
    assert told(server) == []
    assert measured(server) == measured(server, "fetch") == []


def test_a_reexecution_says_nothing_of_rates(
    server: Server, fails: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first part was done before; what failed once has failed once."""
    monkeypatch.setattr(measuring, "is_reexecution", lambda run: True)
    fails()
    assert measured(server) == ["retried"]
    assert measured(server, "fetch") == ["failed"]
    assert len(told(server)) == 1


# -- the pure part -----------------------------------------------------------------


def header(**more: Any) -> Any:
    return {
        "id": new_id(),
        "group_name": "weather",
        "workflow": "nightly",
        "trigger": "schedule",
        "due_at": NOW,
        "created_at": NOW + timedelta(seconds=2),
        "started_at": None,
        "release_id": new_id(),
        "attempt": 2,
        **more,
    }


def instants(first: int, *, waited_for: str | None = None, lined_up: int | None = None) -> Any:
    at = [NOW + timedelta(seconds=first + n) for n in (0, 3, 10, 60)]
    names = ("queued_at", "launched_at", "started_at", "finished_at")
    up = None if lined_up is None else NOW + timedelta(seconds=lined_up)
    return {
        "number": 1,
        "waited_for": waited_for,
        "lined_up_at": up,
        **dict(zip(names, at, strict=True)),
    }


def waits(run: Any, *attempts: Any) -> list[tuple[str, float]]:
    return [(one.reason, one.seconds) for one in measuring.waits(run, attempts, NOW)]


def test_waiting_is_split_into_what_was_waited_for() -> None:
    found = waits(header(), instants(5), instants(100))
    assert found == [
        ("late", 2.0),
        ("queued", 3.0),
        ("launching", 3.0),
        ("starting", 7.0),
        ("retry", 35.0),
        ("launching", 3.0),
        ("starting", 7.0),
    ]


def test_a_limit_and_an_approval_are_waited_for_apart() -> None:
    found = waits(header(trigger="request"), instants(50, waited_for="approval", lined_up=32))
    assert found[:2] == [("approval", 30.0), ("limit", 18.0)]


def test_a_reason_has_the_same_cause_whatever_its_numbers_are() -> None:
    run, texts = (
        header(),
        ["lost after 12.5 s at 01a2-b3c4d5e6f7a8", "lost after 7 s at 0f0f0f0f0f0f"],
    )
    one, other = (measuring.cause(run, Verdict(RunState.FAILED, text)) for text in texts)
    different = measuring.cause(run, Verdict(RunState.FAILED, "out of memory"))
    assert one == other != different


# -- traces ------------------------------------------------------------------------


@pytest.fixture
def spans() -> Iterator[list[RunSpan]]:
    found: list[RunSpan] = []
    end = run_spans.listen(found.extend)
    yield found
    end()


@on_both
def test_a_run_is_a_trace_from_its_due_instant_to_its_operations(
    server: Server,
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    pod: Pods,
    spans: list[RunSpan],
) -> None:
    run = start()
    run_id = UUID(run["id"])
    with server.db.write() as conn:
        conn.execute(update(runs).values(trigger="schedule"))
    work()
    environment = launcher.specs[f"{run['id']}-1"].environment
    one = pod(run)
    one.work(then="load")
    one.work(EndedAs.FAILED, description="ValueError: no")
    launcher.end(f"{run['id']}-1")
    work()
    by_name = {span.name: span for span in spans}
    assert list(by_name) == ["due", "run weather/nightly", "attempt 1", "fetch", "load"]
    assert {span.trace_id for span in spans} == {run_id.int}
    parents = [span.parent_id for span in spans]
    attempt = span_id(run_id, "attempt", 1)
    assert parents == [None, span_id(run_id, "tick"), span_id(run_id, "run"), attempt, attempt]
    assert by_name["load"].error == "ValueError: no"
    assert environment["TRACEPARENT"] == f"00-{run_id.int:032x}-{attempt:016x}-01"


def test_a_container_gets_no_parent_where_nobody_traces(
    work: Work, launcher: PlayedLauncher, start: Start
) -> None:
    run = start()
    work()
    assert "TRACEPARENT" not in launcher.specs[f"{run['id']}-1"].environment
