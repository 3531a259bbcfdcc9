"""Launches that fail, crash or are cancelled: an attempt is launched once (R33, R34)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pod
from tests.server.support import on_both

from stepwell.launchers.protocol import LaunchFailed
from stepwell.server.app import Server
from stepwell.server.runs import closing, queries, supervision
from stepwell.server.runs.supervision import Supervision
from stepwell.step import Step

Pods = Callable[..., Pod]
Work = Callable[..., None]


def rows(server: Server, run: dict[str, Any]) -> list[Step]:
    with server.db.read() as conn:
        return closing.rows(server.db.steps(conn), UUID(run["id"]))


def test_a_crash_between_attempt_row_and_launch_leaves_one_attempt_and_one_launch(
    work: Work,
    launcher: PlayedLauncher,
    server: Server,
    start: Start,
    show: Start,
) -> None:
    """The next execution launches the attempt that is there (R33)."""
    run = start()
    launcher.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Supervision(server.services, UUID(run["id"])).move()
    assert (show(run)["state"], show(run)["attempt"], launcher.specs) == ("starting", 1, {})
    launcher.fault = None
    work()
    assert list(launcher.specs) == [f"{run['id']}-1"]
    assert len(show(run)["attempts"]) == 1


def test_a_crash_between_launch_and_its_record_starts_no_second_container(
    work: Work, launcher: PlayedLauncher, server: Server, start: Start, show: Start
) -> None:
    """Starting is idempotent by name, so it is simply asked again."""
    run = start()
    launcher.after = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Supervision(server.services, UUID(run["id"])).move()
    launcher.after = None
    work()
    assert (launcher.calls, len(launcher.specs)) == (2, 1)
    assert len(show(run)["attempts"]) == 1


def test_a_container_that_was_launched_unrecorded_is_found_by_a_cancellation(
    work: Work,
    launcher: PlayedLauncher,
    server: Server,
    client: TestClient,
    start: Start,
    show: Start,
) -> None:
    """Its name is known, whether or not its handle was written down."""
    run = start()
    launcher.after = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        Supervision(server.services, UUID(run["id"])).move()
    client.post(f"/runs/{run['id']}/cancellations", json={})
    work()
    assert set(launcher.stopped) == {f"{run['id']}-1"}
    assert show(run)["state"] == "cancelling"


def test_a_launch_that_fails_is_tried_again_and_says_why_meanwhile(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervision, "TRY_LAUNCH", 0.2)
    run = start()
    launcher.fault = LaunchFailed("The cluster does not answer.")
    work()
    (attempt,) = show(run)["attempts"]
    assert (attempt["condition"], attempt["launched_at"]) == ("The cluster does not answer.", None)
    launcher.fault = None
    work(lambda: launcher.specs)
    assert list(launcher.specs) == [f"{run['id']}-1"]


def test_an_image_that_is_not_kept_any_more_fails_the_run_in_words(
    work: Work, server: Server, start: Start, show: Start
) -> None:
    run = start()
    with server.db.write() as conn:
        queries.change(conn, UUID(run["id"]), digest="sha256:gone")
    work()
    assert show(run)["state"] == "failed"
    assert "The copy is gone." in show(run)["reason"]


@on_both
def test_cancelling_revokes_the_token_and_waits_for_the_launcher(
    work: Work,
    launcher: PlayedLauncher,
    client: TestClient,
    start: Start,
    show: Start,
    pod: Pods,
) -> None:
    """The run stops counting when the container has stopped, not before (R34)."""
    run = start()
    work()
    one = pod(run)
    one.claim()
    answer = client.post(f"/runs/{run['id']}/cancellations", json={"reason": "wrong day"})
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelling")
    assert one.ask("claimed", engine_id=one.engine_id).status_code == 403
    work()
    assert launcher.stopped
    assert show(run)["state"] == "cancelling"
    launcher.end(f"{run['id']}-1", -15, "It was stopped on request.")
    work(lambda: show(run)["state"] == "cancelled")
    assert show(run)["reason"] == "wrong day"


def test_a_run_that_was_cancelled_before_its_launch_never_starts(
    work: Work, launcher: PlayedLauncher, client: TestClient, start: Start, show: Start
) -> None:
    run = start()
    client.post(f"/runs/{run['id']}/cancellations", json={})
    work()
    assert show(run)["state"] == "cancelled"
    assert launcher.calls == 0


def test_a_forced_cancellation_does_not_wait_and_still_stops_the_container(
    work: Work, launcher: PlayedLauncher, client: TestClient, start: Start, show: Start
) -> None:
    """An operator may know that the launcher will never answer (R34)."""
    run = start()
    work()
    client.post(f"/runs/{run['id']}/cancellations", json={"force": True})
    assert show(run)["state"] == "cancelled"
    work()
    assert set(launcher.stopped) == {f"{run['id']}-1"}


def test_a_run_that_has_ended_cannot_be_cancelled(client: TestClient, start: Start) -> None:
    run = start()
    client.post(f"/runs/{run['id']}/cancellations", json={"force": True})
    again = client.post(f"/runs/{run['id']}/cancellations", json={})
    assert (again.status_code, again.json()["code"]) == (409, "run-ended")
