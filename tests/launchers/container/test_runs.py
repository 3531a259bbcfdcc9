"""Discoveries and runs in real containers, with whatever is killed meanwhile (R15, R33, R35)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update
from tests.launchers.container import wheels
from tests.launchers.container.podman import BASE, Podman, owner
from tests.launchers.container.program import settings
from tests.server.live import listening, without_fsync
from tests.server.runs.support import release, started
from tests.server.runs.test_kill import SOURCE, show
from tests.server.support import free_port, token

from stepwell.cli.groups.image import Builder
from stepwell.launchers.container.options import OWNER
from stepwell.launchers.recipe import write
from stepwell.server.app import Server
from stepwell.server.database.tables import groups
from stepwell.server.runs import service, tokens
from stepwell.server.runs.records import Cancellation, RunDetail, RunState
from stepwell.testing.launcher_contract import until
from stepwell.version import VERSION
from stepwell.workflows.describing import describe
from stepwell.workflows.loading import load_group

IN_IMAGE = SOURCE.replace('os.environ["NOTES"]', 'os.environ.get("NOTES", "/notes")')


def ended(server: Server, run_id: UUID) -> RunDetail:
    """The run when it has ended."""
    until(lambda: show(server, run_id).state.ended, 180)
    return show(server, run_id)


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The group of the runs' tests as an image."""
    folder = tmp_path_factory.mktemp("group")
    (folder / "weather.py").write_text(IN_IMAGE)
    write(folder / "weather.py", base=BASE, version=VERSION)
    wheels.put(folder / "wheels")
    name = f"localhost/test-{owner(folder)}"
    with pytest.MonkeyPatch.context() as patch:
        for key, value in podman.environment.items():
            patch.setenv(key, value)
        Builder("podman").build(name, folder)
    yield name
    podman.forget(owner(folder))


class Place:
    """A data directory with a released group of an image, and the notes of its operations."""

    def __init__(self, folder: Path, podman: Podman, image: str) -> None:
        self.folder, self.podman, self.image = folder, podman, image
        self.notes, self.port = folder / "notes", free_port()
        self.notes.mkdir()
        (folder / "data").mkdir()
        self.notes.chmod(0o777)

    @property
    def log(self) -> list[str]:
        """The operations that have begun."""
        file = self.notes / "log"
        return file.read_text().splitlines() if file.exists() else []

    def go(self) -> None:
        """Let the second operation end."""
        (self.notes / "go").touch()

    def server(self) -> Server:
        """A server on the data directory, as `program` makes it."""
        return without_fsync(Server(settings(self.folder, self.port, self.podman.address)))

    def prepare(self, server: Server) -> None:
        """Migrate, and release the group."""
        source = self.folder / "weather.py"
        source.write_text(IN_IMAGE)
        server.db.migrate()
        (entry,) = describe(*load_group(source)).manifest.as_json()["workflows"]
        pinned = server.services.launcher("container").pin(self.image)
        release(server, entry, image=self.image, digest=pinned.digest)
        with server.db.write() as conn:
            conn.execute(update(groups).values(launcher="container"))

    def container(self, name: str) -> str:
        """The id of the container of a launch; empty without one."""
        return self.podman.run("ps", "-q", "--filter", f"label=stepwell.launch={name}").strip()

    def kill(self, name: str) -> None:
        """As the out-of-memory killer, or an operator, would."""
        self.podman.run("kill", "--signal", "KILL", self.container(name))

    def left(self) -> list[str]:
        """The containers that still run."""
        mark = next(iter(self.marks()), "none")
        return self.podman.run("ps", "-q", "--filter", f"label={OWNER}={mark}").split()

    def marks(self) -> set[str]:
        """The owners of containers that this test's folder is mounted in."""
        form = f'{{{{index .Labels "{OWNER}"}}}}'
        given = ("--filter", f"volume={self.notes}", "--format", form)
        return set(self.podman.run("ps", "--all", *given).split())

    def forget(self) -> None:
        """Remove all containers of this test."""
        for mark in self.marks():
            self.podman.forget(mark)

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[bytes]]:
        """The server as a process of its own."""
        program = [sys.executable, "-m", "tests.launchers.container.program"]
        given = [str(self.folder), str(self.port), self.podman.address]
        one = subprocess.Popen([*program, *given])
        try:
            yield one
        finally:
            one.kill()
            one.wait()


@pytest.fixture
def place(tmp_path: Path, podman: Podman, image: str) -> Iterator[Place]:
    made = Place(tmp_path, podman, image)
    yield made
    made.forget()


def test_a_killed_container_is_followed_by_one_that_resumes_at_the_lost_operation(
    place: Place,
) -> None:
    """The token of the first is worth nothing any more (R33, R35)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server) as url:
        run_id = started(server)
        until(lambda: "load" in place.log)
        place.kill(f"{run_id}-1")
        until(lambda: place.log.count("load") == 2)
        old = tokens.issue(server.settings.signing_key, run_id, 1)
        answer = httpx.get(
            f"{url}/api/v1/runs/{run_id}/assignment",
            headers={"Authorization": f"Bearer {old}"},
            timeout=90,
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "run-token-revoked")
        place.go()
        run = ended(server, run_id)
        assert (run.state, run.attempt) == (RunState.SUCCEEDED, 2)
        assert place.log == ["fetch", "load", "load", "report 6"]
        first = run.attempts[0]
        assert first.exit is not None
        assert "SIGKILL" in first.exit["reason"]
        assert place.left() == []


def test_an_operation_that_costs_three_containers_is_given_up(place: Place) -> None:
    """With the words of the launcher (R15)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id = started(server)
        for number in (1, 2, 3):
            until(lambda number=number: place.log.count("load") == number)  # type: ignore[misc]
            place.kill(f"{run_id}-{number}")
        run = ended(server, run_id)
        assert (run.state, run.attempt) == (RunState.FAILED, 3)
        assert "SIGKILL" in (run.reason or "")
        assert place.left() == []


@pytest.mark.slow
def test_a_server_killed_while_a_container_runs_finds_it_again(place: Place) -> None:
    """The container waits for the server, and nothing is run twice."""
    here = place.server()
    place.prepare(here)
    run_id = started(here)
    with place.process() as first:
        until(lambda: "load" in place.log)
        first.kill()
        first.wait()
    place.go()
    with place.process():
        run = ended(here, run_id)
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert place.log == ["fetch", "load", "report 6"]
    here.db.close()


def test_a_cancelled_run_leaves_no_container_running(place: Place) -> None:
    """It is gone before the run is *cancelled* (R34)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id = started(server)
        until(lambda: "load" in place.log)
        with server.db.write() as conn:
            service.cancel(conn, server.db, run_id, Cancellation(), by="the test")
        assert ended(server, run_id).state is RunState.CANCELLED
        assert place.container(f"{run_id}-1") == ""


def discovered(server: Server, url: str, image: str) -> dict[str, Any]:
    """The discovery of an image, when it has ended."""
    headers = {"Authorization": f"Bearer {token(server, 'admin')}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=90) as api:
        body = {"image": image, "launcher": "container"}
        made = api.post("/groups", json=body, headers={"Idempotency-Key": image})
        assert made.is_success, made.text
        (first,) = api.get("/discoveries").json()["items"]
        until(lambda: api.get(f"/discoveries/{first['id']}").json()["finished_at"])
        found: dict[str, Any] = api.get(f"/discoveries/{first['id']}").json()
    return found


def test_an_image_is_discovered(place: Place) -> None:
    """Its container has no more to do then, and the digest is kept."""
    server = place.server()
    server.db.migrate()
    with server, listening(server) as url:
        found = discovered(server, url, place.image)
        assert found["state"] == "succeeded", found
        assert found["digest"].startswith("sha256:")
        until(lambda: place.left() == [])


def test_an_image_that_hangs_in_discovery_is_stopped(place: Place) -> None:
    """With an error that says so, and no container that stays."""
    given = settings(place.folder, place.port, place.podman.address)
    server = without_fsync(Server(replace(given, discovery_timeout=2.0)))
    server.db.migrate()
    name = place.podman.script(place.folder, "import time; time.sleep(600)")
    with server, listening(server) as url:
        found = discovered(server, url, name)
        assert (found["state"], found["error"]["code"]) == ("failed", "discovery-timeout")
        until(lambda: place.left() == [])
    place.podman.forget(owner(place.folder))
