"""A group is discovered again by a schedule, and when the digest of its image changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.support import (
    Api,
    FakeLauncher,
    drain,
    manifest,
    on_both,
    posting,
    problem,
    workflow,
)

from stepwell import clock
from stepwell.engine import StepClient
from stepwell.launchers.protocol import ImageUnusable
from stepwell.server import background
from stepwell.server.app import Server
from stepwell.server.discoveries.output import readable, tail
from stepwell.server.discoveries.service import LOOK, REDISCOVER
from stepwell.step import Step, StepStatus


@pytest.fixture
def client(api: Api, launcher: FakeLauncher) -> TestClient:
    """An admin, and an image that posts its manifest."""
    launcher.behave = posting(api(None), "manifest", manifest(workflow("nightly")))
    made: TestClient = api("admin")
    return made


def register(client: TestClient, server: Server, **body: Any) -> None:
    made = client.post("groups", json={"image": "/srv/weather.py", "name": "weather", **body})
    assert made.status_code == 201, made.text
    drain(server, patience=1.0)


def hourly() -> dict[str, Any]:
    """Due in an hour; without an anchor it would be on the hour, which may be any moment."""
    return {"kind": "interval", "seconds": 3600, "anchor": clock.now().isoformat()}


def waiting(server: Server, name: str) -> list[Step]:
    return StepClient(server.db.store).search(name=name, status=StepStatus.READY)


def wake(server: Server, name: str) -> None:
    """As if its time had come."""
    (step,) = waiting(server, name)
    StepClient(server.db.store).activate(step.id)
    drain(server, patience=1.0)


def history(client: TestClient, **query: Any) -> list[tuple[str, str]]:
    items = client.get("groups/weather/discoveries", params=query).json()["items"]
    return [(one["trigger"], one["digest"]) for one in items]


@on_both
def test_a_schedule_discovers_again_and_says_when_it_will_next(
    server: Server, client: TestClient
) -> None:
    register(client, server, rediscover=hourly())
    shown = client.get("groups/weather").json()
    (step,) = waiting(server, REDISCOVER)
    assert step.schedule_time.isoformat().replace("+00:00", "Z") == shown["next_discovery_at"]
    wake(server, REDISCOVER)
    assert history(client) == [("schedule", "sha256:one"), ("registration", "sha256:one")]
    (step,) = waiting(server, REDISCOVER)
    assert timedelta(0) < step.schedule_time - clock.now() <= timedelta(hours=1)


@on_both
def test_a_changed_digest_is_discovered_and_the_same_one_is_not(
    server: Server, client: TestClient, launcher: FakeLauncher
) -> None:
    register(client, server, watch_every=600)
    wake(server, LOOK)
    assert history(client) == [("registration", "sha256:one")]
    launcher.digest_now = "sha256:two"
    wake(server, LOOK)
    wake(server, LOOK)
    assert history(client) == [("digest", "sha256:two"), ("registration", "sha256:one")]
    assert client.get("groups/weather").json()["looked_at"] is not None
    reasons = [one["reason"] for one in client.get("audit").json()["items"]]
    assert "sha256:one -> sha256:two" in reasons


def test_a_broken_image_is_not_discovered_again_until_it_changes(
    server: Server, client: TestClient, launcher: FakeLauncher
) -> None:
    launcher.behave = lambda spec: None
    register(client, server, watch_every=600)
    wake(server, LOOK)
    assert history(client, state="failed") == [("registration", "sha256:one")]


def test_an_image_that_cannot_be_read_is_said_at_the_group_and_looked_at_again(
    server: Server, client: TestClient, launcher: FakeLauncher
) -> None:
    register(client, server, watch_every=600)
    launcher.fault = ImageUnusable("The registry is away.", fix="Wait.")
    wake(server, LOOK)
    assert client.get("groups/weather").json()["look_error"]["what"] == "The registry is away."
    launcher.fault = None
    wake(server, LOOK)
    assert client.get("groups/weather").json()["look_error"] is None


@on_both
def test_null_ends_a_rediscovery_and_another_value_replaces_its_step(
    server: Server, client: TestClient
) -> None:
    register(client, server, rediscover=hourly(), watch_every=600)
    client.patch("groups/weather", json={"rediscover": None, "watch_every": 3600})
    assert waiting(server, REDISCOVER) == []
    (step,) = waiting(server, LOOK)
    assert step.schedule_time - clock.now() > timedelta(minutes=50)
    client.patch("groups/weather", json={"environment": {"A": "b"}})
    assert client.get("groups/weather").json()["watch_every"] == 3600


def test_an_archived_group_is_left_alone_and_a_restored_one_is_not(
    server: Server, client: TestClient
) -> None:
    register(client, server, watch_every=600)
    client.post("groups/weather/archivals", json={})
    wake(server, LOOK)
    assert waiting(server, LOOK) == []
    client.post("groups/weather/restorations", json={})
    assert len(waiting(server, LOOK)) == 1


def test_a_step_that_is_missing_is_seeded_again(server: Server, client: TestClient) -> None:
    """As after a provisional group got its name."""
    register(client, server, watch_every=600)
    (step,) = waiting(server, LOOK)
    StepClient(server.db.store).cancel(step.id, "by accident")
    with server.db.write() as conn:
        background.seed(conn, server.services)
    assert len(waiting(server, LOOK)) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"rediscover": {"kind": "cron", "expression": "99 * * * *"}}, "cron-invalid"),
        ({"rediscover": {"kind": "monthly"}}, "schedule-invalid"),
        ({"watch_every": 0.1}, "invalid-input"),
    ],
)
def test_a_rediscovery_that_cannot_be_is_refused(
    server: Server, client: TestClient, body: dict[str, Any], code: str
) -> None:
    answer = client.post("groups", json={"image": "/srv/weather.py", **body})
    problem(answer, 422, code)
    register(client, server)
    problem(client.patch("groups/weather", json=body), 422, code)


def test_output_is_shown_as_plain_text_and_its_end_in_the_error() -> None:
    """Colours, progress bars and control characters are gone; the last lines are kept."""
    wrote = "\x1b[31mred\x1b[0m\r\n 10 %\r 100 %\n\x07\x00done\x1b]0;title\x07\n"
    assert readable(wrote) == "red\n 100 %\ndone\n"
    assert tail("\n".join(str(n) for n in range(100))).splitlines() == [
        str(n) for n in range(80, 100)
    ]
    assert len(tail("x" * 100_000)) == 4000
