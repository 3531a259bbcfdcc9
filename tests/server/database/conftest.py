"""A database for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers import forget

from stepwell.server.database.session import Database


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if getattr(request, "param", "sqlite") == "postgres":
        url: str = request.getfixturevalue("postgres_database")()
        yield url
        forget(url)
    else:
        yield f"sqlite:///{tmp_path / 'server.db'}"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """With all of its tables, and no rows."""
    made = Database(database_url)
    made.migrate()
    yield made
    made.close()
