"""A discovery ends right when the server is killed in the middle of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.server.runs import program
from tests.server.support import free_port, token

from stepwell.server.app import Server

pytestmark = pytest.mark.slow

SOURCE = """
import time
from pathlib import Path

from stepwell.workflows import WorkflowGroup, operation

notes = Path({notes!r})
with (notes / "log").open("a") as file:
    file.write("imported ")
while not (notes / "go").exists():
    time.sleep(0.02)

group = WorkflowGroup("weather")


@group.workflow
class Nightly:
    @operation
    def load(self) -> int:
        return 1
"""


@contextmanager
def process(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server as a process of its own; killed at the end of the block, if not before."""
    command = [sys.executable, program.__file__, str(data), str(port)]
    with subprocess.Popen(command) as made:
        try:
            yield made
        finally:
            made.kill()


def wait_for(told: Any, seconds: float = 90) -> Any:
    """What `told` gives once that is true; connection errors count as not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = told()
        except (httpx.HTTPError, FileNotFoundError):
            found = None
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


def test_a_server_killed_while_an_image_runs_takes_the_manifest_after_its_restart(
    tmp_path: Path,
) -> None:
    """The image is launched once, and its token is good at the second server too."""
    data, port = tmp_path / "data", free_port()
    settings = program.settings(data, port)
    data.mkdir()
    server = Server(settings)
    server.db.migrate()
    headers = {"Authorization": f"Bearer {token(server, 'admin')}"}
    server.db.close()
    (tmp_path / "weather.py").write_text(SOURCE.format(notes=str(tmp_path)))
    address = f"{settings.url}/api/v1/"
    with httpx.Client(base_url=address, headers=headers, timeout=90) as client:
        with process(data, port) as first:
            wait_for(lambda: client.get("health").status_code == 200)
            made = client.post("groups", json={"image": str(tmp_path / "weather.py")}).json()
            wait_for((tmp_path / "log").read_text)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        with process(data, port):
            wait_for(lambda: client.get("health").status_code == 200)
            (tmp_path / "go").touch()
            path = f"discoveries/{made['discovery_id']}"
            found = wait_for(lambda: _ended(client.get(path).json()))
    assert (found["state"], found["error"]) == ("succeeded", None)
    assert (tmp_path / "log").read_text() == "imported "


def _ended(found: dict[str, Any]) -> dict[str, Any] | None:
    return found if found["state"] in {"succeeded", "failed"} else None
