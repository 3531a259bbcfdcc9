"""Django's connection, in a program of its own: its settings are those of the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from stepwell.stores.sqlite import SQLiteStore

EXPECTED = {
    "commits": [0, 1, 1],
    "rolls_back": [0, 0],
    "takes_a_savepoint_back": [1, 1],
    "survives_a_taken_key": [1, 1],
    "adds_if_none": [True, False],
    "commits_by_itself_outside_a_block": 1,
    "takes_the_connection_by_its_alias": 1,
    "connects_if_it_has_not": 1,
    "runs_what_was_committed": [{"order": 1}],
    "lends_from_a_coroutine_by_a_thread": 1,
}


def answers(*arguments: str) -> Any:
    """What the program saw, by what it did."""
    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("django_shop.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("django") / "shop.db"
    SQLiteStore(path).migrate()
    return answers("sqlite3", str(path))


@pytest.fixture(scope="module")
def on_postgres(postgres_steps: str) -> Any:
    address = conninfo_to_dict(postgres_steps)
    return answers("postgresql", *(str(address[key]) for key in ("dbname", "host", "user")))


@pytest.mark.parametrize("deed", EXPECTED)
def test_on_sqlite_it(on_sqlite: Any, deed: str) -> None:
    assert on_sqlite[deed] == EXPECTED[deed]


@pytest.mark.parametrize("deed", EXPECTED)
def test_on_postgresql_it(on_postgres: Any, deed: str) -> None:
    assert on_postgres[deed] == EXPECTED[deed]
