"""A database for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stepwell.server.database.session import Database


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """With all of its tables, and no rows."""
    made = Database(database_url)
    made.migrate()
    yield made
    made.close()
