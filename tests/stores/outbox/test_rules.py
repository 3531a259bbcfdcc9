"""Steps commit and roll back with the caller's own rows, whatever the caller holds (R27)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from tests.stores.outbox.conftest import Shop
from tests.stores.outbox.kinds import Held

from stepwell import Engine, OnConflict, Registry, StepQuery, StepStatus, new_step
from stepwell.errors import SettlementRejected, UniqueKeyTaken

NAME = "v1/send-receipt"
ORDER = "INSERT INTO orders VALUES (1)"
PATIENCE = 90.0


def in_hand(shop: Shop, act: Callable[[Held], Awaitable[None]]) -> None:
    """Do this with a connection of the shop's kind, and close it."""

    async def whole() -> None:
        async with shop.kind(shop.url) as held:
            await act(held)

    asyncio.run(whole())


def test_a_commit_brings_the_step_and_it_runs(shop: Shop) -> None:
    async def act(held: Held) -> None:
        await held.execute(ORDER)
        await held.add(shop.steps, new_step(NAME, {"order": 1}))
        assert shop.steps.count().ready == 0
        await held.commit()

    in_hand(shop, act)
    assert shop.orders() == 1
    seen: list[object] = []

    def remember(state: object) -> None:
        seen.append(state)

    registry = Registry()
    registry.handler(NAME)(remember)
    assert Engine(shop.store, registry).drain().done == 1
    assert seen == [{"order": 1}]


def test_a_rollback_takes_the_step_with_it(shop: Shop) -> None:
    async def act(held: Held) -> None:
        await held.execute(ORDER)
        await held.add(shop.steps, new_step(NAME))
        await held.rollback()

    in_hand(shop, act)
    assert (shop.orders(), shop.steps.count().ready) == (0, 0)


def test_a_step_that_comes_first_is_in_the_transaction_too(shop: Shop) -> None:
    async def act(held: Held) -> None:
        await held.add(shop.steps, new_step(NAME))
        await held.execute(ORDER)
        await held.rollback()

    in_hand(shop, act)
    assert (shop.orders(), shop.steps.count().ready) == (0, 0)


def test_a_step_alone_waits_for_the_commit(shop: Shop) -> None:
    async def act(held: Held) -> None:
        await held.add(shop.steps, new_step(NAME))
        assert shop.steps.count().ready == 0
        await held.commit()

    in_hand(shop, act)
    assert shop.steps.count().ready == 1


def test_a_savepoint_takes_back_its_own_steps_alone(shop: Shop) -> None:
    outer, inner = new_step(NAME), new_step(NAME)

    async def act(held: Held) -> None:
        await held.execute(ORDER)
        await held.add(shop.steps, outer)
        async with held.taken_back():
            await held.add(shop.steps, inner)
        await held.commit()

    in_hand(shop, act)
    assert shop.orders() == 1
    assert [step.id for step in shop.steps.search()] == [outer.id]


def test_a_taken_key_leaves_the_transaction_alive_and_adds_nothing(shop: Shop) -> None:
    shop.steps.add(new_step(NAME, unique_key="k"))
    kept = new_step(NAME)

    async def act(held: Held) -> None:
        await held.add(shop.steps, kept)
        with pytest.raises(UniqueKeyTaken, match="'k'"):
            await held.add(shop.steps, new_step("v1/other"), new_step(NAME, unique_key="k"))
        await held.execute(ORDER)
        await held.commit()

    in_hand(shop, act)
    assert shop.orders() == 1
    assert shop.steps.count().ready == 2
    assert shop.steps.get(kept.id).status is StepStatus.READY


def test_a_refused_value_leaves_the_transaction_alive(shop: Shop) -> None:
    async def act(held: Held) -> None:
        with pytest.raises(SettlementRejected):
            await held.add(shop.steps, new_step(NAME), new_step(NAME, search_key="\ud800"))
        await held.execute(ORDER)
        await held.commit()

    in_hand(shop, act)
    assert (shop.orders(), shop.steps.count().ready) == (1, 0)


def test_a_taken_key_is_passed_over_or_replaced_as_asked(shop: Shop) -> None:
    first, ignored, second = (
        new_step(NAME, unique_key="k", on_conflict=conflict)
        for conflict in (OnConflict.ERROR, OnConflict.IGNORE, OnConflict.REPLACE)
    )

    async def act(held: Held) -> None:
        await held.add(shop.steps, first)
        await held.add(shop.steps, ignored)
        await held.add(shop.steps, second)
        await held.commit()

    in_hand(shop, act)
    assert [step.id for step in shop.steps.search(status=StepStatus.READY)] == [second.id]
    assert [step.id for step in shop.steps.search(status=StepStatus.FAILED)] == [first.id]


def test_the_same_step_again_is_added_once(shop: Shop) -> None:
    step = new_step(NAME)

    async def act(held: Held) -> None:
        assert await held.add(shop.steps, step, step) == [step.id, step.id]
        assert await held.add(shop.steps, step) == [step.id]
        await held.commit()

    in_hand(shop, act)
    assert shop.steps.count().ready == 1


def test_if_none_matches_looks_at_the_transactions_own_steps(shop: Shop) -> None:
    query = StepQuery(name=NAME, search_key="ada")
    first = new_step(NAME, search_key="ada")

    async def act(held: Held) -> None:
        assert await held.add_if_none(shop.steps, first, query) == first.id
        assert await held.add_if_none(shop.steps, new_step(NAME, search_key="ada"), query) is None
        await held.commit()

    in_hand(shop, act)
    assert [step.id for step in shop.steps.search()] == [first.id]


def test_if_none_matches_is_rolled_back_too(shop: Shop) -> None:
    query = StepQuery(name=NAME, search_key="ada", status=StepStatus.READY)

    async def act(held: Held) -> None:
        await held.add_if_none(shop.steps, new_step(NAME, search_key="ada"), query)
        await held.rollback()

    in_hand(shop, act)
    assert shop.steps.count().ready == 0


def test_a_commit_tells_engines_and_nothing_before_it_does(shop_on_postgres: Shop) -> None:
    shop = shop_on_postgres

    async def act(held: Held) -> None:
        with psycopg.connect(shop.url, autocommit=True) as ear:
            ear.execute("LISTEN stepwell_wake")
            await held.add(shop.steps, new_step(NAME))
            assert list(ear.notifies(timeout=0)) == []
            await held.commit()
            assert len(list(ear.notifies(timeout=PATIENCE, stop_after=1))) == 1

    in_hand(shop, act)


def test_a_commit_to_the_file_wakes_an_engine(shop_on_sqlite: Shop) -> None:
    shop = shop_on_sqlite
    wake = shop.store.wake()

    async def act(held: Held) -> None:
        await held.add(shop.steps, new_step(NAME))
        await held.commit()
        assert await asyncio.to_thread(wake.wait, PATIENCE)

    in_hand(shop, act)
    wake.close()
