"""The SQL of both halves of the schema, for people who run it themselves (R44)."""

from __future__ import annotations

from stepwell.cli.serving.migrating import steps_sql
from stepwell.server.database.session import Database


def schema_sql(database: Database) -> str:
    """All of it, for an empty database of this kind, as one script."""
    steps = steps_sql(database.url.get_backend_name())
    return f"-- The steps.\n\n{steps}\n-- The server.\n\n{database.migration_sql()}"
