"""Steps in PostgreSQL: for many engines on many machines."""

from stepwell.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
