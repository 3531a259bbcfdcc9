"""The SQL of both halves of the schema, for people who run it themselves (R44)."""

from __future__ import annotations

from stepwell.server.database.session import Database
from stepwell.stores.protocol import Migration
from stepwell.stores.sqlite.sql import MIGRATIONS as SQLITE


def schema_sql(database: Database) -> str:
    """All of it, for an empty database of this kind, as one script."""
    kind = database.url.get_backend_name()
    steps = _sqlite() if kind == "sqlite" else _postgres()
    return f"-- The steps.\n\n{steps}\n-- The server.\n\n{database.migration_sql()}"


def _sqlite() -> str:
    # Text to print; the number is this package's own.
    version = f"INSERT INTO stepwell_meta VALUES ('schema_version', '{len(SQLITE)}');"  # noqa: S608
    return f"PRAGMA journal_mode = WAL;\n\n{_joined(SQLITE)}\n{version}\n"


def _postgres() -> str:
    from stepwell.stores.postgres import schema  # noqa: PLC0415 - an optional driver

    migrations = schema.migrations()
    version = f"UPDATE stepwell_meta SET value = '{len(migrations)}' WHERE key = 'schema_version';"  # noqa: S608
    return f"{_joined(migrations)}\n{version}\nSELECT stepwell_make_partitions();\n"


def _joined(migrations: list[Migration] | tuple[Migration, ...]) -> str:
    return "\n".join(f"-- {one.name}\n{one.sql}" for one in migrations)
