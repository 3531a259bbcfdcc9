"""A server with a run."""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.support import release, started, workflow
from tests.server.support import Api

from stepwell.server.app import Server


@pytest.fixture
def run_id(server: Server) -> UUID:
    release(server, workflow())
    return started(server)


@pytest.fixture
def viewer(api: Api) -> TestClient:
    return api("viewer")
