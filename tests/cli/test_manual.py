"""The reference page says what the commands say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.markup import escape
from typer.main import get_command
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


def test_no_help_has_what_the_terminal_takes_for_markup() -> None:
    """`[/NAME]` closes what nothing has opened: the help ended with a traceback."""
    texts: list[str] = []

    def collect(one: Any) -> None:
        texts.extend(filter(None, [one.help, *(getattr(p, "help", None) for p in one.params)]))
        for below in getattr(one, "commands", {}).values():
            collect(below)

    collect(get_command(app))
    assert len(texts) > 100
    assert [text for text in texts if escape(text) != text] == []


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
