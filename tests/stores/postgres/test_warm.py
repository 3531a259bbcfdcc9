"""Connections that are kept warm, and those that are lost on their way."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.warm import Warm

SIZE = 3


class Interrupted(BaseException):
    """What a signal's handler raises."""


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, interrupted when it has done its work."""

    def call(*given: Any, **named: Any) -> None:
        function(*given, **named)
        raise Interrupted

    return call


@pytest.mark.parametrize(
    ("owner", "name", "instead"),
    [
        (Warm, "take", after(Warm.take)),
        (ConnectionPool, "getconn", after(ConnectionPool.getconn)),
        (ConnectionPool, "_getconn_unchecked", after(ConnectionPool._getconn_unchecked)),
    ],
)
def test_what_a_signal_loses_on_its_way_is_replaced(
    postgres_steps: str,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    instead: Callable[..., Any],
) -> None:
    """Else one connection fewer could be had, for as long as the program runs."""
    store = PostgresStore(postgres_steps, pool_size=SIZE)
    store.open()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, instead)
        for _ in range(SIZE + 2):
            with pytest.raises(Interrupted), store.transaction() as first, store.transaction():
                assert first is not None
            gc.collect()  # tracebacks hold themselves, and what they have seen, until then
    with store.transaction(), store.transaction(), store.transaction():
        pass
    store.close()
