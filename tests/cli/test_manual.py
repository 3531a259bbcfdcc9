"""The reference page says what the commands say."""

from __future__ import annotations

from pathlib import Path

from stepwell.cli.manual import page

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_give() -> None:
    """After a change: `make docs`."""
    assert COMMITTED.read_text() == page()


def test_every_argument_and_option_says_what_it_means() -> None:
    silent = [line for line in page().splitlines() if line.endswith("` |  |")]
    assert silent == []
