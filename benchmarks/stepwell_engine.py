"""Stepwell as an application runs it: a store, a registry, an engine.

python -m benchmarks.stepwell_engine ADDRESS [WORKERS]
"""

from __future__ import annotations

from typing import Any

from benchmarks.handlers import registry
from benchmarks.subject import serve
from stepwell import Engine
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore


def store_at(address: str, **options: Any) -> Store:
    """The store of an address: of a PostgreSQL database, or the path of a SQLite file."""
    if address.startswith("postgresql:"):
        return PostgresStore(address, **options)
    return SQLiteStore(address)


def drain(address: str, workers: str = "8") -> int:
    """Run until nothing is due; the number of steps that were run here."""
    store = store_at(address)
    try:
        return Engine(store, registry(), workers=int(workers)).drain().done
    finally:
        store.close()


if __name__ == "__main__":
    serve(drain)
