"""The store's own schema: numbered migrations, and whether the database has them (R24, R44)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from psycopg.errors import UndefinedTable

from stepwell.errors import SchemaTooNew, SetupError
from stepwell.stores.postgres.faults import schema_missing
from stepwell.stores.postgres.prepared import Own
from stepwell.stores.postgres.queries import sql
from stepwell.stores.protocol import Migration


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations, in order; the n-th leads to schema version n."""
    folder = files(__package__) / "migrations"
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".sql"))
    return tuple(
        Migration(name.removesuffix(".sql"), (folder / name).read_text("utf-8")) for name in names
    )


def migrate(connection: Own) -> list[str]:
    """Apply what is missing, in one transaction; the names of what was applied.

    Raises
    ------
    SchemaTooNew : a newer Stepwell has migrated the database.
    SetupError : the database keeps text in another encoding than UTF8.
    """
    _require_unicode(connection)
    with connection.transaction():
        _run(connection, "lock", criteria="stepwell_migrate")
        present = version(connection) or 0
        _refuse_newer(connection, present)
        if present > len(migrations()):
            return []
        missing = migrations()[present:]
        for migration in missing:
            # Text of the package itself; psycopg asks for literal strings to warn of others.
            connection.execute(migration.sql.encode())
        _run(connection, "set_version", version=str(len(migrations())))
        _run(connection, "make_partitions")
    return [migration.name for migration in missing]


def check(connection: Own) -> None:
    """Nothing, if the schema is the one that this package works with, or a newer one that suits.
    One journey, as every start of an engine waits for it.

    Raises
    ------
    SchemaMissing, SchemaTooNew
    """
    try:
        present = int(_run(connection, "version")[0])
    except UndefinedTable:
        raise schema_missing("There is no table stepwell_meta on the search path.") from None
    if present < len(migrations()):
        raise schema_missing(f"It has version {present}, needed is {len(migrations())}.")
    _refuse_newer(connection, present)


def version(connection: Own) -> int | None:
    """The schema's version, or None where there is no schema."""
    if not _run(connection, "has_schema")[0]:
        return None
    return int(_run(connection, "version")[0])


def _require_unicode(connection: Own) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise SetupError(
            f"The database keeps text in the encoding {encoding}.",
            why="States and results are Unicode, for which Stepwell needs UTF8.",
            fix="Create another: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
        )


def _suits(connection: Own) -> bool:
    """Whether a newer Stepwell has said that its tables suit this one: it has only added."""
    floor = _run(connection, "floor")[0]
    return floor is not None and int(floor) <= len(migrations())


def _refuse_newer(connection: Own, present: int) -> None:
    if present > len(migrations()) and not _suits(connection):
        raise SchemaTooNew(
            f"The database has version {present} of the Stepwell tables.",
            why=f"This Stepwell knows versions up to {len(migrations())}.",
            fix="Upgrade Stepwell here: pip install --upgrade stepwell.",
        )


def _run(connection: Own, name: str, **values: Any) -> tuple[Any, ...]:
    (rows,) = connection.prepared.rows((sql(name), values))
    return rows[0] if rows else (None,)
