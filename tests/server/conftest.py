"""A whole server in this process: real HTTP app, real database file, real engine.

`server` runs on SQLite; a test that marks itself with `on_both` runs on
PostgreSQL too. The engine is not started: a test calls `server.engine.drain()`
where the server's own steps shall run, so nothing depends on timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient

from stepwell.server.access import service as access
from stepwell.server.access.records import NewToken, Role
from stepwell.server.app import Server
from stepwell.server.settings import Settings
from stepwell.step import new_id

Api: TypeAlias = Callable[..., TestClient]

on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: SQLite, or PostgreSQL where a test says `on_both`."""
    if getattr(request, "param", "sqlite") == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'server.db'}"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a server under test; a test module may override this fixture."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        secret_key="a key for tests",
        launchers=("process",),
        run_engine=False,
    )


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A started server whose engine runs only when the test drains it."""
    made = Server(settings)
    made.db.migrate()
    with made:
        yield made


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """`api("viewer")` is an HTTP client with a token of that role; `api(None)` has none."""
    clients: list[TestClient] = []

    def client(role: str | None = "admin", **options: Any) -> TestClient:
        headers = {} if role is None else {"Authorization": f"Bearer {token(server, role)}"}
        made = TestClient(
            server.app,
            base_url="http://testserver/api/v1",
            headers=headers,
            raise_server_exceptions=False,
            **options,
        )
        clients.append(made)
        return made

    yield client
    for made in clients:
        made.close()


def token(server: Server, role: str) -> str:
    """A fresh token of a role."""
    new = NewToken(name=f"{role}-{new_id().hex}", role=Role(role))
    with server.db.write() as conn:
        return access.issue(conn, new, by="the test").secret
