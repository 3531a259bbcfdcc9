"""The example that waits for a reviewer goes the way that the author's guide shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import EXAMPLES, Shell, wait

SOURCE = EXAMPLES / "price_list.py"
WORDS = ("price-list", "publish-prices")


@pytest.fixture(scope="module")
def released(served: Shell) -> Shell:
    served.good("groups", "register", SOURCE)
    served.good("groups", "approve", "price-list", "--reason", "first release")
    return served


def begun(shell: Shell, folder: Path) -> str:
    """A run that waits for a reviewer; its id."""
    given = ("-p", f"folder={folder}", "-p", "raise_by=0.1", "--json")
    run: str = shell.good("runs", "start", *WORDS, *given).json["id"]
    wait(lambda: (shown(shell, run)["waiting"] or {}).get("code") == "approval")
    return run


def shown(shell: Shell, run: str) -> Any:
    return shell.good("runs", "show", run, "--json").json


def test_the_list_is_published_when_a_reviewer_has_said_yes(
    released: Shell, tmp_path: Path
) -> None:
    run = begun(released, tmp_path)
    assert list(tmp_path.iterdir()) == []
    released.good("runs", "approve", run, "--reason", "as agreed")
    wait(lambda: shown(released, run)["state"] == "succeeded")
    assert json.loads((tmp_path / "prices.json").read_text())["lamp"] == 27.39
    assert "approved by tests" in released.good("runs", "logs", run).out
    report = released.good("reports", "latest", *WORDS, "new prices").out
    assert json.loads(report)["rows"][0] == ["lamp", 24.9, 27.39]


def test_nothing_is_published_when_a_reviewer_has_said_no(released: Shell, tmp_path: Path) -> None:
    run = begun(released, tmp_path)
    released.good("runs", "reject", run, "--reason", "too much")
    wait(lambda: shown(released, run)["state"] == "failed")
    assert "too much" in shown(released, run)["reason"]
    assert list(tmp_path.iterdir()) == []


def test_it_runs_without_a_server_and_asks_nobody(shell: Shell) -> None:
    answer = shell.good("run", SOURCE, "PublishPrices", "-p", f"folder={shell.folder}")
    assert "the run succeeded" in answer.out
    assert (shell.folder / "prices.json").exists()
