"""`serve` and `work` as processes of their own on PostgreSQL, killed and started again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.cli.conftest import answers
from tests.cli.shell import PATIENCE, Shell, free_port, wait

from stepwell.cli.client import Client
from stepwell.cli.profile import FOLDER, Profile, write

GROUP = """
import time
from pathlib import Path

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("patient")


@group.workflow
class Walk:
    folder: str

    @operation
    def begin(self, folder: str) -> None:
        Path(folder, "begun").write_text("")

    @operation
    def stay(self, folder: str) -> int:
        with Path(folder, "stays").open("a") as file:
            file.write("once\\n")
        while not Path(folder, "go").exists():
            time.sleep(0.05)
        return len(Path(folder, "stays").read_text().splitlines())

    @operation
    def end(self, stay: int, context: Context) -> int:
        context.state.save("walks", stay)
        return stay
"""


class Production:
    """Two processes on one database, which can be killed and started."""

    def __init__(self, shell: Shell, profile: Profile) -> None:
        self.shell, self.profile = shell, profile
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        port = self.profile.url.rpartition(":")[2]
        self.processes = [
            self.shell.begin("serve", "--api-only", "--launcher", "process", "--port", port),
            self.shell.begin("work", "--launcher", "process", "--public-url", self.profile.url),
        ]
        wait(lambda: answers(self.profile), self.shell.log("serve"))

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def stop(self) -> list[int]:
        for process in self.processes:
            process.terminate()
        return [process.wait(PATIENCE) for process in self.processes]


@pytest.fixture
def production(tmp_path: Path, postgres_database: Callable[[], str]) -> Iterator[Production]:
    shell = Shell(tmp_path, STEPWELL_DATABASE_URL=postgres_database())
    shell.dead_after = 40.0
    shell.good("migrate")
    token = shell.good("tokens", "create", "tests", "--role", "admin", "--direct").out.strip()
    profile = Profile(f"http://127.0.0.1:{free_port()}", token)
    write(tmp_path / FOLDER, profile)
    made = Production(shell, profile)
    with ExitStack() as stack:
        stack.callback(made.kill)
        made.start()
        yield made


@pytest.mark.slow
def test_a_run_outlives_the_death_of_both_server_processes(
    production: Production, tmp_path: Path
) -> None:
    """The group's process goes on, waits for the server, and nothing is run twice."""
    shell = production.shell
    (tmp_path / "patient.py").write_text(GROUP)
    shell.good("groups", "register", "patient.py")
    shell.good("groups", "approve", "patient")
    run = shell.good("runs", "start", "patient", "walk", "-p", f"folder={tmp_path}", "--json").json
    wait((tmp_path / "stays").exists, shell.log("work"))

    production.kill()
    (tmp_path / "go").write_text("")
    production.start()

    with Client(production.profile) as api:
        ended = wait(lambda: finished(api, run["id"]), shell.log("work"))
        results = [step["result"] for step in api.items(f"/runs/{run['id']}/steps")]
    assert (ended["state"], results) == ("succeeded", [None, 1, 1])
    kept = shell.good("state", "get", "patient", "workflow:walk", "walks")
    assert kept.json == 1
    assert production.stop() == [0, 0]


def finished(api: Client, run_id: str) -> dict[str, object] | None:
    run: dict[str, object] = api.get(f"/runs/{run_id}")
    return run if run["state"] in ("succeeded", "failed") else None
