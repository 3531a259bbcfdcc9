"""A launcher that hangs holds up some of the server's workers, and not all of them."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from tests.server.runs.conftest import PlayedLauncher, Start

from stepwell.launchers.protocol import Handle, LaunchSpec
from stepwell.outcome import Rerun
from stepwell.server import crowding
from stepwell.server.app import Server
from stepwell.server.crowding import Crowd, LauncherSilent
from stepwell.server.runs.supervision import Supervision


class Hangs(PlayedLauncher):
    """Its engine takes every launch, and answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = threading.Semaphore(0), threading.Event()

    def start(self, spec: LaunchSpec) -> Handle:
        self.asked.release()
        assert self.answer.wait(90)
        return super().start(spec)


@pytest.fixture
def launcher() -> PlayedLauncher:
    return Hangs()


def test_launches_that_hang_leave_workers_to_everything_else(
    server: Server, launcher: Hangs, start: Start, show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowding, "SLOW", 0.0)
    most = server.settings.workers // 4
    runs = [start() for _ in range(most + 1)]
    moves = [Supervision(server.services, UUID(one["id"])) for one in runs]
    waiting = [threading.Thread(target=one.move) for one in moves[:most]]
    for thread in waiting:
        thread.start()
        assert launcher.asked.acquire(timeout=90)
    outcome = moves[-1].move()
    assert isinstance(outcome, Rerun), "it comes back, and holds no worker"
    assert "of the server's workers wait for it" in (outcome.description or "")
    assert "does not answer" in show(runs[-1])["attempts"][0]["condition"]
    launcher.answer.set()
    for thread in waiting:
        thread.join()
    monkeypatch.setattr(crowding, "SLOW", 600.0)
    moves[0].move()  # it is quick again
    moves[-1].move()
    assert f"{runs[-1]['id']}-1" in launcher.specs


def test_nobody_is_held_up_where_a_launcher_answers() -> None:
    crowd = Crowd()
    with crowd.asking("container", 1), crowd.asking("container", 1), crowd.asking("other", 1):
        pass


def test_one_that_has_hung_is_asked_by_few_until_it_is_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else all workers ask it again as soon as those who waited have given up."""
    crowd = Crowd()
    monkeypatch.setattr(crowding, "SLOW", 0.0)
    with crowd.asking("container", 1):
        pass
    monkeypatch.setattr(crowding, "SLOW", 600.0)
    with crowd.asking("container", 1):
        with pytest.raises(LauncherSilent), crowd.asking("container", 1):
            raise AssertionError("it was asked")
        with crowd.asking("other", 1):
            pass
    with crowd.asking("container", 1), crowd.asking("container", 1):
        pass
