"""What each statement sees, whatever isolation the database, the address or the caller has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import quote

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier
from tests.stores.postgres.support import NAME, add, claim, engine, make

from stepwell import StepClient, StepQuery, new_step
from stepwell.errors import NotSupported, StoreUnavailable
from stepwell.stores.postgres import PostgresStore

LEVEL = "default_transaction_isolation"


@pytest.fixture(params=["database", "pooler", "address"])
def store(
    request: pytest.FixtureRequest, postgres_database: Callable[[], str]
) -> Iterator[PostgresStore]:
    """A store whose transactions would be of REPEATABLE READ by default."""
    url = postgres_database()
    with psycopg.connect(url, autocommit=True) as admin:
        name = Identifier(admin.info.dbname)
        admin.execute(SQL(f"ALTER DATABASE {{}} SET {LEVEL} = 'repeatable read'").format(name))
    if request.param == "address":
        url += "&options=" + quote(f"-c {LEVEL}=repeatable\\ read", safe="")
    with closing(PostgresStore(url, pooler=request.param == "pooler")) as made:
        made.migrate()
        yield made


def test_a_claim_that_was_committing_at_a_burial_is_given_back(store: PostgresStore) -> None:
    """R11: else it would be claimed for ever."""
    me = engine(store)
    add(store, make())
    with store.transaction() as tx:
        tx.controls()
        assert len(claim(store, me).steps) == 1
        burial = tx.bury(me, 0)
    assert burial is not None
    assert burial.released == 1
    assert StepClient(store).count(claimed=True).ready == 0


def test_a_handlers_transaction_bears_that_its_row_is_marked(store: PostgresStore) -> None:
    """R26: the heartbeat does so when it takes long."""
    me = engine(store)
    add(store, make())
    (step,) = claim(store, me).steps
    with store.exclusive() as tx:
        assert tx.lock(me, step.claim, 30.0)
        with store.transaction() as other:
            other.beat(me, [step.claim])
        assert tx.release(me, [step.claim]) == 1


@pytest.fixture
def callers(
    postgres_steps: str, request: pytest.FixtureRequest
) -> Iterator[list[psycopg.Connection[tuple[object, ...]]]]:
    """Two transactions of this isolation that have begun."""
    with psycopg.connect(postgres_steps) as first, psycopg.connect(postgres_steps) as second:
        for one in (first, second):
            one.isolation_level = request.param
            one.execute("SELECT count(*) FROM stepwell_ready")
        yield [first, second]


@pytest.mark.parametrize("callers", [IsolationLevel.REPEATABLE_READ], indirect=True)
def test_add_if_none_is_refused_where_it_cannot_see_what_others_have_added(
    postgres_steps: str, callers: list[psycopg.Connection[tuple[object, ...]]]
) -> None:
    """R9: two callers would both add. The caller's transaction goes on."""
    with closing(PostgresStore(postgres_steps)) as store:
        steps, query = StepClient(store), StepQuery(name=NAME, search_key="past")
        for one in callers:
            with pytest.raises(NotSupported, match="REPEATABLE READ"):
                steps.add_if_none(new_step(NAME, search_key="past"), query, connection=one)
            steps.add(new_step("v1/other"), connection=one)
            one.commit()
        assert steps.count(query).ready == 0


@pytest.mark.parametrize("callers", [IsolationLevel.SERIALIZABLE], indirect=True)
def test_of_two_serializable_callers_one_adds(
    postgres_steps: str, callers: list[psycopg.Connection[tuple[object, ...]]]
) -> None:
    """R9: the database sees to it."""
    first, second = callers
    with closing(PostgresStore(postgres_steps)) as store:
        steps, query = StepClient(store), StepQuery(name=NAME, search_key="serial")
        assert steps.add_if_none(new_step(NAME, search_key="serial"), query, connection=first)
        first.commit()
        with pytest.raises(StoreUnavailable, match="serialize"):
            steps.add_if_none(new_step(NAME, search_key="serial"), query, connection=second)
        assert steps.count(query).ready == 1
