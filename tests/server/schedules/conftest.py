"""A server with a released workflow, whose clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.server.schedules.support import Hands, entry, release

from stepwell.server.app import Server
from stepwell.server.settings import Settings


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def server(settings: Settings, hands: Hands) -> Iterator[Server]:
    """A started server that has released the workflow 'nightly', without a schedule."""
    made = Server(settings, launchers={}, clock=hands)
    made.db.migrate()
    with made:
        release(made, entry("nightly"))
        yield made
