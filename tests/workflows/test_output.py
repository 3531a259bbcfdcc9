"""The output of the child is waited for, also by a process that has stood still itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from stepwell.workflows import output
from stepwell.workflows.lines import Line
from stepwell.workflows.output import Output

T = TypeVar("T")


class Nothing:
    """A log that keeps nothing."""

    def begin(self, operation: str | None, execution: int | None = None) -> None:
        """Of `Log`."""

    def add(self, line: Line, size: int) -> None:
        """Of `Log`."""


class Stopped(threading.Condition):
    """All time is over when the first wait returns, and what was waited for comes after it."""

    def __init__(self, comes: Callable[[], None]) -> None:
        super().__init__()
        self._comes, self._turn = comes, 0

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Of `Condition`."""
        self._turn += 1
        if self._turn == 2:
            self._comes()
        return predicate()


def test_a_process_that_stood_still_gives_its_readers_time_before_it_goes_on() -> None:
    """Else the lines of one operation would be entered as those of the next."""
    made = Output(output.pass_through, Nothing())
    made._marks = {"stdout": 0, "stderr": 7}
    made._seen = Stopped(lambda: made._marks.update(stdout=7))
    made.wait_for(7)
    assert made._marks == {"stdout": 7, "stderr": 7}


def test_a_mark_that_never_comes_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(output, "PATIENCE", 0.1)
    made = Output(output.pass_through, Nothing())
    made._marks = {"stdout": 0}
    made.wait_for(1)
    assert made._marks == {"stdout": 0}
