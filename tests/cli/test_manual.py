"""The reference page says what the commands say."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stepwell.cli.app import app
from stepwell.cli.manual import page

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_give() -> None:
    """After a change: `make docs`."""
    assert COMMITTED.read_text() == page()


def test_every_argument_and_option_says_what_it_means() -> None:
    silent = [line for line in page().splitlines() if line.endswith("` |  |")]
    assert silent == []


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("steps list", "[OPTIONS] [QUERY]"),
        ("groups approve", "[OPTIONS] NAME [WORKFLOW]..."),
        ("run", "[OPTIONS] FILE [WORKFLOW]"),
    ],
)
def test_what_may_be_left_out_stands_in_one_pair_of_brackets(command: str, usage: str) -> None:
    told = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"}).output
    assert f"{command} {usage} " in told
    assert "[[" not in told
