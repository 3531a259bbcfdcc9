"""The tutorial's flow, as a newcomer runs it: by the commands of the page, with a real kill."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "durable-flow.md"
STEPWELL = [sys.executable, "-c", "from stepwell.cli import main; main()"]
FAST = (
    ("import time", "import os\nimport time"),
    ("time.sleep(5)", 'time.sleep(float(os.environ["NAP"]))'),
    ("delays=(5, 10, 60)", "delays=(1,)"),
)


class Newcomer:
    """Somebody with a terminal in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {"STEPWELL_STORE": "sqlite:///trips.db", "NAP": "0"}
        self.environment = {**os.environ, **environment}

    def run(self, *words: str) -> str:
        """What a command prints."""
        command = [*STEPWELL, *words]
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout
        return ended.stdout

    def steps(self) -> dict[str, dict[str, Any]]:
        """The steps, by name."""
        return {step["name"]: step for step in json.loads(self.run("steps", "list", "--json"))}

    def work(self, nap: float) -> subprocess.Popen[str]:
        """A worker whose lines can be read, and whose bookings take so long."""
        return subprocess.Popen(
            [*STEPWELL, "work", "trip:registry"],
            cwd=self.folder,
            env={**self.environment, "NAP": str(nap)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def read_until(worker: subprocess.Popen[str], text: str, times: int = 1) -> str:
    """What it prints until a text has come so often; threads may mix their lines."""
    assert worker.stdout is not None
    watchdog = threading.Timer(240, worker.kill)
    watchdog.start()
    seen = ""
    for line in worker.stdout:
        seen += line
        if seen.count(text) == times:
            watchdog.cancel()
            return seen
    raise AssertionError(f"it ended after {seen}")


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[0]
    for slow, fast in FAST:
        assert slow in code
        code = code.replace(slow, fast)
    (tmp_path / "trip.py").write_text(code)
    return Newcomer(tmp_path)


@pytest.mark.slow
def test_the_flow_of_the_tutorial_goes_on_after_a_kill(newcomer: Newcomer) -> None:
    newcomer.run("migrate")
    newcomer.run("steps", "add", "v1/plan-trip", "--state", '{"to": "Oslo"}')

    with newcomer.work(nap=600) as worker:
        read_until(worker, "booking the", times=3)
        worker.send_signal(signal.SIGKILL)
    left = newcomer.steps()
    assert left["v1/plan-trip"]["status"] == "done"
    assert left["v1/confirm"]["status"] == "ready"
    assert "waits for 3 of 3 steps" in newcomer.run("steps", "explain", left["v1/confirm"]["id"])

    with newcomer.work(nap=0) as worker:
        seen = read_until(worker, "confirmed: flight to Oslo, hotel to Oslo, car to Oslo")
        worker.send_signal(signal.SIGTERM)
    assert seen.count("booking the") == 4  # the hotel twice
    ended = newcomer.steps()
    assert {step["status"] for step in ended.values()} == {"done"}
    assert "Oslo" in newcomer.run("steps", "show", ended["v1/confirm"]["id"])
