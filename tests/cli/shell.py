"""Type commands, and start servers in processes of their own, as a person would."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests import ports
from typer import testing

from stepwell.cli.app import app
from stepwell.cli.client import Client
from stepwell.cli.profile import FILE, FOLDER, read
from stepwell.launchers.process import ProcessLauncher

# Each command that is typed would make the tree of all two hundred anew.
testing._get_command = cache(testing._get_command)  # type: ignore[attr-defined]

EXAMPLES = Path(__file__).parents[2] / "examples"
free_port = ports.free_port
PATIENCE = 120.0
"""Seconds that anything may take on a busy machine."""


@dataclass(frozen=True)
class Answer:
    """What a command gave: exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)


_PATIENT = """
from stepwell.engine import heartbeat
heartbeat.DEAD_AFTER = {seconds}
from stepwell.cli import main
main()
"""


class Shell:
    """Types commands in a folder.

    Attributes
    ----------
    dead_after : seconds of silence after which the engines of commands that go on take another
        one for dead. A test that may run nothing twice gives more than the 8 of R10, for so long
        a busy machine may have a process stand still.
    """

    dead_after: float | None = None

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        own = {"COLUMNS": "200", "STEPWELL_CONFIG": str(folder / "config")}
        self.environment = {**own, **environment}

    def type(self, *words: object, given: str | None = None) -> Answer:
        """Run the command line with these words, to its end; `given` is what is typed in.

        In this process, which spares the second that an interpreter takes to start.
        """
        others: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith("STEPWELL")
        }
        with contextlib.chdir(self.folder):
            result = testing.CliRunner(env={**others, **self.environment}).invoke(
                app, list(map(str, words)), input=given
            )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def good(self, *words: object, given: str | None = None) -> Answer:
        """The same, and it must have worked."""
        answer = self.type(*words, given=given)
        assert answer.code == 0, f"{words}: {answer}"
        return answer

    @contextmanager
    def background(self, *words: object) -> Iterator[Path]:
        """A command that goes on, until the block ends; yields the file of its output."""
        process = self.begin(*words)
        try:
            yield self.log(words[0])
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(PATIENCE)
            self._end_launched()
        assert code == 0, self.log(words[0]).read_text()

    def begin(self, *words: object) -> subprocess.Popen[bytes]:
        """A command that goes on; its output is added to its log."""
        with self.log(words[0]).open("a") as file:
            return subprocess.Popen(
                self._command(words),
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdout=file,
                stderr=file,
                preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - it asks for no lock
            )

    def log(self, name: object) -> Path:
        """Where the output of a command that goes on is kept."""
        return self.folder / f"{name}.log"

    @contextmanager
    def dev(self, *words: object) -> Iterator[Client]:
        """`stepwell dev` in the folder; yields a client when it answers."""
        with self.background("dev", *words, "--port", free_port()) as log:
            wait((self.folder / FOLDER / FILE).exists, log)
            with Client(read(self.folder / FOLDER / FILE)) as api:
                yield api

    def _end_launched(self) -> None:
        """A run outlives its server and waits for the next, which no test will start."""
        for job in self.folder.rglob("jobs/*/"):
            launcher = ProcessLauncher(job.parents[1])
            launcher.stop(launcher.find(job.name))

    def _command(self, words: tuple[object, ...]) -> list[str]:
        program = ["-m", "stepwell.cli"]
        if self.dead_after is not None:
            program = ["-c", _PATIENT.format(seconds=self.dead_after)]
        return [sys.executable, "-u", *program, *map(str, words)]


def _heed_ctrl_c() -> None:
    """Whoever starts the tests in the background of a shell has all of them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait(happened: Any, log: Path | None = None) -> Any:
    """What `happened` gives as soon as that is true."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = happened()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log else "it did not happen")
