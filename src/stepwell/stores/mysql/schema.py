"""The store's own schema: numbered migrations, and whether the database has them (R24, R44)."""

from __future__ import annotations

from collections.abc import Iterator

from pymysql import err

from stepwell.errors import SchemaTooNew, StoreUnavailable
from stepwell.stores.mysql.errors import EXISTS, number, schema_missing, translated
from stepwell.stores.mysql.sql import MIGRATIONS
from stepwell.stores.mysql.statements import Statements
from stepwell.stores.protocol import Migration


def migrate(sql: Statements) -> list[str]:
    """Apply what is missing; the names of what was applied.

    The server commits each change of a table by itself, so a migration that was interrupted
    is taken up: what exists already is passed over.

    Raises
    ------
    SchemaTooNew : a newer Stepwell has migrated the database.
    StoreUnavailable : another one is migrating it.
    """
    if sql.rows("lock_migrations")[0][0] != 1:
        raise StoreUnavailable(
            "Another migration of this database is under way.", fix="Wait for it, and try again."
        )
    try:
        return _apply(sql)
    finally:
        sql.rows("unlock_migrations")


def check(sql: Statements) -> None:
    """Nothing, if the schema is the one that this package works with, or a newer one that suits.

    Raises
    ------
    SchemaMissing, SchemaTooNew
    """
    present = version(sql)
    if not present:
        raise schema_missing("Nothing was migrated yet.")
    if present < len(MIGRATIONS):
        raise schema_missing(f"It has version {present}, needed is {len(MIGRATIONS)}.")
    _refuse_newer(sql, present)


def version(sql: Statements) -> int:
    """How many migrations the database has seen."""
    if not sql.rows("has_schema")[0][0]:
        return 0
    rows = sql.rows("version")
    return int(rows[0][0]) if rows else 0


def _apply(sql: Statements) -> list[str]:
    present = version(sql)
    _refuse_newer(sql, present)
    missing = MIGRATIONS[present:]
    for place, migration in enumerate(missing, present + 1):
        for statement in _statements(migration):
            _run(sql, statement)
        sql.change("set_version", version=str(place))
        sql.commit()
    return [migration.name for migration in missing]


def _run(sql: Statements, statement: str) -> None:
    with translated(), sql.connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except err.MySQLError as error:
            if number(error) not in EXISTS:
                raise


def _statements(migration: Migration) -> Iterator[str]:
    """The statements of a script: each ends with a semicolon at the end of a line."""
    for statement in migration.sql.split(";\n"):
        if statement.strip():
            yield statement


def _suits(sql: Statements) -> bool:
    """Whether a newer Stepwell has said that its tables suit this one: it has only added."""
    rows = sql.rows("floor")
    return bool(rows) and int(rows[0][0]) <= len(MIGRATIONS)


def _refuse_newer(sql: Statements, present: int) -> None:
    if present > len(MIGRATIONS) and not _suits(sql):
        raise SchemaTooNew(
            f"The database has version {present} of the Stepwell tables.",
            why=f"This Stepwell knows versions up to {len(MIGRATIONS)}.",
            fix="Upgrade Stepwell here: pip install --upgrade stepwell.",
        )
