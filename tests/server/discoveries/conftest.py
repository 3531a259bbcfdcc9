"""A server whose launcher is played."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.support import FakeLauncher

from stepwell.server.app import Server
from stepwell.server.settings import Settings


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


@pytest.fixture
def server(settings: Settings, launcher: FakeLauncher) -> Any:
    made = Server(settings, launchers={"process": launcher})
    made.db.migrate()
    with made:
        yield made
