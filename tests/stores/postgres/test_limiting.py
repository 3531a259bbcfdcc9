"""Limited claims on PostgreSQL: what they cost, and what an engine frozen inside one holds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from tests.stores.postgres.support import add, claim, engine, make, request

from stepwell.step import Step
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.own import OwnStatements
from stepwell.stores.postgres.queries import Row, Statement, sql
from stepwell.stores.postgres.statements import Statements


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are executed, as text."""
    seen: list[str] = []
    ask = OwnStatements.ask

    def noted(do: OwnStatements, statement: Statement, values: Mapping[str, Any]) -> list[Row]:
        seen.append(statement.text.decode())
        return ask(do, statement, values)

    monkeypatch.setattr(OwnStatements, "ask", noted)
    return seen


@pytest.mark.parametrize(("locking", "statements"), [(True, 1), (False, 2)])
def test_without_limited_rows_a_claim_looks_and_marks_and_asks_nothing_else(
    store: PostgresStore, asked: list[str], locking: bool, statements: int
) -> None:
    me = engine(store)
    add(store, make())
    asked.clear()
    assert len(claim(store, me, locking=locking).steps) == 1
    assert len(asked) == statements


def test_a_limited_claim_that_may_take_nothing_is_one_statement(
    store: PostgresStore, asked: list[str]
) -> None:
    me = engine(store)
    add(store, make(limit_key="a"), make(limit_key="a"))
    assert len(claim(store, me, limited=True).steps) == 1
    asked.clear()
    assert claim(store, me, limited=True).steps == ()
    assert len(asked) == 1


def test_a_look_at_a_key_with_many_rows_reads_the_first_alone(store: PostgresStore) -> None:
    add(store, *[make(limit_key="a") for _ in range(2000)], make(limit_key="b"))
    look = sql("limited_keys", "limited_rows")
    values = {
        "engine_id": engine(store),
        "names": ["v1/work"],
        "queues": ["default"],
        "flow_id": None,
        "depth": 1,
        "beyond": "",
        "keys_at_once": 256,
    }
    explained = replace(look, typed=b"EXPLAIN (ANALYZE, BUFFERS) " + look.typed)
    with store.transaction() as tx:
        plan = [row[0] for row in tx._do.ask(explained, values)]
    assert any("stepwell_ready_keys" in line for line in plan)
    assert not any("Seq Scan" in line for line in plan)
    hit = next(line for line in plan if "Buffers: shared hit=" in line)
    assert int(hit.split("shared hit=")[1].split()[0]) < 150


def test_an_engine_frozen_inside_a_limited_claim_holds_up_its_keys_and_nothing_else(
    store: PostgresStore,
) -> None:
    frozen, me = engine(store), engine(store)
    add(store, *[make(limit_key="a", limit_slots=9) for _ in range(3)])
    with store.transaction() as tx:
        assert len(tx.claim(request(frozen, limited=True, limit=1)).steps) == 1
        add(store, make(limit_key="b"), make())
        claimed = claim(store, me, limited=True)
        assert [step.limit_key for step in claimed.steps] == ["b"]
        assert claimed.limited_due
        assert len(claim(store, me).steps) == 1
    assert len(claim(store, me, limited=True).steps) == 2


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_slot_is_given_once_whatever_isolation_the_database_has_by_default(
    postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """Another engine claims, and commits, between a claim's look and its locks."""
    url = postgres_database()
    with psycopg.connect(url, autocommit=True) as admin:
        name = Identifier(admin.info.dbname)
        admin.execute(
            SQL("ALTER DATABASE {} SET default_transaction_isolation = {}").format(name, level)
        )
    store, other = PostgresStore(url), PostgresStore(url)
    store.migrate()
    me, another = engine(store), engine(other)
    add(store, make(limit_key="a"), make("v1/other", limit_key="a"))
    rows = Statements.rows
    theirs: list[tuple[Step, ...]] = []

    def after_another(self: Statements, *names: str, **values: Any) -> Any:
        if names == ("lock_keys",) and not theirs:
            theirs.append(())  # its own comes here, too
            theirs[0] = claim(other, another, limited=True, names=("v1/other",)).steps
        return rows(self, *names, **values)

    monkeypatch.setattr(Statements, "rows", after_another)
    mine = claim(store, me, limited=True).steps
    assert (len(mine), len(theirs[0])) == (0, 1)
    for one in (store, other):
        one.close()
