"""How a run is watched over: attempts, losses, deadlines, cancelling (R33, R34)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pods, Work, pass_time, rows, settlement
from tests.server.support import on_both

from stepwell import clock
from stepwell.launchers.protocol import LaunchStatus
from stepwell.outcome import Rerun
from stepwell.server.app import Server
from stepwell.server.runs.supervision import Supervision
from stepwell.step import EndedAs, StepQuery


@on_both
def test_a_run_goes_from_its_request_to_its_end(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods
) -> None:
    """Waiting, starting, running, succeeded; each phase has its instant (R33, R40)."""
    run = start()
    assert run["state"] == "waiting"
    work()
    assert show(run)["state"] == "starting"
    one = pod(run)
    one.work(then="load")
    assert show(run)["state"] == "running"
    one.work(then="report")
    one.work()
    launcher.end(f"{run['id']}-1")
    work()
    after = show(run)
    assert (after["state"], after["warnings"], after["reason"]) == ("succeeded", 0, None)
    (attempt,) = after["attempts"]
    phases = ["queued_at", "launched_at", "started_at", "finished_at"]
    instants = [after["due_at"], *(attempt[name] for name in phases)]
    assert instants == sorted(instants)
    assert attempt["exit"]["code"] == 0


def test_the_container_gets_its_run_its_token_and_its_time(
    work: Work, launcher: PlayedLauncher, start: Start, server: Server
) -> None:
    run = start()
    work()
    spec = launcher.specs[f"{run['id']}-1"]
    assert spec.image == "group.py@sha256:0"
    assert spec.mode == "run"
    assert spec.environment["STEPWELL_RUN_ID"] == run["id"]
    assert spec.environment["STEPWELL_URL"] == server.settings.url_for_images
    assert spec.environment["STEPWELL_TOKEN"].startswith("swr_1_")
    assert 86_300 < spec.deadline_seconds <= 86_400


@on_both
def test_a_lost_container_is_followed_by_another_one(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods
) -> None:
    """Its claim is given back, and attempt 2 resumes at the operation that was lost."""
    run = start()
    work()
    first = pod(run)
    first.work(then="load")
    held = first.claim()
    launcher.end(f"{run['id']}-1", None, "It was killed.")
    work()
    second = pod(run, attempt=2)
    again = second.claim()
    assert again.id == held.id
    assert show(run)["attempts"][0]["exit"]["lost"] == [str(held.id)]


def test_a_container_that_was_lost_cannot_settle_any_more(
    work: Work, launcher: PlayedLauncher, start: Start, pod: Pods
) -> None:
    """Its token fell with the attempt (R35)."""
    run = start()
    work()
    first = pod(run)
    held = first.claim()
    launcher.end(f"{run['id']}-1", None, "It was killed.")
    work()
    late = first.ask("settle", engine_id=first.engine_id, settlements=[settlement(held)])
    assert (late.status_code, late.json()["code"]) == (403, "run-token-revoked")


def test_a_server_that_was_declared_dead_opens_no_attempt_beside_that_of_its_successor(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Start,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was paused between asking the launcher and writing down what it said (R33)."""
    run = start()
    work()
    launcher.end(f"{run['id']}-1", None, "It was killed.")
    logs, pauses = launcher.logs, [True]

    def paused(handle: dict[str, Any]) -> str:
        if pauses and pauses.pop():
            Supervision(server.services, UUID(run["id"])).move()
        return logs(handle)

    monkeypatch.setattr(launcher, "logs", paused)
    Supervision(server.services, UUID(run["id"])).move()
    after = show(run)
    assert [one["number"] for one in after["attempts"]] == [1, 2]
    assert after["attempts"][1]["finished_at"] is None
    assert sorted(launcher.specs) == [f"{run['id']}-1", f"{run['id']}-2"]


@on_both
def test_three_lost_containers_at_one_operation_fail_the_run(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, server: Server
) -> None:
    """With what the launcher said last, and the end of the output (R15)."""
    run = start()
    for number in (1, 2, 3):
        work()
        launcher.end(f"{run['id']}-{number}", -9, "It was killed (SIGKILL).")
    work()
    after = show(run)
    assert after["state"] == "failed"
    assert "lost 3 times at fetch" in after["reason"]
    assert "SIGKILL" in after["reason"]
    assert f"output of {run['id']}-3" in after["reason"]
    assert [step.ended_as for step in rows(server, run)] == [EndedAs.FAILED]


def test_losses_are_counted_for_each_operation(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods
) -> None:
    """Two lost at one and two at the next are not three (R15)."""
    run = start()
    for number in (1, 2):
        work()
        launcher.end(f"{run['id']}-{number}", -9, "Killed.")
    work()
    pod(run, attempt=3).work(then="load")
    launcher.end(f"{run['id']}-3", -9, "Killed.")
    work()
    launcher.end(f"{run['id']}-4", -9, "Killed.")
    work()
    assert (show(run)["state"], show(run)["attempt"]) == ("starting", 5)


def test_an_image_that_cannot_run_the_workflow_is_not_tried_again(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start
) -> None:
    """Exit code 2 says that the mistake is in the image."""
    run = start()
    work()
    launcher.end(f"{run['id']}-1", 2, "It ended with exit code 2.")
    work()
    assert show(run)["state"] == "failed"
    assert show(run)["attempt"] == 1


def test_a_retry_in_the_far_future_ends_the_container_and_starts_it_again_when_due(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods, server: Server
) -> None:
    """The run waits meanwhile, and has lost nothing (R33)."""
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    due = clock.now() + timedelta(hours=1)
    one.settle(settlement(step, None, failure_count=1, schedule_time=due, description="later"))
    launcher.end(f"{run['id']}-1")
    work()
    assert (show(run)["state"], show(run)["attempt"]) == ("waiting", 1)
    assert show(run)["attempts"][0]["exit"]["lost"] == []
    assert one.ask("claimed", engine_id=one.engine_id).json()["code"] == "run-token-revoked"
    with server.db.store.transaction() as tx:
        (supervisor,) = tx.search(StepQuery(name="v1/server/supervise"))
        assert supervisor.schedule_time == due
        for waiting in (step.id, supervisor.id):
            tx.reschedule(waiting, clock.now())  # as if the hour had passed
    work(lambda: show(run)["attempt"] == 2)
    assert show(run)["state"] == "starting"


def test_a_run_past_its_deadline_fails_and_its_container_is_stopped(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Start,
    pod: Pods,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = start()
    work()
    pod(run).claim()
    pass_time(monkeypatch, 90_000)
    Supervision(server.services, UUID(run["id"])).move()
    assert set(launcher.stopped) == {f"{run['id']}-1"}
    assert show(run)["state"] == "running"
    launcher.end(f"{run['id']}-1", -15, "It was stopped on request.")
    Supervision(server.services, UUID(run["id"])).move()
    after = show(run)
    assert (after["state"], after["reason"]) == (
        "failed",
        "It ran longer than its deadline of 86400 s.",
    )
    assert [step.ended_as for step in rows(server, run)] == [EndedAs.FAILED]


def test_a_container_that_stays_when_all_is_done_is_stopped(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Start,
    pod: Pods,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It gets half a minute to end by itself."""
    run = start()
    work()
    one = pod(run)
    one.work(then="load")
    one.work(then="report")
    one.work()
    Supervision(server.services, UUID(run["id"])).move()
    assert not launcher.stopped
    pass_time(monkeypatch, 60)
    Supervision(server.services, UUID(run["id"])).move()
    assert set(launcher.stopped) == {f"{run['id']}-1"}


def test_a_container_out_of_touch_is_stopped_and_replaced(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    pod: Pods,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its process lives, but what is due lies there for a minute: its server may have moved."""

    def look(before: dict[str, str] | None = None) -> dict[str, str] | None:
        outcome = Supervision(server.services, UUID(run["id"]), before).move()
        assert isinstance(outcome, Rerun)
        return outcome.state["silence"] if isinstance(outcome.state, dict) else None

    run = start()
    work()
    one = pod(run)
    held = one.claim()
    assert look() is None
    one.settle(settlement(held, then="load"))
    between = look()
    one.work(then="report")
    pass_time(monkeypatch, 61)
    silence = look(between)
    assert not launcher.stopped
    pass_time(monkeypatch, 61)
    look(silence)
    assert launcher.stopped == [f"{run['id']}-1"]


def test_a_container_that_takes_its_time_to_start_is_left_alone(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pulling an image may take minutes."""
    run = start()
    work()
    pass_time(monkeypatch, 600)
    outcome = Supervision(server.services, UUID(run["id"])).move()
    assert isinstance(outcome, Rerun)
    assert (outcome.state["silence"], launcher.stopped) == (None, [])


def test_activating_an_operation_by_hand_starts_its_container_now(
    work: Work, launcher: PlayedLauncher, client: TestClient, start: Start, show: Start, pod: Pods
) -> None:
    """The supervising step is touched in the same transaction (R33)."""
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    due = clock.now() + timedelta(hours=2)
    one.settle(settlement(step, None, failure_count=1, schedule_time=due))
    launcher.end(f"{run['id']}-1")
    work()
    assert show(run)["state"] == "waiting"
    answer = client.post(f"/steps/{step.id}/activations", json={})
    assert answer.status_code < 300, answer.text
    work()
    assert (show(run)["state"], show(run)["attempt"]) == ("starting", 2)


def test_the_watch_wakes_the_supervisor_of_what_has_ended(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods
) -> None:
    """Nobody has settled anything: only the launcher knows (R33)."""
    run = start()
    work()
    launcher.end(f"{run['id']}-1", 2, "It ended with exit code 2.")
    work(lambda: show(run)["state"] == "failed")


def test_a_launch_that_cannot_be_asked_about_does_not_end_the_watch_over_the_others(
    server: Server,
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd, other = start(), start()
    work()
    poll = launcher.poll

    def puzzled(handle: dict[str, Any]) -> LaunchStatus:
        if handle["name"].startswith(odd["id"]):
            raise OSError("Input/output error")
        return poll(handle)

    monkeypatch.setattr(launcher, "poll", puzzled)
    launcher.end(f"{other['id']}-1", 2)
    work()
    assert show(other)["state"] == "failed"


def test_the_watch_rests_while_nothing_runs(server: Server, work: Work) -> None:
    """It is due again in a minute, unless a launch wakes it."""
    work()
    with server.db.read() as conn:
        (watch,) = server.db.steps(conn).search(StepQuery(name="v1/server/watch"))
    assert watch.schedule_time - clock.now() > timedelta(seconds=30)
