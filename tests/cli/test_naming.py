"""How a workflow is named on the command line: GROUP/WORKFLOW, everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell
from typer.main import get_command

from stepwell.cli.app import app
from stepwell.cli.workflow import words
from stepwell.errors import InvalidInput


def arguments(command: Any) -> list[str]:
    """The arguments that help shows, as it shows them."""
    shown = (one for one in command.params if one.param_type_name == "argument")
    return [one.metavar or one.name.upper() for one in shown if not getattr(one, "hidden", False)]


@pytest.mark.parametrize(
    "path",
    [
        ("runs", "start"),
        ("schedules", "add"),
        ("reports", "latest"),
        ("reports", "badge"),
        ("groups", "try"),
        ("targets", "set"),
        ("targets", "drop"),
    ],
)
def test_whoever_takes_a_workflow_takes_it_with_its_group(path: tuple[str, str]) -> None:
    tree: Any = get_command(app)
    assert arguments(tree.commands[path[0]].commands[path[1]])[0] == "GROUP/WORKFLOW"


def test_two_words_are_taken_as_they_once_were() -> None:
    assert words(2, "weather/nightly", None) == words(2, "weather", "nightly")
    assert words(3, "weather/nightly", "a/b") == words(3, "weather", "nightly", "a/b")


@pytest.mark.parametrize("typed", [("weather",), ("weather/",), ("weather/nightly", "more")])
def test_a_workflow_without_its_group_is_refused_with_the_form(typed: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        words(2, *typed)
    assert "GROUP/WORKFLOW" in caught.value.fix


def test_a_command_says_so_before_it_asks_any_server(tmp_path: Path) -> None:
    answer = Shell(tmp_path).type("runs", "start", "weather")
    assert answer.code == 2
    assert "GROUP/WORKFLOW" in answer.err
