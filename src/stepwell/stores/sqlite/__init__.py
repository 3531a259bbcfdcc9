"""Steps in a SQLite file: the embedded default, shared by threads and processes (R25)."""

from stepwell.stores.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
