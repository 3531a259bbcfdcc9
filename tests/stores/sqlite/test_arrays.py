"""Rows that go to SQLite as one array come back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stores.sqlite.test_trouble import add, step

from stepwell.clock import now
from stepwell.errors import SettlementRejected
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, EndedAs, Step, StepQuery
from stepwell.stores.protocol import ClaimRequest, EngineInfo
from stepwell.stores.sqlite import SQLiteStore, arrays

TEXTS = (
    "",
    "null",
    '{"x":"\\u0000"}',
    "\\",
    '"',
    "".join(map(chr, range(1, 32))),
    "\x7f\x85\u2028\ufeff\ufffe",
    "Straße, 漢字, 🙂",
    "-0.0",
)
"""What JSON writes in a way of its own, or SQLite could take for something else."""


@pytest.fixture
def short_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows at once, or fewer with longer texts."""
    monkeypatch.setattr(arrays, "AT_ONCE", 3)
    monkeypatch.setattr(arrays, "LONGEST", 8)


def rows(store: SQLiteStore) -> dict[Any, Step]:
    """All of them, by their ids."""
    with store.transaction() as tx:
        return {one.id: one for one in tx.search(StepQuery(limit=1000))}


def claim_all(store: SQLiteStore) -> tuple[Any, tuple[Step, ...]]:
    """By an engine."""
    engine = new_id()
    with store.transaction() as tx:
        tx.join(EngineInfo(id=engine, name="me", version="1", handles=(), queues=()))
        asked = ClaimRequest(engine_id=engine, request_id=new_id(), names=("v1/a",), limit=1000)
        return engine, tx.claim(asked).steps


def ending(claimed: Step, **fields: Any) -> Settlement:
    """It is done."""
    told: dict[str, Any] = {
        "ended_as": EndedAs.DONE,
        "description": None,
        "activation_seen": 0,
        "failure_count": 0,
        "execution_started_at": now(),
        "execution_duration": 0.1,
        "executed_by": "me",
    }
    return Settlement(claim=claimed.claim, **told | fields)


def itself(text: str | None) -> str | None:
    """A row that is its own long text."""
    return text


@pytest.mark.parametrize("arrayed", ["whole", "short_arrays"])
def test_added_rows_are_what_was_added(
    sqlite_store: SQLiteStore, arrayed: str, request: pytest.FixtureRequest
) -> None:
    if arrayed != "whole":
        request.getfixturevalue(arrayed)
    texts = [{"state": one, "correlation_id": one, "search_key": one} for one in TEXTS]
    mixed = [step(**fields, queue=str(number % 2)) for number, fields in enumerate(texts)]
    alike = [step(**fields, created_by_step_id=new_id()) for fields in texts]
    add(sqlite_store, *mixed, *alike)
    assert rows(sqlite_store) == {one.id: one for one in (*mixed, *alike)}


@pytest.mark.parametrize("arrayed", ["whole", "short_arrays"])
def test_each_of_many_ends_with_its_own_result_and_in_its_own_way(
    sqlite_store: SQLiteStore, arrayed: str, request: pytest.FixtureRequest
) -> None:
    if arrayed != "whole":
        request.getfixturevalue(arrayed)
    add(sqlite_store, *(step(state=str(number)) for number in range(40)))
    engine, claimed = claim_all(sqlite_store)
    told = [
        {
            "result": TEXTS[number % len(TEXTS)] if number % 3 else None,
            "description": TEXTS[-number % len(TEXTS)],
            "execution_duration": number / 7,
            "ended_as": [EndedAs.DONE, EndedAs.FAILED, EndedAs.SKIPPED][number % 3],
            "failure_count": number % 2,
        }
        for number in range(40)
    ]
    ended = [ending(one, **fields) for one, fields in zip(claimed, told, strict=True)]
    with sqlite_store.transaction() as tx:
        assert tx.settle(engine, ended) == [Verdict.APPLIED] * 40
        assert tx.count(StepQuery()).ready == 0
    found = rows(sqlite_store)
    for one, fields in zip(claimed, told, strict=True):
        row = found[one.id]
        assert {name: getattr(row, name) for name in fields} == fields
        assert (row.state, row.execution_count, row.claim) == (one.state, 1, one.claim)


def test_no_array_is_longer_than_it_may_be() -> None:
    short, long = "1" * 10, "1" * arrays.LONGEST
    assert list(arrays.pieces([short, long, None, short], itself)) == [
        [short],
        [long],
        [None, short],
    ]
    assert len(list(arrays.pieces([short] * 500, itself))) == 1


@pytest.mark.parametrize("wrong", [b"bytes", object(), float("nan"), "a\x00b", "\ud800"])
def test_a_result_that_cannot_be_kept_is_refused(sqlite_store: SQLiteStore, wrong: Any) -> None:
    """R16: it is the fault of the data, and nothing of it is kept."""
    add(sqlite_store, step(), step())
    engine, (one, other) = claim_all(sqlite_store)
    with sqlite_store.transaction() as tx, pytest.raises(SettlementRejected):
        tx.settle(engine, [ending(one), ending(other, result=wrong)])
    with sqlite_store.transaction() as tx:
        assert tx.count(StepQuery()).ready == 2
        assert tx.settle(engine, [ending(one)]) == [Verdict.APPLIED]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -float("inf")])
def test_a_duration_that_is_no_number_is_refused(sqlite_store: SQLiteStore, seconds: float) -> None:
    add(sqlite_store, step())
    engine, (one,) = claim_all(sqlite_store)
    with sqlite_store.transaction() as tx, pytest.raises(SettlementRejected):
        tx.settle(engine, [ending(one, execution_duration=seconds)])
    assert rows(sqlite_store)[one.id] == one


def test_a_row_of_another_width_is_refused_and_moves_none_of_the_others() -> None:
    assert arrays.blob(["ab", "cd"], 2) == b"abcd"
    with pytest.raises(SettlementRejected):
        arrays.blob(["ab", "c", "def"], 2)
    with pytest.raises(SettlementRejected):
        arrays.blob(["ab", "c"], 2)


def test_rows_that_share_their_values_go_together_whatever_stands_between() -> None:
    found = dict(arrays.alike([1, 2, 3, 4, 5], lambda number: (number % 2,)))
    assert found == {(1,): [1, 3, 5], (0,): [2, 4]}


def test_what_a_stale_claim_would_add_is_refused_with_it(sqlite_store: SQLiteStore) -> None:
    """R12: though all of it was written at once, before it was seen that one did not hold."""
    add(sqlite_store, step(), step())
    engine, (one, other) = claim_all(sqlite_store)
    spawned = [Addition(step(name="v1/spawned", search_key=key)) for key in ("kept", "not kept")]
    with sqlite_store.transaction() as tx:
        tx.reschedule(other.id, now())
        ended = [
            ending(claimed, additions=(addition,))
            for claimed, addition in zip((one, other), spawned, strict=True)
        ]
        assert tx.settle(engine, ended) == [Verdict.APPLIED, Verdict.REFUSED]
    found = rows(sqlite_store)
    assert found[one.id].ended_as is EndedAs.DONE
    assert found[other.id].ended_as is None
    assert [addition.step.id in found for addition in spawned] == [True, False]
