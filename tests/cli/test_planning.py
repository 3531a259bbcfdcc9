"""What a dry run shows on a terminal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stepwell.cli.exits import WorkFailed
from stepwell.cli.render import Output
from stepwell.cli.runs import planning

PLAN: dict[str, Any] = {
    "sentence": "Would start 1 Job in the namespace jobs.",
    "group": "weather",
    "workflow": "nightly",
    "launch": {"image": "x@sha256:0", "requests": {}, "limits": {}, "notes": ["As etl."]},
    "holds": [],
    "fails": None,
}


def shown(plan: dict[str, Any]) -> None:
    session: Any = SimpleNamespace(out=Output())
    planning.show(session, plan)


def test_it_says_what_would_be_started_and_that_nothing_holds_it_up(capsys: Any) -> None:
    shown(PLAN)
    told = capsys.readouterr().out
    assert told.startswith("Would start 1 Job in the namespace jobs.\n")
    assert "x@sha256:0" in told
    assert told.endswith("As etl.\nNothing would hold it up.\n")


def test_it_says_what_a_run_would_wait_for(capsys: Any) -> None:
    shown({**PLAN, "holds": [{"code": "CONCURRENCY", "sentence": "All slots are taken."}]})
    told = capsys.readouterr().out
    assert "It would wait: All slots are taken." in told
    assert "Nothing would hold it up" not in told


def test_a_run_that_would_fail_at_once_ends_the_command_with_1() -> None:
    with pytest.raises(WorkFailed, match="The copy is gone"):
        shown({**PLAN, "launch": None, "fails": "The copy is gone."})
