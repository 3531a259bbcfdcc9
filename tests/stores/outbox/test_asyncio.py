"""What only connections of asyncio can get wrong: cancellation, crowds, settings of drivers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tests.stores.outbox.conftest import Shop
from tests.stores.outbox.kinds import of_asyncpg, of_psycopg_async

from stepwell import StepQuery, new_step
from stepwell.errors import Conflict, StoreUnavailable, UniqueKeyTaken

NAME = "v1/send-receipt"
PATIENCE = 90.0
CROWD = 64
"""More callers at once than asyncio has threads in its pool, or connections to spare."""

Connect = Callable[[str], Any]


@asynccontextmanager
async def asyncpg_alone(url: str) -> AsyncIterator[Any]:
    mine = await asyncpg.connect(url)
    try:
        yield mine
    finally:
        await mine.close()


@asynccontextmanager
async def psycopg_alone(url: str) -> AsyncIterator[Any]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as mine:
        yield mine


@asynccontextmanager
async def sqlalchemy_alone(url: str) -> AsyncIterator[Any]:
    address = url.replace("postgresql", "postgresql+asyncpg", 1)
    database = create_async_engine(address, isolation_level="AUTOCOMMIT")
    async with database.connect() as mine:
        yield mine
    await database.dispose()


@pytest.fixture
def shop(shop_on_database: Shop) -> Shop:
    return shop_on_database


@pytest.mark.parametrize("connect", [asyncpg_alone, psycopg_alone, sqlalchemy_alone])
def test_outside_a_transaction_each_verb_is_whole(shop: Shop, connect: Connect) -> None:
    async def act() -> None:
        async with connect(shop.url) as mine:
            await shop.steps.add_async(new_step(NAME, unique_key="k"), connection=mine)
            assert shop.steps.count().ready == 1
            clash = new_step(NAME, unique_key="k")
            with pytest.raises(UniqueKeyTaken):
                await shop.steps.add_async(new_step(NAME), clash, connection=mine)
            found = StepQuery(name=NAME)
            add_if_none = shop.steps.add_if_none_async
            assert await add_if_none(new_step(NAME), found, connection=mine) is None

    asyncio.run(act())
    assert shop.steps.count().ready == 1


def test_a_transaction_of_asyncpg_that_was_begun_by_hand_is_the_callers(shop: Shop) -> None:
    async def act() -> None:
        async with asyncpg_alone(shop.url) as mine:
            await mine.execute("BEGIN")
            await shop.steps.add_async(new_step(NAME), connection=mine)
            await mine.execute("ROLLBACK")

    asyncio.run(act())
    assert shop.steps.count().ready == 0


def test_the_callers_own_codecs_change_nothing(shop: Shop) -> None:
    async def act() -> None:
        async with asyncpg_alone(shop.url) as mine:
            for name in ("json", "jsonb"):
                await mine.set_type_codec(
                    name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
                )
            await shop.steps.add_async(new_step(NAME, {"order": 1}), connection=mine)

    asyncio.run(act())
    assert [step.state for step in shop.steps.search()] == ['{"order":1}']


def test_a_session_that_ran_nothing_yet_is_begun(shop: Shop) -> None:
    """SQLAlchemy begins asyncpg's transaction with its first statement, and not before."""

    async def act() -> None:
        database = create_async_engine(shop.url.replace("postgresql", "postgresql+asyncpg", 1))
        async with AsyncSession(database) as session, session.begin():
            await shop.steps.add_async(new_step(NAME), connection=session)
            assert shop.steps.count().ready == 0
            await session.execute(text("INSERT INTO orders VALUES (1)"))
        await database.dispose()

    asyncio.run(act())
    assert (shop.orders(), shop.steps.count().ready) == (1, 1)


KINDS = pytest.mark.parametrize("kind", [of_asyncpg, of_psycopg_async])


@KINDS
def test_a_transaction_that_has_failed_says_so(shop: Shop, kind: Connect) -> None:
    async def act() -> None:
        async with kind(shop.url) as held:
            with pytest.raises(Exception, match="division by zero"):
                await held.execute("SELECT 1 / 0")
            with pytest.raises(Conflict, match="failed already"):
                await held.add(shop.steps, new_step(NAME))
            await held.rollback()

    asyncio.run(act())


@KINDS
def test_a_server_that_hangs_up_is_a_pause(shop: Shop, kind: Connect) -> None:
    async def act() -> None:
        async with kind(shop.url) as held:
            await held.execute("SET LOCAL application_name = 'to be ended'")
            await asyncio.to_thread(_hang_up, shop.url)
            with pytest.raises(StoreUnavailable):
                await held.add(shop.steps, new_step(NAME))

    asyncio.run(act())
    assert shop.steps.count().ready == 0


@KINDS
def test_a_cancelled_verb_is_taken_back_and_the_transaction_goes_on(
    shop: Shop, kind: Connect
) -> None:
    kept = new_step(NAME)

    async def act() -> None:
        async with kind(shop.url) as holder, kind(shop.url) as held:
            await holder.add(shop.steps, new_step(NAME, unique_key="k"))
            await held.execute("SELECT 1")
            adding = asyncio.create_task(
                held.add(shop.steps, new_step(NAME), new_step(NAME, unique_key="k"))
            )
            await _until_somebody_waits(shop.url)
            adding.cancel()
            with pytest.raises(asyncio.CancelledError):
                await adding
            await held.add(shop.steps, kept)
            await held.commit()
            await holder.rollback()

    asyncio.run(act())
    assert [step.id for step in shop.steps.search()] == [kept.id]


@KINDS
def test_a_verb_out_of_time_is_taken_back(shop: Shop, kind: Connect) -> None:
    async def act() -> None:
        async with kind(shop.url) as holder, kind(shop.url) as held:
            await holder.add(shop.steps, new_step(NAME, unique_key="k"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await held.add(shop.steps, new_step(NAME, unique_key="k"))
            await held.commit()
            await holder.commit()

    asyncio.run(act())
    assert shop.steps.count().ready == 1


def test_a_cancellation_before_the_first_statement_adds_nothing(shop: Shop) -> None:
    async def act() -> None:
        async with of_asyncpg(shop.url) as held:
            adding = asyncio.create_task(held.add(shop.steps, new_step(NAME)))
            asyncio.get_running_loop().call_soon(adding.cancel)
            with pytest.raises(asyncio.CancelledError):
                await adding
            await held.commit()

    asyncio.run(act())
    assert shop.steps.count().ready == 0


def test_a_crowd_that_waits_for_a_transaction_does_not_keep_it_from_going_on(shop: Shop) -> None:
    async def wait(url: str) -> None:
        async with of_asyncpg(url) as held:
            with pytest.raises(UniqueKeyTaken):
                await held.add(shop.steps, new_step(NAME, unique_key="k"))

    async def act() -> None:
        async with of_asyncpg(shop.url) as holder:
            await holder.add(shop.steps, new_step(NAME, unique_key="k"))
            crowd = asyncio.gather(*(wait(shop.url) for _ in range(CROWD)))
            await _until_somebody_waits(shop.url, CROWD)
            await asyncio.wait_for(holder.add(shop.steps, new_step(NAME)), PATIENCE)
            await holder.commit()
            await crowd

    asyncio.run(act())
    assert shop.steps.count().ready == 2


def test_if_none_matches_needs_no_connection(shop: Shop) -> None:
    async def act() -> None:
        query = StepQuery(name=NAME)
        assert await shop.steps.add_if_none_async(new_step(NAME), query) is not None
        assert await shop.steps.add_if_none_async(new_step(NAME), query) is None

    asyncio.run(act())


def test_a_synchronous_connection_may_be_lent_by_a_coroutine(shop: Shop) -> None:
    async def act(mine: psycopg.Connection[Any]) -> None:
        await shop.steps.add_async(new_step(NAME), connection=mine)
        assert shop.steps.count().ready == 0

    with psycopg.connect(shop.url) as mine:
        asyncio.run(act(mine))
    assert shop.steps.count().ready == 1


def _hang_up(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE application_name = 'to be ended'"
        )


async def _until_somebody_waits(url: str, count: int = 1) -> None:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    async with asyncio.timeout(PATIENCE), asyncpg_alone(url) as mine:
        while await mine.fetchval(query) < count:
            await mine.execute("SELECT pg_sleep(0.01)")
