"""The figures of the server are really taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.server.__main__ import main
from benchmarks.server.figures import FIGURES

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


def test_an_unknown_figure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--figures", "speed"])
    assert f"speed is none of {', '.join(FIGURES)}" in capsys.readouterr().err
