"""A server as a process of its own, which a test may kill; and a client of it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from stepwell.client import Client, Run
from stepwell.client.records import made
from stepwell.errors import StepwellError
from stepwell.server.access import service as access
from stepwell.server.access.records import NewToken, Role
from stepwell.server.database.session import Database
from stepwell.server.runs import tokens
from stepwell.server.settings import Settings
from stepwell.testing.launcher_contract.base import until

SAMPLE: Final = Path(__file__).with_name("sample.py").read_text()
"""The source of the workflow group `contract`."""

PATIENCE: Final = 180.0

_SERVE: Final = """
from stepwell.engine import heartbeat
heartbeat.DEAD_AFTER = 90.0
from stepwell.cli import main
main()
"""
"""`stepwell` with more patience for engines that are silent: on a busy machine a container may
stand still for 8 s, and would be declared dead though its launcher sees it run (R10)."""


class Place:
    """A data directory, the server on it, and the sample group in that server.

    `key` is the server's secret key, from which launchers may derive marks of their own.

    Parameters
    ----------
    folder : for the data directory and the server's output.
    launcher : the name of the launcher under test.
    settings : of the server, as environment variables, beside what is needed here.
    """

    def __init__(self, folder: Path, launcher: str, settings: Mapping[str, str]) -> None:
        self.folder, self.launcher, self.data = folder, launcher, folder / "data"
        self.data.mkdir(exist_ok=True)
        self.key = secrets.token_hex(16)
        host, port = settings.get("STEPWELL_HOST", "127.0.0.1"), _free_port()
        own = {
            "STEPWELL_LAUNCHERS": launcher,
            "STEPWELL_DATA_DIR": str(self.data),
            "STEPWELL_SECRET_KEY": self.key,
            "STEPWELL_PORT": str(port),
            "STEPWELL_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "STEPWELL_DISCOVERY_TIMEOUT": "150",
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("STEPWELL_")}
        self.environment = {**inherited, **own, **settings}
        self.url = f"http://{host.replace('0.0.0.0', '127.0.0.1')}:{port}"  # noqa: S104
        self._log = folder / "server.log"
        self.api = Client(self.url, self._migrated(), timeout=PATIENCE)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server; it listens then."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, "serve"],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        until(self._answers, PATIENCE)

    def kill(self) -> None:
        """End the server as a loss of power would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the server as an operator would."""
        self._end(signal.SIGTERM)

    def register(self, image: str, environment: Mapping[str, str]) -> None:
        """Have the sample group discovered, and all of it approved."""
        body = {"image": image, "launcher": self.launcher, "environment": dict(environment)}
        self.api.post("/groups", body)
        (found,) = self.api.items("/discoveries")
        done = until(lambda: self._discovered(found["id"]), PATIENCE)
        assert done["state"] == "succeeded", f"{done}\n{self._log.read_text()}"
        path = f"/groups/contract/discoveries/{done['id']}/decisions"
        self.api.post(path, {"rest": "accept"})

    def run(self, workflow: str = "walk", **options: Any) -> Run:
        """Start a run."""
        path = f"/workflows/contract/{workflow}/runs"
        return made(Run, self.api.post(path, options))

    def begun(self, run: Run, word: str) -> int:
        """How often an operation of a run has begun."""
        notes = self.api.items(
            "/state", group="contract", scope="group", prefix=f"{run.id}/{word}/"
        )
        return len(list(notes))

    def go(self, run: Run) -> None:
        """Let the operation `stay` of a run end."""
        body = {"value": True, "expect_version": 0, "reason": "The contract lets it go on."}
        self.api.post("/state/contract/edits", body, scope="group", key=f"go/{run.id}")

    def seen(self, run: Run) -> Run:
        """The run as it is now."""
        return self.api.run(run.id)

    def ended(self, run: Run) -> Run:
        """The run when it has ended."""
        until(lambda: self.seen(run).ended, PATIENCE)
        return self.seen(run)

    def token(self, run: Run, attempt: int = 1) -> str:
        """The token that an attempt's container was given; it can be made again (R35)."""
        return tokens.issue(self.key.encode(), UUID(str(run.id)), attempt)

    def as_container(self, run: Run, token: str) -> str:
        """What the server answers to that token about a run: `ok`, or the error's code."""
        with Client(self.url, token, timeout=PATIENCE) as container:
            try:
                container.get(f"/runs/{run.id}/assignment")
            except StepwellError as error:
                return error.code
        return "ok"

    def close(self) -> None:
        """End all of it."""
        self._end(signal.SIGTERM)
        self.api.close()

    def _discovered(self, discovery: str) -> dict[str, Any] | None:
        found: dict[str, Any] = self.api.get(f"/discoveries/{discovery}")
        return found if found["finished_at"] else None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            self.api.get("/groups")
        except StepwellError:
            return False
        return True

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(PATIENCE)

    def _migrated(self) -> str:
        """Make the tables; an admin's token."""
        db = Database(Settings.from_environment(self.environment).database)
        db.migrate()
        new = NewToken(name="contract", role=Role.ADMIN)
        with db.write() as conn:
            token: str = access.issue(conn, new, by="the contract").secret
        db.close()
        return token


def _free_port() -> int:
    """One that the system gives to no connection, so that it stays free while nobody listens."""
    while True:
        port = 18_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
