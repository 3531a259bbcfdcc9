"""The figures of the server are really taken."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from benchmarks.server.__main__ import main, present
from benchmarks.server.boxed import TAG
from benchmarks.server.figures import FIGURES
from benchmarks.server.systems import Measured, Peer
from tests.launchers.container.podman import Podman

pytestmark = pytest.mark.slow


def test_a_tiny_round_takes_its_figures(tmp_path: Path) -> None:
    out = tmp_path / "server.json"
    command = ("--figures", "run,idle", "--rounds", "1", "--size", "run=1", "--size", "idle=1")
    assert main([*command, "--out", str(out)]) == 0
    entries = json.loads(out.read_text())["results"]
    taken = {one["variant"]: one["median"] for one in entries}
    assert 0 < taken["trigger to finished, p50"] <= taken["trigger to finished, p95"]
    assert 0 < taken["PSS of all processes"] <= taken["RSS of all processes"]
    assert all(one["machine"]["load"] >= 0 for one in entries)


def test_from_an_empty_environment_to_a_finished_run(tmp_path: Path) -> None:
    """With no more on the disk than was promised; how long it took is told, not judged."""
    out = tmp_path / "first.json"
    assert main(["--figures", "first-run", "--rounds", "1", "--out", str(out)]) == 0
    entries = json.loads(out.read_text())["results"]
    taken = {one["variant"]: one["median"] for one in entries}
    assert 0 < taken["installed"] < taken["first run finished"]
    assert taken["of that, added to an empty environment"] < 100


class Sleeper(Peer):
    """A peer of which only its process is looked at."""

    def begin(self) -> None:
        self.start(Path(sys.executable).name, "-c", "import time; time.sleep(600)")

    def run_once(self) -> None:
        os.kill(self.pids()[0], 0)


def test_a_peer_is_gone_when_it_was_measured() -> None:
    one = Measured("sleeper", [], {}, Path(sys.executable), Sleeper)
    with one.ready() as system:
        [pid] = system.pids()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_peer_that_is_not_installed_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert not present(Measured("sleeper", [], {}, Path("/nowhere/python"), Sleeper))
    assert "sleeper is not installed, and left out" in capsys.readouterr().err


def test_an_unknown_figure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--figures", "speed"])
    assert f"speed is none of {', '.join(FIGURES)}" in capsys.readouterr().err


def test_a_start_is_measured_in_a_container_of_its_own(
    podman: Podman, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The claim was heard, after the interpreter alone would have been there."""
    out = tmp_path / "cold.json"
    command = ("--figures", "cold-container", "--rounds", "1", "--size", "cold-container=1")
    assert main([*command, "--out", str(out)]) == 0
    entries = json.loads(out.read_text())["results"]
    assert {one["unit"] for one in entries} == {"ms"}
    assert all(one["median"] > 0 for one in entries)
    assert TAG not in podman.run("images", "--format", "{{.Repository}}:{{.Tag}}")
