"""The schema of a file: creating it, upgrading it, and refusing what does not fit (R24, R44)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stepwell.errors import SchemaMissing, SchemaTooNew, SetupError
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.sql import MIGRATIONS, QUERIES

OLDEST: Final = (3, 37, 0)
"""The first SQLite with STRICT tables."""


def check_place(path: Path) -> None:
    """Raise `SetupError` if no database can be made here."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise SetupError(
            f"This Python's SQLite is {sqlite3.sqlite_version}.",
            why="Stepwell needs 3.37 or newer.",
            fix="Use a newer Python build, or a PostgreSQL store.",
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise SetupError(
            f"{path} cannot be a database file.",
            why="It is a folder." if path.is_dir() else f"There is no folder {path.parent}.",
            fix="Name a file in a folder that exists.",
        )


def check_file(path: Path) -> None:
    """Raise `SetupError` if there is no file to open."""
    check_place(path)
    if not path.exists():
        raise missing(path, "There is no such file.")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise unless the tables are those of this version, or newer ones that suit it."""
    version = _version(connection)
    if version < len(MIGRATIONS):
        why = f"Its schema has version {version}, this Stepwell needs {len(MIGRATIONS)}."
        raise missing(path, why if version else "Nothing was migrated yet.")
    _refuse_newer(connection, version, path)


def migrate(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Apply what is not applied yet, all of it or nothing; the names of what was applied."""
    with translated():
        _use_wal(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        try:
            applied = _apply(connection, path)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    return applied


def missing(path: Path, why: str) -> SchemaMissing:
    """The error for a file without this Stepwell's tables."""
    return SchemaMissing(
        f"{path} is not ready for Stepwell.",
        why=why,
        fix=f"Run `stepwell migrate --store sqlite:///{path}` (of a server: --database), or call "
        "store.migrate().",
    )


def _apply(connection: sqlite3.Connection, path: Path) -> list[str]:
    version = _version(connection)
    _refuse_newer(connection, version, path)
    if version > len(MIGRATIONS):
        return []
    due = MIGRATIONS[version:]
    for migration in due:
        for statement in _statements(migration.sql):
            connection.execute(statement)
    connection.execute(QUERIES["version"], [str(len(MIGRATIONS))])
    return [migration.name for migration in due]


def _version(connection: sqlite3.Connection) -> int:
    """How many migrations the file has seen; 0 if it has no such table."""
    with translated():
        sql = "SELECT 1 FROM sqlite_master WHERE name = 'stepwell_meta'"
        if connection.execute(sql).fetchone() is None:
            return 0
        sql = "SELECT value FROM stepwell_meta WHERE key = 'schema_version'"
        (value,) = connection.execute(sql).fetchone()
    return int(value)


def _suits(connection: sqlite3.Connection) -> bool:
    """Whether a newer Stepwell has said that its tables suit this one: it has only added."""
    with translated():
        sql = "SELECT value FROM stepwell_meta WHERE key = 'schema_floor'"
        floor = connection.execute(sql).fetchone()
    return floor is not None and int(floor[0]) <= len(MIGRATIONS)


def _refuse_newer(connection: sqlite3.Connection, version: int, path: Path) -> None:
    if version > len(MIGRATIONS) and not _suits(connection):
        raise SchemaTooNew(
            f"{path} was migrated by a newer Stepwell.",
            why=f"Its schema has version {version}, this one knows {len(MIGRATIONS)}.",
            fix="Upgrade Stepwell: pip install --upgrade stepwell.",
        )


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise SetupError(
            f"{path} cannot use a write-ahead log.",
            why=f"SQLite keeps the journal mode {mode!r} there.",
            fix="Put the file on a local disk; network file systems do not do.",
        )


def _statements(sql: str) -> Iterator[str]:
    """The statements of a script, one by one, so that they share a transaction."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
