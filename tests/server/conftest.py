"""A whole server in this process: real HTTP app, real database file, real engine.

`server` runs on SQLite; a test that marks itself with `on_both` (of `support`) runs
on PostgreSQL too. The engine is not started: a test calls `drain(server)` where the
server's own steps shall run, so nothing depends on timing. `live` listens on a real
port, with its engine running, for tests that launch real images.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine
from starlette.testclient import TestClient
from tests.server.compiled import Compiled
from tests.server.live import listening
from tests.server.support import Api, free_port, token
from tests.servers import forget

from stepwell.engine import heartbeat
from stepwell.server.app import Server
from stepwell.server.audit import service as audit
from stepwell.server.audit.actions import fault
from stepwell.server.database import session
from stepwell.server.settings import Settings


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Each test has a server of its own, which would spend a quarter of its time on compiling
    the statements of the one before again."""
    made, compiled = session._engine, Compiled(3000)

    def engine(url: URL, **options: Any) -> Engine:
        one = made(url, **options)
        one.update_execution_options(compiled_cache=compiled)
        return one

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "_engine", engine)
        yield


@pytest.fixture(autouse=True)
def audited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test makes the audit log tell, it tells before and after where it should."""
    record, faults = audit.record, []

    def checked(conn: Any, actor: str, action: str, *args: Any, **told: Any) -> None:
        wrong = fault(action, told.get("before"), told.get("after"))
        faults.extend([wrong] if wrong and not action.startswith("thing.") else [])
        record(conn, actor, action, *args, **told)

    monkeypatch.setattr(audit, "record", checked)
    yield
    assert faults == []


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database: SQLite, or PostgreSQL where a test says `on_both`.

    The one of PostgreSQL has all tables and no rows; the file of SQLite is not there yet.
    """
    if getattr(request, "param", "sqlite") == "postgres":
        like = request.getfixturevalue("migrated_postgres")
        url: str = request.getfixturevalue("postgres_database")(like)
        yield url
        forget(url)
    else:
        yield f"sqlite:///{tmp_path / 'server.db'}"


@pytest.fixture
def settings(tmp_path: Path, database_url: str, migrated_file: Path) -> Settings:
    """Settings of a server under test; a test module may override this fixture."""
    if database_url.startswith("sqlite"):
        shutil.copy(migrated_file, tmp_path / "server.db")
    return Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        secret_key="a key for tests",
        launchers=("process",),
        run_engine=False,
    )


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A started server whose steps run only when the test drains it."""
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
            base_url="http://testserver/api/v1/",
            headers=headers,
            raise_server_exceptions=False,
            **options,
        )
        clients.append(made)
        return made

    yield client
    for made in clients:
        made.close()


@pytest.fixture
def live(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that listens on loopback, with its engine and the process launcher running.

    It is patient with containers: one that stood still for 8 s would be declared dead, and its
    operation executed once more.
    """
    monkeypatch.setattr(heartbeat, "DEAD_AFTER", 90.0)
    own = {"port": free_port(), "run_engine": True}
    settings = replace(settings, **own)  # type: ignore[arg-type]
    made = Server(settings)
    made.db.migrate()
    with made, listening(made):
        yield made
