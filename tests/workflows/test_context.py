"""What an operation can reach: state, reports, progress."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from stepwell.workflows.context import Context, Facts, Versioned, Write
from stepwell.workflows.errors import StateInvalid
from stepwell.workflows.reports import Report


class Kept:
    """A link to a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Versioned] = {}
        self.written: list[Write] = []
        self.told: list[float] = []
        self.handed_over: list[Report] = []

    def read(self, scope: str, key: str) -> Versioned | None:
        return self.entries.get((scope, key))

    def keys(self, scope: str, prefix: str) -> list[str]:
        return sorted(k for s, k in self.entries if s == scope and k.startswith(prefix))

    def write_now(self, write: Write) -> None:
        self.written.append(write)

    def report(self, report: Report) -> None:
        self.handed_over.append(report)

    def progress(self, done: float, total: float | None, note: str) -> None:
        self.told.append(done)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def context(kept: Kept) -> Context:
    facts = Facts(run_id=uuid4(), group="shop", workflow="sales", operation="load")
    return Context(facts, kept)


def test_what_was_saved_is_read_again_before_it_is_committed(context: Context, kept: Kept) -> None:
    kept.entries["workflow", "day"] = Versioned("old", 3)
    assert context.state.get("day") == "old"
    context.state.save("day", date(2026, 1, 31))
    assert context.state.get("day") == "2026-01-31"
    assert context.state.get_versioned("day") == Versioned("old", 3)
    context.state.delete("day")
    assert context.state.get("day", default="none") == "none"
    assert kept.written == []


def test_scopes_are_apart(context: Context) -> None:
    context.state.save("day", 1)
    context.state.save("day", 2, scope="group")
    assert context.state.get("day") == 1
    assert context.state.get("day", scope="group") == 2
    assert context.state.get("day", scope="operation") is None


def test_changes_of_one_entry_are_one_write_with_the_first_expectation(context: Context) -> None:
    context.state.save("day", 1, expect_version=3)
    context.state.save("day", 2, expect_version=4)
    (write,) = context.state.writes
    assert (write.value, write.expect_version) == (2, 3)


def test_a_write_now_leaves_nothing_for_the_settlement(context: Context, kept: Kept) -> None:
    context.state.save("day", 1)
    context.state.save("day", 2, now=True)
    assert [write.value for write in kept.written] == [2]
    assert context.state.writes == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": "", "value": 1},
        {"key": "k" * 201, "value": 1},
        {"key": "k", "value": object()},
        {"key": "k", "value": 1, "scope": "server"},
        {"key": "k", "value": 1, "expect_version": -1},
        {"key": "k", "value": "x" * 300_000},
    ],
)
def test_state_that_cannot_be_kept_is_refused_at_once(
    context: Context, arguments: dict[str, object]
) -> None:
    with pytest.raises(StateInvalid):
        context.state.save(**arguments)  # type: ignore[arg-type]
    assert context.state.writes == []


def test_a_second_report_of_a_name_takes_the_place_of_the_first(context: Context) -> None:
    context.report.text("notes", "one")
    context.report.text("notes", "two")
    assert [one.content for one in context.reports.values()] == [b"two"]


def test_progress_in_quick_succession_is_thinned_out_but_its_end_is_told(
    context: Context, kept: Kept
) -> None:
    for n in range(1, 101):
        context.progress(n, 100)
    assert kept.told[0] == 1
    assert kept.told[-1] == 100
    assert len(kept.told) < 20


def test_keys_are_those_that_are_there_with_this_operations_changes(
    context: Context, kept: Kept
) -> None:
    for key in ("a/1", "a/2", "b"):
        kept.entries["workflow", key] = Versioned(1, 1)
    context.state.save("a/3", 1)
    context.state.delete("a/1")
    assert context.state.keys("a/") == ["a/2", "a/3"]
    assert context.state.keys() == ["a/2", "a/3", "b"]
    assert context.state.keys(scope="group") == []
