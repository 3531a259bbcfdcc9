"""A server with a launcher that starts nothing, and its admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from tests.server.support import Api, FakeLauncher, drain

from stepwell.server.app import Server
from stepwell.server.settings import Settings

Scan: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


@pytest.fixture
def server(settings: Settings, launcher: FakeLauncher) -> Any:
    made = Server(settings, launchers={"process": launcher, "container": launcher})
    made.db.migrate()
    with made:
        yield made


@pytest.fixture
def client(api: Api) -> TestClient:
    made: TestClient = api("admin")
    return made


@pytest.fixture
def scan(server: Server, client: TestClient) -> Scan:
    """`scan(name)` scans the source and returns it as it is then."""

    def scanned(name: str) -> dict[str, Any]:
        asked = client.post(f"sources/{name}/scans", json={})
        assert asked.status_code == 201, asked.text
        drain(server, patience=1.0)
        found: dict[str, Any] = client.get(f"sources/{name}").json()
        assert not found["scanning"]
        return found

    return scanned
