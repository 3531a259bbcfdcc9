"""A claim gives the whole row, though it reads only what rows mostly have."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import JoinPolicy, Priority, Retention, Step, StepQuery
from stepwell.stores.protocol import ClaimRequest, EngineInfo
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite.claiming import WINDOW
from stepwell.stores.sqlite.moving import insert
from stepwell.stores.sqlite.statements import Statements

CLAIMED = {
    "ended_at",
    "ended_as",
    "claimed_by",
    "claim_no",
    "claim_request",
    "claimed_at",
    "started",
    "parked",
    "waiting_for",
}
"""What a claim says of each row."""
LIMITED: dict[str, Any] = {"limit_key": "k", "limit_slots": 7, "rate_key": "r"}
RARE: dict[str, Any] = {
    "unique_key": "u",
    "copy_of": new_id(),
    "activation_args": '"\U0001f642"',
    "execution_started_at": now(),
    "executed_by": "me",
    "result": "1",
    "fingerprint": "f",
    "join_id": new_id(),
    "join_policy": JoinPolicy.GO_ON,
}
FULL = Step(
    id=new_id(),
    name="v1/a",
    flow_id=new_id(),
    created_at=now(),
    schedule_time=now(),
    queue="q",
    priority=Priority.HIGH,
    correlation_id="c",
    search_key="s",
    description="d",
    created_by_step_id=new_id(),
    retention=Retention.LONG,
    state="1",
    state_format="other",
    activation_no=3,
    activation_seen=2,
    execution_count=4,
    failure_count=5,
    lost_count=1,
    execution_duration=0.1,
    result_format="third",
    **RARE,
    **LIMITED,
)


def claim(store: SQLiteStore, path: Path, row: Step, *, limited: bool, limit: int) -> Step:
    """Put the row into the database, and claim it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        insert(Statements(connection), [row])
    engine = new_id()
    with store.transaction() as tx:
        tx.join(EngineInfo(id=engine, name="me", version="1", handles=(), queues=()))
        asked = ClaimRequest(
            engine_id=engine,
            request_id=new_id(),
            names=("v1/a",),
            queues=("q",),
            limit=limit,
            limited=limited,
        )
        (claimed,) = tx.claim(asked).steps
    return claimed


def test_every_column_is_looked_at_here() -> None:
    """A column that comes later is to be read by the claim, too."""
    bare = Step(id=new_id(), name="", flow_id=new_id(), created_at=now(), schedule_time=now())
    same = {one.name for one in fields(Step) if getattr(FULL, one.name) == getattr(bare, one.name)}
    assert same == CLAIMED


def keeping(*kept: str) -> Step:
    """The row with these of its rare columns alone."""
    gone: dict[str, Any] = dict.fromkeys([one for one in (*RARE, *LIMITED) if one not in kept])
    return replace(FULL, **gone)


@pytest.mark.parametrize("limit", [WINDOW - 1, WINDOW])
@pytest.mark.parametrize(
    "row", [FULL, keeping(*RARE), keeping(), *(keeping(one) for one in (*RARE, *LIMITED))]
)
def test_a_claimed_row_is_the_row_that_is_found(
    sqlite_store: SQLiteStore, sqlite_path: Path, row: Step, limit: int
) -> None:
    """Whether it was chosen among several bands, or read with all of its own."""
    limited = bool(row.limit_key or row.rate_key)
    claimed = claim(sqlite_store, sqlite_path, row, limited=limited, limit=limit)
    with sqlite_store.transaction() as tx:
        assert tx.search(StepQuery(ids=(row.id,))) == [claimed]
    assert claimed == replace(
        row,
        claimed_by=claimed.claimed_by,
        claim_no=1,
        claim_request=claimed.claim_request,
        claimed_at=claimed.claimed_at,
    )
