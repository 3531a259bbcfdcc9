"""Our statements on connections of our own: what they send, read, and leave behind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from tests.stores.postgres.support import add, claim, engine, make, request

from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.prepared import NEVER, Own
from stepwell.stores.postgres.queries import Call, numbered

ONE: Call = numbered("SELECT 1"), {}
DIVISION = numbered("SELECT 1 / %(by)s::integer")
NAMES: Call = (
    numbered("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stepwell_%%'"),
    {},
)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@pytest.fixture(params=["together", "by one", "unnamed"])
def own(
    request: pytest.FixtureRequest, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Own]:
    """With a library that knows pipelines, and with one that does not; and behind a pooler."""
    if request.param == "by one":
        monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: False)
    threshold = None if request.param == "unnamed" else NEVER
    with closing(Own.connect(postgres_url, prepare_threshold=threshold)) as connection:
        connection.execute("CREATE TEMPORARY TABLE kept (number integer PRIMARY KEY)")
        connection.commit()
        yield connection


def _divided(by: int) -> Call:
    return DIVISION, {"by": by}


def _kept(number: int) -> Call:
    return numbered("INSERT INTO kept VALUES (%(number)s::integer)"), {"number": number}


def _all_kept(own: Own) -> list[int]:
    (rows,) = own.prepared.rows((numbered("SELECT number FROM kept ORDER BY number"), {}))
    own.rollback()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 'ä"\\{},\n'),
        ("text", ""),
        ("text", None),
        ("bigint", -(2**62)),
        ("double precision", 0.1),
        ("double precision", math.inf),
        ("boolean", True),
        ("boolean", False),
        ("uuid", UUID(int=7)),
        ("timestamptz", datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)),
        ("text[]", ["", "NULL", None, 'a"b', "back\\slash", "{,}"]),
        ("text[]", []),
        ("bigint[]", [1, None, 3]),
        ("uuid[]", [UUID(int=1), UUID(int=2)]),
        ("timestamptz[]", [datetime(2026, 2, 3, tzinfo=UTC)]),
        ("text", Colour.RED),
        ("bigint", Level.HIGH),
    ],
    ids=lambda one: one if isinstance(one, str) and one.isascii() and one.isprintable() else "",
)
def test_a_value_arrives_as_it_was(own: Own, kind: str, value: Any) -> None:
    ((row,),) = own.prepared.rows((numbered(f"SELECT %(value)s::{kind}"), {"value": value}))
    assert row[0] == value
    assert type(row[0]) in type(value).__mro__


@pytest.mark.parametrize("value", ["a\0b", ["a\0b"]], ids=["text", "array"])
def test_a_text_with_a_nul_is_refused_and_not_cut(own: Own, value: Any) -> None:
    kind = "text" if isinstance(value, str) else "text[]"
    own.prepared.begin()
    with pytest.raises(psycopg.DataError, match="NUL"):
        own.prepared.rows((numbered(f"SELECT %(value)s::{kind}"), {"value": value}))
    own.prepared.finish()
    own.rollback()
    assert own.prepared.rows(ONE) == [[(1,)]]


def test_a_refused_statement_raises_what_the_driver_would_and_those_behind_it_are_not_run(
    own: Own,
) -> None:
    own.prepared.begin()
    with pytest.raises(psycopg.errors.DivisionByZero):
        own.prepared.rows(_kept(1), _divided(0), _kept(2))
    assert own.info.transaction_status is TransactionStatus.INERROR
    own.rollback()
    assert _all_kept(own) == []
    assert own.prepared.rows(_divided(1)) == [[(1,)]]


def test_nothing_is_committed_if_one_of_the_last_statements_is_refused(own: Own) -> None:
    own.prepared.begin()
    with pytest.raises(psycopg.errors.DivisionByZero):
        own.prepared.commit(_kept(1), _divided(0), after=ONE)
    own.rollback()
    assert _all_kept(own) == []


def test_what_comes_after_the_commit_may_fail(own: Own) -> None:
    own.prepared.begin()
    rows, done = own.prepared.commit(_divided(1), _kept(1), after=_divided(0))
    assert (rows, done) == ([[(1,)], []], False)
    assert own.info.transaction_status is TransactionStatus.IDLE
    own.prepared.begin()
    assert own.prepared.commit(after=ONE) == ([], True)
    assert _all_kept(own) == [1]


def test_a_commit_that_is_refused_raises(own: Own) -> None:
    own.execute("CREATE TEMPORARY TABLE late (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    own.commit()
    own.prepared.begin()
    with pytest.raises(psycopg.errors.UniqueViolation):
        own.prepared.commit((numbered("INSERT INTO late VALUES (1), (1)"), {}), after=ONE)
    assert own.info.transaction_status is TransactionStatus.IDLE


def test_names_are_given_once_and_survive_a_rollback(own: Own) -> None:
    def names() -> int:
        for _ in range(8):
            own.execute("SELECT 1")  # if the driver keeps a name for it, a rollback takes back all
        (((count,),),) = own.prepared.rows(NAMES)
        own.rollback()
        return int(count)

    kept = 0 if own.prepare_threshold is None else 1
    assert [names() for _ in range(8)] == [kept] * 8


def test_a_statement_that_could_not_be_prepared_is_prepared_again(own: Own) -> None:
    late: Call = numbered("SELECT count(*) FROM not_yet"), {}
    with pytest.raises(psycopg.errors.UndefinedTable):
        own.prepared.rows(ONE, late)
    own.rollback()
    own.execute("CREATE TEMPORARY TABLE not_yet ()")
    own.commit()
    assert own.prepared.rows(ONE, late) == [[(1,)], [(0,)]]


def test_after_an_interrupt_nobody_uses_the_connection(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver cancels the statement; whether it took place, nobody knows."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    own.prepared.begin()
    monkeypatch.setattr(own, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        own.prepared.commit(_kept(1))
    assert own.closed


def test_a_statement_has_one_plan_whatever_values_are_missing(store: PostgresStore) -> None:
    engine(store)
    for fields in {}, {"search_key": "k"}, {"queue": "other", "limit_key": "a"}:
        add(store, make(**fields))
    with store.transaction() as tx:
        asked = (
            "SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'INTO stepwell_ready'"
        )
        row = tx.connection.execute(asked).fetchone()
    assert row == (1,)


def test_a_transaction_is_a_journey_for_each_answer_that_it_needs(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins with its first statement, and commits with its last one."""
    journeys: list[object] = []
    wait = Own.wait

    def counted(connection: Own, *args: Any, **kwargs: Any) -> Any:
        journeys.append(args)
        return wait(connection, *args, **kwargs)

    monkeypatch.setattr(Own, "wait", counted)
    me = engine(store)
    add(store, make(), make())
    claim(store, me, locking=True)  # the first time it is prepared
    with store.transaction() as tx:
        journeys.clear()
        assert len(tx.claim(request(me, locking=True)).steps) == 2
        assert len(journeys) == 1
        assert tx.claimed(me) == []
        assert len(journeys) == 2
    assert len(journeys) == 3
