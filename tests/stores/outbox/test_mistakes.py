"""What cannot be lent is refused before anything happens, with a way out."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import psycopg_pool
import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tests.stores.outbox.conftest import Shop
from tests.stores.outbox.kinds import of_aiosqlite, of_asyncpg, of_psycopg_async

from stepwell import StepClient, new_step
from stepwell.errors import NotSupported
from stepwell.stores.memory import MemoryStore

STEP = new_step("v1/send-receipt")


@pytest.fixture
def steps(shop_on_database: Shop) -> StepClient:
    return shop_on_database.steps


@pytest.fixture
def url(shop_on_database: Shop) -> str:
    return shop_on_database.url


@pytest.mark.parametrize("kind", [of_asyncpg, of_psycopg_async])
def test_a_connection_of_asyncio_must_be_awaited(steps: StepClient, url: str, kind: Any) -> None:
    async def act() -> None:
        async with kind(url) as held:
            with pytest.raises(NotSupported, match="add_async"):
                steps.add(STEP, connection=held.lent)

    asyncio.run(act())


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql+psycopg"])
def test_the_synchronous_side_of_a_session_of_asyncio_too(
    steps: StepClient, url: str, scheme: str
) -> None:
    async def act() -> None:
        database = create_async_engine(url.replace("postgresql", scheme, 1))
        async with AsyncSession(database) as session:
            with pytest.raises(NotSupported, match="add_async"):
                steps.add(STEP, connection=session)
            with pytest.raises(NotSupported, match="add_async"):
                await session.run_sync(lambda inner: steps.add(STEP, connection=inner))
        await database.dispose()

    asyncio.run(act())


def test_another_databases_connection_is_refused(steps: StepClient, tmp_path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as mine,
        pytest.raises(NotSupported, match="This Connection cannot be lent to a PostgreSQL"),
    ):
        steps.add(STEP, connection=mine)

    async def act() -> None:
        async with of_aiosqlite(str(tmp_path / "other.db")) as held:
            with pytest.raises(NotSupported, match="cannot be lent to a PostgreSQL"):
                await held.add(steps, STEP)

    asyncio.run(act())


def test_a_connection_to_postgresql_is_refused_for_a_file(sqlite_store: Any, url: str) -> None:
    steps = StepClient(sqlite_store)
    with psycopg.connect(url) as mine, pytest.raises(NotSupported, match="to a SQLite store"):
        steps.add(STEP, connection=mine)

    async def act() -> None:
        async with of_asyncpg(url) as held:
            with pytest.raises(NotSupported, match="cannot be lent to a SQLite store"):
                await held.add(steps, STEP)

    asyncio.run(act())


def test_a_pool_or_an_engine_is_no_connection(steps: StepClient, url: str) -> None:
    database = create_engine(url.replace("postgresql", "postgresql+psycopg", 1))
    with pytest.raises(NotSupported, match="This Engine cannot be lent"):
        steps.add(STEP, connection=database)
    with (
        psycopg_pool.ConnectionPool(url, min_size=1, open=True) as pool,
        pytest.raises(NotSupported, match="This ConnectionPool cannot be lent"),
    ):
        steps.add(STEP, connection=pool)

    async def act() -> None:
        async with asyncpg.create_pool(url, min_size=1) as pool:
            with pytest.raises(NotSupported, match="This Pool cannot be lent"):
                await steps.add_async(STEP, connection=pool)

    asyncio.run(act())


def test_what_is_no_connection_at_all_is_refused_by_both_ways(steps: StepClient) -> None:
    with pytest.raises(NotSupported, match="This str cannot be lent"):
        steps.add(STEP, connection="postgresql://")
    with pytest.raises(NotSupported, match="This str cannot be lent"):
        asyncio.run(steps.add_async(STEP, connection="postgresql://"))


def test_a_store_without_a_database_takes_no_connection_of_asyncio_either() -> None:
    async def act() -> None:
        async with aiosqlite.connect(":memory:") as mine:
            with pytest.raises(NotSupported, match="memory store takes no connection"):
                await StepClient(MemoryStore()).add_async(STEP, connection=mine)

    asyncio.run(act())
