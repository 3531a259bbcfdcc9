"""A group whose image declares what a test says, and clients of several reviewers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from tests.server.support import Api, FakeLauncher, manifest, posting

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.discoveries.steps import Discovering
from stepwell.server.settings import Settings

Discover: TypeAlias = Callable[..., str]


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


@pytest.fixture
def server(settings: Settings, launcher: FakeLauncher) -> Any:
    made = Server(settings, launchers={"process": launcher, "other": launcher})
    made.db.migrate()
    with made:
        yield made


@pytest.fixture
def discover(server: Server, api: Api, launcher: FakeLauncher) -> Discover:
    """`discover(entry, ...)` lets the group's image declare these workflows; the discovery's id."""
    client, image = api("admin"), api(None)

    def act(*entries: dict[str, Any], digest: str | None = None, **group: Any) -> str:
        launcher.digest_now = digest or f"sha256:{new_id().hex}"
        launcher.behave = posting(image, "manifest", manifest(*entries))
        client.post("groups", json={"image": "/srv/weather.py", "name": "weather", **group})
        begun = client.post("groups/weather/discoveries", json={}).json()
        step = Discovering(server.services, UUID(begun["id"]))
        for _ in range(3):
            step.advance()
        found = client.get(f"discoveries/{begun['id']}").json()
        assert found["state"] == "succeeded", found
        return str(begun["id"])

    return act
