"""Stepwell's store at an address, and how a database gets its steps before a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from stepwell import NewStep, StepClient
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore

AT_ONCE: Final = 5000
"""Steps in one transaction of `fill`."""


def store_at(address: str) -> Store:
    """The store of an address: of a PostgreSQL database, or the path of a SQLite file."""
    return PostgresStore(address) if address.startswith("postgresql:") else SQLiteStore(address)


@contextmanager
def client_at(address: str) -> Iterator[StepClient]:
    """A handle on the steps of an address."""
    store = store_at(address)
    try:
        yield StepClient(store)
    finally:
        store.close()


def with_steps(steps: Callable[[], Iterable[NewStep]]) -> Callable[[str], None]:
    """A filling with Stepwell's tables and these steps, added as an application adds many."""

    def fill(address: str) -> None:
        with client_at(address) as client:
            client.store.migrate()
            rest = iter(steps())
            while batch := list(islice(rest, AT_ONCE)):
                client.add_many(batch)

    return fill
