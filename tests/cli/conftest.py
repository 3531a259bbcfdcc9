"""A server in a process of its own, for all tests of the commands that speak to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import EXAMPLES, Shell, free_port, wait

from stepwell.cli.client import Client
from stepwell.cli.profile import FOLDER, Profile, write
from stepwell.errors import StepwellError


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a folder whose server has the group `weather`, approved."""
    shell = Shell(tmp_path_factory.mktemp("served"))
    shell.good("migrate")
    token = shell.good("tokens", "create", "tests", "--role", "admin", "--direct").out.strip()
    profile = Profile(f"http://127.0.0.1:{free_port()}", token)
    write(shell.folder / FOLDER, profile)
    port = profile.url.rpartition(":")[2]
    with shell.background("serve", "--launcher", "process", "--port", port) as log:
        wait(lambda: answers(profile), log)
        shell.good("groups", "register", EXAMPLES / "weather")
        shell.good("groups", "approve", "weather")
        shell.good("schedules", "pause", "weather/load-weather", "--reason", "tests")
        at_rest(shell)
        yield shell


def at_rest(served: Shell) -> None:
    """Wait until no run of the schedule goes on: one may have been due before it was paused."""
    runs = ("runs", "list", "--workflow", "load-weather", "--json")
    wait(lambda: all(run["finished_at"] for run in served.good(*runs).json), served.log("serve"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder that knows no server."""
    return Shell(tmp_path)


def answers(profile: Profile) -> bool:
    """Whether the server is up."""
    try:
        with Client(profile) as api:
            return bool(api.get("/health"))
    except StepwellError:
        return False
