"""Rows are looked up one by one also where the planner thinks that there are none.

A table whose rows come and go is analyzed now and then while it is just empty. PostgreSQL then
takes it for one row, until it is analyzed again: for a minute, however many come (R23).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from tests.stores.postgres.conftest import EMPTY
from tests.stores.postgres.plans import explain_on, nodes
from tests.stores.postgres.support import add, engine, make, outcome, request

from stepwell.ids import new_id
from stepwell.step import Addition, JoinPolicy, Step
from stepwell.stores.postgres import PostgresStore, settling
from stepwell.stores.postgres.own import OwnStatements
from stepwell.stores.postgres.queries import Call, Row
from stepwell.stores.postgres.transaction import PostgresTransaction

ASKED: Final = 40
OTHERS: Final = 1500
"""Rows that nothing is asked of."""


@pytest.fixture
def thought_empty(store: PostgresStore, postgres_steps: str) -> PostgresStore:
    """The store, whose many rows have come after the analysis."""
    _add_others(store)
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute("ANALYZE stepwell_ready")  # what it has learned here of values stays
        connection.execute(EMPTY)
    add(store, *[make() for _ in range(50)])
    with psycopg.connect(postgres_steps, autocommit=True) as connection:
        connection.execute(EMPTY)
        connection.execute("ANALYZE stepwell_ready")  # pages that have no rows
    _add_others(store)
    return store


def _add_others(store: PostgresStore) -> None:
    for fields in ({"queue": "other"}, {"parked": True}, {"limit_key": "a"}):
        add(store, *[make("v1/other", **fields) for _ in range(OTHERS)])


def _read(node: dict[str, Any]) -> int:
    """How many rows a part of a plan has looked at, or how often for one that was not there."""
    removed = sum(float(node[name]) for name in node if name.startswith("Rows Removed"))
    return round(max(float(node["Actual Rows"]) + removed, 1) * float(node["Actual Loops"]))


class Watch:
    """What the statements read, as the server says: each is run twice, and once taken back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plans: list[tuple[str, dict[str, Any]]] = []
        rows_of = OwnStatements.rows_of

        def watched(do: OwnStatements, *calls: Call) -> list[list[Row]]:
            answers = []
            for call in calls:
                with do.connection.transaction(force_rollback=True):
                    plan = explain_on(do.connection, *call)
                self.plans.append((call[0].text.decode(), plan))
                answers += rows_of(do, call)
            return answers

        monkeypatch.setattr(OwnStatements, "rows_of", watched)

    def worst(self) -> tuple[int, str]:
        """The most rows that a part of a statement has looked at, and which."""
        return max(
            (_read(node), f"{json.dumps(node, indent=1)}\n{text}")
            for text, plan in self.plans
            for node in nodes(plan)
        )

    def indexes(self) -> set[str]:
        """Which indexes of the ready rows were used with a condition on an id."""
        return {
            node["Index Name"]
            for _, plan in self.plans
            for node in nodes(plan)
            if "(id = ANY" in node.get("Index Cond", "")
            and node["Index Name"].startswith("stepwell_ready")
        }


def _mine(**fields: Any) -> list[Step]:
    return [make(**fields) for _ in range(ASKED)]


def _claim(tx: PostgresTransaction, me: UUID, **fields: Any) -> tuple[Step, ...]:
    steps = tx.claim(request(me, **fields)).steps
    assert len(steps) == ASKED
    return steps


def settle(tx: PostgresTransaction, me: UUID) -> None:
    """Rows that were claimed end, or go back."""
    ended, again = (_claim(tx, me, limit=ASKED) for _ in range(2))
    told = [outcome(step) for step in ended] + [outcome(step, ended_as=None) for step in again]
    assert len(tx.settle(me, told)) == 2 * ASKED


def settle_locked(tx: PostgresTransaction, me: UUID) -> None:
    """Rows that were only locked end."""
    steps = _claim(tx, me, limit=ASKED, locking=True)
    assert len(tx.settle(me, [outcome(step, unwritten=True) for step in steps])) == ASKED


def settle_last(tx: PostgresTransaction, me: UUID) -> None:
    """Rows end and spawn others, by the statement that goes with the commit."""
    _settle_last(tx, me, alive=None)


def settle_if_alive(tx: PostgresTransaction, me: UUID) -> None:
    """The same where the engine may have been declared dead."""
    _settle_last(tx, me, alive=me)


def _settle_last(tx: PostgresTransaction, me: UUID, alive: UUID | None) -> None:
    told = [
        replace(outcome(step), additions=(Addition(make(created_by_step_id=step.id), fresh=True),))
        for step in _claim(tx, me, limit=ASKED)
    ]
    rows = [one.additions[0] for one in told]
    rows = [replace(one, step=replace(one.step, claimed_by=me)) for one in rows]
    asked = settling.Asked([me] * ASKED, told, packed=True, alive=alive)
    tx._do.rows_of(settling.last(asked, rows))


def hold(tx: PostgresTransaction, me: UUID) -> None:
    """Locks are written down."""
    steps = _claim(tx, me, limit=ASKED, locking=True)
    assert tx.hold(me, new_id(), [step.claim for step in steps]) == ASKED


def beat_and_release(tx: PostgresTransaction, me: UUID) -> None:
    """Claims are marked as started, and given back."""
    claims = [step.claim for step in _claim(tx, me, limit=ASKED)]
    assert not tx.beat(me, claims).lost
    assert tx.release(me, claims) == ASKED


def leave(tx: PostgresTransaction, me: UUID) -> None:
    """An engine goes, and gives back what it holds."""
    _claim(tx, me, limit=ASKED)
    tx.leave(me)


def weighed(tx: PostgresTransaction, me: UUID) -> None:
    """Two bands have due rows."""
    assert all(tx.add([Addition(make(priority=2))]))
    _claim(tx, me, limit=ASKED)


def of_flow(tx: PostgresTransaction, me: UUID) -> None:
    """Rows of one flow are claimed."""
    flow = new_id()
    assert all(tx.add([Addition(step) for step in _mine(flow_id=flow)]))
    _claim(tx, me, limit=ASKED, flow_id=flow)


def limited(tx: PostgresTransaction, me: UUID) -> None:
    """Rows with limits are claimed."""
    steps = [make(limit_key=str(place), rate_key="mail") for place in range(ASKED)]
    assert all(tx.add([Addition(step) for step in steps]))
    _claim(tx, me, limit=ASKED, limited=True)


def joined(tx: PostgresTransaction, me: UUID) -> None:
    """The members of joins end."""
    waiting = [
        make(waiting_for=1, join_policy=JoinPolicy.WAIT, name="v1/then") for _ in range(ASKED)
    ]
    members = [make(join_id=one.id, queue="members") for one in waiting]
    assert all(tx.add([Addition(step) for step in (*waiting, *members)]))
    steps = _claim(tx, me, limit=ASKED, queues=("members",))
    tx.settle(me, [outcome(step) for step in steps])


def added(tx: PostgresTransaction, me: UUID) -> None:
    """Rows are added, for which the history is asked."""
    assert all(tx.add([Addition(step) for step in _mine()]))


@pytest.mark.parametrize(
    "verbs",
    [
        settle,
        settle_locked,
        settle_last,
        settle_if_alive,
        hold,
        beat_and_release,
        leave,
        weighed,
        of_flow,
        limited,
        joined,
        added,
    ],
    ids=lambda verbs: str(verbs.__name__),
)
def test_a_verb_reads_the_rows_that_it_is_about(
    thought_empty: PostgresStore,
    monkeypatch: pytest.MonkeyPatch,
    verbs: Callable[[PostgresTransaction, UUID], None],
) -> None:
    me = engine(thought_empty)
    add(thought_empty, *_mine(), *_mine())
    with thought_empty.transaction() as tx, monkeypatch.context() as patch:
        watch = Watch(patch)
        verbs(tx, me)
    assert watch.plans
    most, where = watch.worst()
    assert most <= 5 * ASKED, where
    assert watch.indexes() <= {"stepwell_ready_pkey"}
