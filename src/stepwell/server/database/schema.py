"""The server's half of the schema: Alembic's, kept inside the package (R44)."""

from __future__ import annotations

import io
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, inspect, select
from sqlalchemy.engine import URL

from stepwell.errors import SchemaMissing, SchemaTooNew
from stepwell.server.database.tables import schema_floor

VERSION_TABLE: Final = "server_schema"
_LOCK: Final = 0x57E9_3E11
_SCRIPTS: Final = "stepwell.server.database:migrations"


def upgrade(engine: Engine) -> list[str]:
    """Apply what is missing in one transaction; the names of the migrations applied.

    Nothing where a newer Stepwell was here whose tables suit this one.

    Raises
    ------
    SchemaTooNew : they do not.
    """
    config, known = _config(), _known()
    with engine.begin() as conn:
        _alone(conn)
        before = _applied(conn)
        if any(name not in known for name in before):
            check(conn)
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


def newest() -> str:
    """The newest migration of this version."""
    return _known()[-1]


def check(conn: Connection) -> None:
    """Raise unless this version can work with the tables: its own, or newer ones that suit it.

    A newer Stepwell has only added to the tables as long as the floor, which it keeps
    in `schema_floor`, is a migration that this version knows. So both can work on one
    database while servers are exchanged one by one.

    Raises
    ------
    SchemaMissing, SchemaTooNew : with the command to run.
    """
    found, known = _applied(conn), _known()
    if any(name not in known for name in found):
        if _floor(conn) in known:
            return
        raise SchemaTooNew(
            "The server's tables were made by a newer Stepwell.",
            why=f"They are at {', '.join(found)}; this version knows {known[-1]}.",
            fix="Run the newer version here too.",
        )
    if list(found) != known[-1:]:
        raise SchemaMissing(
            "The server's tables are missing or older than this Stepwell.",
            why=f"They are at {', '.join(found) or 'nothing'}; this version needs {known[-1]}.",
            fix="Run `stepwell migrate`, or `stepwell migrate --print` to see what it does.",
        )


def _alone(conn: Connection) -> None:
    """Servers that migrate at once do it one after the other; SQLite's write lock does so too."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _floor(conn: Connection) -> str | None:
    """The oldest migration whose Stepwell the tables suit; None where nobody has said so."""
    if not inspect(conn).has_table(schema_floor.name):
        return None
    return conn.execute(select(schema_floor.c.revision)).scalar_one_or_none()


def _config(text: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=text)
    config.set_main_option("script_location", _SCRIPTS)
    return config


def _applied(conn: Connection) -> tuple[str, ...]:
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(conn, opts=options).get_current_heads()


def _known() -> list[str]:
    """Every migration of this version, oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [script.revision for script in scripts.walk_revisions()][::-1]
