"""How Alembic runs a migration here: on the connection handed in, or as SQL text."""

from __future__ import annotations

from alembic import context

from stepwell.server.database.schema import VERSION_TABLE
from stepwell.server.database.tables import metadata


def _offline() -> None:
    url = context.config.attributes["url"]
    context.configure(
        url=url, target_metadata=metadata, version_table=VERSION_TABLE, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()


def _online() -> None:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _offline()
else:
    _online()
