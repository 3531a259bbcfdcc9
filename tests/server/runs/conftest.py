"""A server with a released workflow, and a launcher that the test plays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from tests.server.live import without_fsync
from tests.server.runs.support import GIVEN, GROUP, WORKFLOW, Pod, release, workflow
from tests.server.support import Api

from stepwell.engine import Engine, heartbeat
from stepwell.launchers.protocol import Handle, ImageUnusable, LaunchSpec, LaunchStatus, Pinned
from stepwell.server import background
from stepwell.server.app import Server
from stepwell.server.runs import steps, supervision
from stepwell.server.services import QUEUE
from stepwell.server.settings import Settings

__all__ = [
    "client",
    "entry",
    "launcher",
    "pod",
    "released",
    "server",
    "show",
    "start",
    "work",
]
"""What the tests of rooms that are about runs have too."""


class PlayedLauncher:
    """Starts nothing; a test says when a launch has ended."""

    def __init__(self) -> None:
        self.specs: dict[str, LaunchSpec] = {}
        self.ended: dict[str, LaunchStatus] = {}
        self.stopped: list[str] = []
        self.calls = 0
        self.fault: BaseException | None = None
        self.after: BaseException | None = None

    def pin(self, image: str) -> Pinned:
        return Pinned(digest="sha256:0", location=image)

    def digest(self, image: str) -> str:
        return "sha256:0"

    def locate(self, image: str, digest: str) -> str:
        if digest == "sha256:gone":
            raise ImageUnusable("The copy is gone.")
        return f"{image}@{digest}"

    def start(self, spec: LaunchSpec) -> Handle:
        self.calls += 1
        if self.fault:
            raise self.fault
        self.specs.setdefault(spec.name, spec)
        if self.after:
            raise self.after
        return self.find(spec.name)

    def find(self, name: str) -> Handle:
        return {"name": name}

    def poll(self, handle: Handle) -> LaunchStatus:
        name = handle["name"]
        if name not in self.specs:
            return LaunchStatus(state="ended", reason="It was never started here.")
        return self.ended.get(name, LaunchStatus(state="running"))

    def stop(self, handle: Handle) -> None:
        self.stopped.append(handle["name"])

    def logs(self, handle: Handle) -> str:
        return f"output of {handle['name']}\n"

    def end(self, name: str, code: int | None = 0, reason: str = "It ended.") -> None:
        """The launch has ended."""
        self.ended[name] = LaunchStatus(state="ended", exit_code=code, reason=reason)


@pytest.fixture
def launcher() -> PlayedLauncher:
    return PlayedLauncher()


@pytest.fixture
def server(
    settings: Settings, launcher: PlayedLauncher, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A started server whose launcher is played, and whose engine runs when it is drained."""
    monkeypatch.setattr(steps, "SLICE", 0.0)
    monkeypatch.setattr(heartbeat, "DEAD_AFTER", 600.0)  # the engines that tests play do not beat
    made = without_fsync(Server(settings, launchers={"process": launcher}))
    made.db.migrate()
    with made:
        yield made


@pytest.fixture
def entry() -> dict[str, Any]:
    """The released workflow; a test module may override it."""
    return workflow()


@pytest.fixture
def released(server: Server, entry: dict[str, Any]) -> None:
    release(server, entry)


@pytest.fixture
def client(api: Api, released: None) -> TestClient:
    """An operator of a server with a released workflow."""
    return api("operator")


@pytest.fixture
def work(server: Server) -> Callable[..., None]:
    """`work()` has the watch look, and runs the server's own steps until none is due.

    `work(until)` does so until that is true.
    """

    def drain(until: Callable[[], Any] = lambda: True) -> None:
        end = time.monotonic() + 90
        while True:
            with server.db.write() as conn:
                supervision.activate_watch(server.db.steps(conn))
            handlers = background.handlers(server.services)
            Engine(server.db.store, handlers, queues=(QUEUE,)).drain()
            if until():
                return
            assert time.monotonic() < end, "nothing came of it"
            time.sleep(0.05)

    return drain


Start: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture
def start(client: TestClient) -> Start:
    """`start()` starts a run and returns its header."""

    def run(parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        body = {"parameters": GIVEN if parameters is None else parameters}
        answer = client.post(f"/workflows/{GROUP}/{WORKFLOW}/runs", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return run


@pytest.fixture
def show(client: TestClient) -> Start:
    """`show(run)` is its header and attempts now."""

    def run(one: dict[str, Any]) -> dict[str, Any]:
        answer = client.get(f"/runs/{one['id']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return run


@pytest.fixture
def pod(client: TestClient, server: Server) -> Callable[..., Pod]:
    """`pod(run)` is the container of its first attempt, joined."""

    def made(run: dict[str, Any], attempt: int = 1) -> Pod:
        return Pod(client, server, run["id"], attempt).join()

    return made
