"""The server's half of the schema: at which migration it is, and whether that suits (R44)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select

from stepwell.errors import SchemaMissing, SchemaTooNew
from stepwell.server.database.tables import schema_floor

VERSION_TABLE: Final = "server_schema"
_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
_MARKS: Final = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32)))


def known() -> list[str]:
    """Every migration of this version, oldest first: `v0001_first_tables.py` is 0001."""
    return sorted(path.stem.partition("_")[0][1:] for path in _VERSIONS.glob("v*_*.py"))


def newest() -> str:
    """The newest migration of this version."""
    return known()[-1]


def applied(conn: Connection) -> tuple[str, ...]:
    """The migration at which the tables are; nothing where there are none."""
    if not inspect(conn).has_table(VERSION_TABLE):
        return ()
    return tuple(conn.scalars(select(_MARKS.c.version_num)))


def is_newest(engine: Engine) -> bool:
    """Whether there is nothing to apply."""
    with engine.connect() as conn:
        return applied(conn) == (newest(),)


def check(conn: Connection) -> None:
    """Raise unless this version can work with the tables: its own, or newer ones that suit it.

    A newer Stepwell has only added to the tables as long as the floor, which it keeps
    in `schema_floor`, is a migration that this version knows. So both can work on one
    database while servers are exchanged one by one.

    Raises
    ------
    SchemaMissing, SchemaTooNew : with the command to run.
    """
    found, ours = applied(conn), known()
    if any(name not in ours for name in found):
        if _floor(conn) in ours:
            return
        raise SchemaTooNew(
            "The server's tables were made by a newer Stepwell.",
            why=f"They are at {', '.join(found)}; this version knows {ours[-1]}.",
            fix="Run the newer version here too.",
        )
    if list(found) != ours[-1:]:
        raise SchemaMissing(
            "The server's tables are missing or older than this Stepwell.",
            why=f"They are at {', '.join(found) or 'nothing'}; this version needs {ours[-1]}.",
            fix="Run `stepwell migrate`, or `stepwell migrate --print` to see what it does.",
        )


def _floor(conn: Connection) -> str | None:
    """The oldest migration whose Stepwell the tables suit; None where nobody has said so."""
    if not inspect(conn).has_table(schema_floor.name):
        return None
    return conn.execute(select(schema_floor.c.revision)).scalar_one_or_none()
