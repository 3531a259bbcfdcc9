"""Applying migrations, by Alembic: imported where there is something to apply, for a server at
work has no use for it (10 MiB, a fifth of a second)."""

from __future__ import annotations

import io
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.engine import URL

from stepwell.server.database import schema

_LOCK: Final = 0x57E9_3E11
_SCRIPTS: Final = "stepwell.server.database:migrations"


def upgrade(engine: Engine) -> list[str]:
    """Apply what is missing in one transaction; the names of the migrations applied.

    Nothing where a newer Stepwell was here whose tables suit this one.

    Raises
    ------
    SchemaTooNew : they do not.
    """
    config, known = _config(), schema.known()
    with engine.begin() as conn:
        _alone(conn)
        before = schema.applied(conn)
        if any(name not in known for name in before):
            schema.check(conn)
            return []
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return known[known.index(before[0]) + 1 :] if before else known


def as_sql(url: URL) -> str:
    """All migrations as SQL for the dialect of `url`; touches no database."""
    text = io.StringIO()
    config = _config(text)
    config.attributes["url"] = url
    command.upgrade(config, "head", sql=True)
    return text.getvalue()


def _alone(conn: Connection) -> None:
    """Servers that migrate at once do it one after the other; SQLite's write lock does so too."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _config(text: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=text)
    config.set_main_option("script_location", _SCRIPTS)
    return config
