"""Queues and limits of a store, from the command line (R20)."""

from __future__ import annotations

import pytest
from tests.cli.shell import Shell

STORE = ("--store", "sqlite:///mine.db")


@pytest.fixture(autouse=True)
def _migrated(shell: Shell) -> None:
    shell.good("migrate", "--database", "sqlite:///mine.db")


def test_a_queue_is_paused_listed_and_resumed(shell: Shell) -> None:
    assert "No queue is paused" in shell.good("queues", "list", *STORE).out
    shell.good("queues", "pause", "mail", "--reason", "it moves", *STORE)
    (found,) = shell.good("queues", "list", "--json", *STORE).json
    assert (found["key"], found["reason"]) == ("mail", "it moves")
    made = shell.good("steps", "add", "v1/hello", "--queue", "mail", *STORE).out.strip()
    assert ": it moves." in shell.good("steps", "explain", made, *STORE).out
    assert shell.good("queues", "resume", "mail", *STORE).out == "resumed mail\n"
    assert "not paused" in shell.good("queues", "resume", "mail", *STORE).out


def test_limits_and_rates_are_set_listed_and_dropped(shell: Shell) -> None:
    shell.good("limits", "set", "smtp", "3", "--reason", "contract", *STORE)
    shell.good("limits", "rate", "smtp", "600", "--per", "60", *STORE)
    limit, rate = shell.good("limits", "list", "--json", *STORE).json
    assert (limit["kind"], limit["slots"], limit["reason"]) == ("limit", 3, "contract")
    assert (rate["kind"], rate["slots"], rate["period"]) == ("rate", 600, 60.0)
    assert "smtp" in shell.good("limits", "list", *STORE).out
    said = shell.good("limits", "drop", "smtp", "--json", *STORE).json
    assert said == {"key": "smtp", "action": "dropped"}
    assert shell.good("limits", "list", "--json", *STORE).json == []
    assert "nothing to drop" in shell.good("limits", "drop", "smtp", *STORE).out
