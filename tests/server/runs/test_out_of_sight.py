"""Runs whose container cannot be looked at, or ends with bytes, end all the same."""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pods, Work, pass_time
from tests.server.support import on_both

from stepwell.errors import Unavailable
from stepwell.launchers.protocol import LaunchFailed
from stepwell.outcome import Outcome, Rerun
from stepwell.server.app import Server
from stepwell.server.runs.steps import Watch
from stepwell.server.runs.supervision import FORSAKEN, Supervision

DAY = 86_400


def moved(server: Server, run: dict[str, str]) -> Outcome:
    return Supervision(server.services, UUID(run["id"])).move()


def take_away(server: Server) -> None:
    """As if the server had been started anew without its launcher."""
    launchers = server.services.launchers
    assert isinstance(launchers, dict)
    del launchers["process"]


@on_both
def test_an_image_that_ends_with_bytes_ends_its_run(
    work: Work, launcher: PlayedLauncher, start: Start, show: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL keeps no NUL: the run was looked at again for ever."""
    monkeypatch.setattr(launcher, "logs", lambda _: "core \0 dumped\n")
    run = start()
    work()
    launcher.end(f"{run['id']}-1", 2, "It ended\0.")
    work()
    after = show(run)
    assert (after["state"], after["reason"]) == (
        "failed",
        "The image could not run the workflow. It ended�.\ncore � dumped",
    )


@on_both
def test_a_run_whose_launcher_was_taken_away_is_closed_when_it_should_long_be_over(
    work: Work, start: Start, show: Start, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, another server may have the launcher, and the container may go on."""
    run = start()
    work()
    take_away(server)
    pass_time(monkeypatch, DAY + FORSAKEN - 60)
    assert isinstance(moved(server, run), Rerun)
    assert "'process' is not enabled" in show(run)["attempts"][0]["condition"]
    pass_time(monkeypatch, 60)
    moved(server, run)
    after = show(run)
    assert (after["state"], after["attempt"]) == ("failed", 1)
    assert after["reason"].startswith(
        "It did not begin within its deadline of 86400 s. The launcher 'process' is not enabled"
    )


def test_a_run_whose_launcher_was_taken_away_ends_by_what_its_container_has_reported(
    work: Work,
    start: Start,
    show: Start,
    pod: Pods,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = start()
    work()
    take_away(server)
    one = pod(run)
    for then in ("load", "report", None):
        one.work(then=then)
    assert isinstance(moved(server, run), Rerun)
    pass_time(monkeypatch, FORSAKEN + 1)
    moved(server, run)
    assert show(run)["state"] == "succeeded"


def test_a_run_that_was_ended_by_force_is_left_alone_without_its_launcher_too(
    client: TestClient, work: Work, start: Start, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start()
    work()
    take_away(server)
    client.post(f"runs/{run['id']}/cancellations", json={"force": True, "reason": "its host died"})
    pass_time(monkeypatch, FORSAKEN + 1)
    assert not isinstance(moved(server, run), Rerun)


def test_what_this_server_has_no_launcher_for_is_not_asked_about_five_times_a_second(
    work: Work, start: Start, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    work()
    take_away(server)
    asked: list[object] = []
    monkeypatch.setattr(Watch, "_polled", lambda _, launch: asked.append(launch))
    assert Watch(server.services).look() == 1
    assert asked == []


def test_a_run_that_could_not_be_started_in_time_says_why(
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Start,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It said that it had run for longer than its deadline."""
    launcher.fault = LaunchFailed("The engine does not answer.")
    assert isinstance(launcher.fault, Unavailable)
    run = start()
    work()
    pass_time(monkeypatch, DAY + 1)
    moved(server, run)
    assert show(run)["reason"] == (
        "It did not begin within its deadline of 86400 s. The engine does not answer."
    )
