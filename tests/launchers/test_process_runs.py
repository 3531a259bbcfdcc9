"""Runs hold with the process launcher, forked from its template or started anew."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from stepwell.launchers import shim
from stepwell.testing.launcher_contract import RunsContract
from stepwell.testing.launcher_contract.runs import write_sample

pytestmark = pytest.mark.slow


class TestRunsOfProcesses(RunsContract):
    """The quick way: launches are forked from a template."""

    launcher = "process"

    def group(self, folder: Path) -> str:
        """A Python file."""
        return str(write_sample(folder))

    def kill(self, launch: str) -> None:
        """The process itself, not what watches over it."""
        os.kill(self._child(launch)["pid"], signal.SIGKILL)

    def living(self) -> set[str]:
        """By what the kernel says of each launch's process."""
        folders = [path for path in (self.server.data / "jobs").glob("*") if path.is_dir()]
        return {path.name for path in folders if _lives(path)}

    def _child(self, launch: str) -> Any:
        return json.loads((self.server.data / "jobs" / launch / "child.json").read_text())


class TestRunsOfProcessesStartedAnew(TestRunsOfProcesses):
    """A variable that only a new interpreter would heed keeps launches from being forked."""

    variables: ClassVar[Mapping[str, str]] = {"GREETING": "hello", "PYTHONHASHSEED": "1"}


def _lives(folder: Path) -> bool:
    try:
        child = json.loads((folder / "child.json").read_text())
    except FileNotFoundError:
        return False
    return bool(child["identity"]) and shim.identity(child["pid"]) == str(child["identity"])
