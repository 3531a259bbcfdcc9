"""A server with a run."""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.support import GIVEN, GROUP, WORKFLOW, release, workflow
from tests.server.support import Api

from stepwell.server.app import Server
from stepwell.server.runs.service import start_run


@pytest.fixture
def run_id(server: Server) -> UUID:
    release(server, workflow())
    with server.db.write() as conn:
        return start_run(
            conn,
            server.db,
            group=GROUP,
            workflow=WORKFLOW,
            parameters=GIVEN,
            trigger="request",
            requested_by="the test",
        )


@pytest.fixture
def viewer(api: Api) -> TestClient:
    return api("viewer")
