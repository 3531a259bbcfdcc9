"""An image is launched in discover mode, and whatever comes of it is told in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

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
from stepwell.launchers.protocol import ImageUnusable, LaunchFailed, Pinned
from stepwell.server.app import Server
from stepwell.server.database.tables import discoveries
from stepwell.server.discoveries import tokens
from stepwell.server.discoveries.steps import Discovering


def register(client: TestClient, **body: Any) -> dict[str, Any]:
    made = client.post("groups", json={"image": "/srv/weather.py", **body})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def discovered(client: TestClient, group: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"discoveries/{group['discovery_id']}").json()
    return found


@on_both
def test_an_image_that_posts_its_manifest_succeeds_and_its_output_is_kept(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    given = manifest(workflow("nightly"))
    launcher.behave = posting(api(None), "manifest", given)
    group = register(client)
    drain(server)
    found = discovered(client, group)
    assert (found["state"], found["error"]) == ("succeeded", None)
    assert (found["digest"], found["output"]) == ("sha256:one", "hello from the image\n")
    assert found["manifest"]["workflows"][0]["name"] == "nightly"
    assert client.get("groups/weather").json()["provisional"] is False


def test_a_server_that_was_declared_dead_does_not_pin_another_image_to_the_manifest(
    server: Server, api: Api, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was paused while it copied; the file changed, and another server went on meanwhile."""
    client = api("admin")
    launcher.behave = posting(api(None), "manifest", manifest(workflow("nightly")))
    group = register(client)
    pin, pauses = launcher.pin, [True]

    def paused(image: str) -> Pinned:
        if pauses and pauses.pop():
            drain(server)
            return Pinned(digest="sha256:two", location=image)
        return pin(image)

    monkeypatch.setattr(launcher, "pin", paused)
    Discovering(server.services, UUID(group["discovery_id"])).advance()
    found = discovered(client, group)
    assert (found["state"], found["digest"]) == ("succeeded", "sha256:one")


@on_both
def test_a_provisional_name_gives_way_to_the_one_that_the_manifest_states(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    launcher.behave = posting(api(None), "manifest", manifest(workflow("a"), group="forecast"))
    group = register(client)
    drain(server)
    assert discovered(client, group)["group_name"] == "forecast"
    assert client.get("groups/weather").status_code == 404
    assert client.get("groups/forecast").json()["provisional"] is False


def test_a_given_name_that_the_image_does_not_declare_is_an_error(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    launcher.behave = posting(api(None), "manifest", manifest(workflow("a"), group="forecast"))
    found = discovered(client, _drained(server, register(client, name="weather")))
    assert found["error"]["code"] == "group-name-differs"
    assert found["manifest"] is None


def test_a_name_that_another_group_has_is_an_error(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    register(client, name="forecast", image="/srv/forecast.py")
    launcher.behave = posting(api(None), "manifest", manifest(workflow("a"), group="forecast"))
    found = discovered(client, _drained(server, register(client)))
    assert (found["error"]["code"], found["group_name"]) == ("group-exists", "weather")


def _drained(server: Server, group: dict[str, Any]) -> dict[str, Any]:
    drain(server)
    return group


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({**manifest(workflow("a")), "manifest_version": 99}, "manifest-too-new"),
        ({"hello": "world"}, "manifest-invalid"),
        (manifest(workflow("a"), workflow("a")), "manifest-ambiguous"),
        (manifest(workflow("a", "load", "load")), "manifest-ambiguous"),
        (
            manifest(workflow("a", schedule={"kind": "cron", "expression": "61 * * * *"})),
            "cron-invalid",
        ),
    ],
)
def test_a_manifest_that_cannot_be_used_fails_the_discovery_with_its_code(
    server: Server, api: Api, launcher: FakeLauncher, given: dict[str, Any], code: str
) -> None:
    client = api("admin")
    launcher.behave = posting(api(None), "manifest", given)
    group = register(client)
    drain(server)
    found = discovered(client, group)
    assert (found["state"], found["error"]["code"]) == ("failed", code)
    assert found["error"]["what"]
    assert found["manifest"] is None
    assert client.get("groups/weather").json()["provisional"] is True


def test_an_error_that_the_image_posts_is_shown_as_it_is(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    error = {"code": "group-import-failed", "what": "It does not import.", "why": "line 3"}
    launcher.behave = posting(api(None), "error", error)
    launcher.exit_code = 2
    group = register(client)
    drain(server)
    found = discovered(client, group)
    tail = "hello from the image"
    assert found["error"] == {**error, "fix": "", "problems": [], "output": tail}
    assert found["output"] == "hello from the image\n"


def test_an_image_that_ends_without_a_word_is_an_error_with_its_reason_and_output(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    launcher.exit_code, launcher.reason = 1, "It ended with exit code 1."
    launcher.output = "x" * 100_000 + "Segmentation fault"
    group = register(client)
    drain(server)
    found = discovered(client, group)
    assert found["error"]["code"] == "discovery-no-manifest"
    assert found["error"]["why"] == "It ended with exit code 1."
    assert found["output"].endswith("Segmentation fault")
    assert len(found["output"]) == 64 * 1024


def test_an_image_that_does_not_exist_is_an_error(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    launcher.fault = ImageUnusable("There is no file /srv/weather.py.", fix="Give another path.")
    group = register(client)
    drain(server)
    assert discovered(client, group)["error"]["code"] == ImageUnusable.code


def test_a_launcher_that_cannot_start_now_is_tried_again_and_given_up_in_the_end(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    group = register(client)
    step = Discovering(server.services, UUID(group["discovery_id"]))
    launcher.fault = LaunchFailed("The node is full.")
    with pytest.raises(LaunchFailed):
        step.advance()
    assert discovered(client, group)["state"] == "waiting"
    with server.db.write() as conn:
        conn.execute(discoveries.update().values(created_at=clock.now() - timedelta(hours=1)))
    step.advance()
    assert discovered(client, group)["error"]["code"] == "launch-failed"


def test_an_image_that_runs_too_long_is_stopped_and_the_limit_is_named(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    launcher.exit_code, launcher.reason = None, "It was stopped on request."
    group = register(client)
    step = Discovering(server.services, UUID(group["discovery_id"]))
    step.advance()
    step.advance()
    step.advance()
    assert launcher.stopped == []
    with server.db.write() as conn:
        conn.execute(discoveries.update().values(started_at=clock.now() - timedelta(hours=1)))
    step.advance()
    assert launcher.stopped == [f"discover-{group['discovery_id']}"]
    step.advance()
    found = discovered(client, group)
    assert found["error"]["code"] == "discovery-timeout"
    assert "120 s" in found["error"]["what"]


def test_a_server_that_dies_between_start_and_row_starts_the_image_once(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    """The token of the second try is the same, so the image that runs can still post."""
    client = api("admin")
    launcher.behave = posting(api(None), "manifest", manifest(workflow("a")))
    group = register(client)
    step = Discovering(server.services, UUID(group["discovery_id"]))
    step.advance()
    step.advance()
    with server.db.write() as conn:
        conn.execute(discoveries.update().values(handle=None, started_at=None))
    drain(server)
    assert len(launcher.started) == 1
    assert discovered(client, group)["state"] == "succeeded"


def test_the_image_gets_plain_values_and_no_secrets(
    server: Server, api: Api, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R42: discovery runs without secrets unless the registration asks for them."""
    monkeypatch.setenv("THE_TOKEN", "hunter2")
    body = {"environment": {"REGION": "north"}, "secrets": {"API_TOKEN": "env:THE_TOKEN"}}
    register(api("admin"), **body)
    drain(server)
    environment = launcher.started[0].environment
    assert environment["REGION"] == "north"
    assert "hunter2" not in environment.values()


def test_a_secret_that_the_server_does_not_have_is_an_error_that_names_it(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    secrets = {"API_TOKEN": "env:NOT_THERE_AT_ALL"}
    group = register(client, secrets=secrets, discover_with_secrets=True)
    drain(server)
    error = discovered(client, group)["error"]
    assert error["code"] == "secret-missing"
    assert "NOT_THERE_AT_ALL" in error["why"]


def _post(api: Api, server: Server, discovery: str, body: Any, of: str | None = None) -> Any:
    token = tokens.made(server.settings.signing_key, UUID(of or discovery))
    headers = {"Authorization": f"Bearer {token}"}
    return api(None).post(f"discoveries/{discovery}/manifest", json=body, headers=headers)


def test_a_token_opens_its_own_discovery_only(server: Server, api: Api) -> None:
    one = register(api("admin"))["discovery_id"]
    other = register(api("admin"), name="other")["discovery_id"]
    given = manifest(workflow("a"))
    problem(_post(api, server, one, given, of=other), 401, "unauthenticated")
    problem(api("admin").post(f"discoveries/{one}/manifest", json=given), 401, "unauthenticated")
    assert _post(api, server, one, given).status_code == 204


def test_a_token_is_used_up_with_the_first_manifest_but_a_lost_answer_may_be_asked_for_again(
    server: Server, api: Api
) -> None:
    one = register(api("admin"))["discovery_id"]
    assert _post(api, server, one, manifest(workflow("a"))).status_code == 204
    assert _post(api, server, one, manifest(workflow("a"))).status_code == 204
    problem(_post(api, server, one, manifest(workflow("b"))), 409, "discovery-ended")


def test_an_image_may_post_under_an_idempotency_key(server: Server, api: Api) -> None:
    one = register(api("admin"))["discovery_id"]
    token = tokens.made(server.settings.signing_key, UUID(one))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    for _ in range(2):
        answer = api(None).post(
            f"discoveries/{one}/manifest", json=manifest(workflow("a")), headers=headers
        )
        assert answer.status_code == 204


def test_two_requests_before_it_begins_are_one_discovery(server: Server, api: Api) -> None:
    client = api("operator")
    first = register(api("admin"))["discovery_id"]
    again = client.post("groups/weather/discoveries", json={"reason": "new code"}).json()
    assert again["id"] == first
    drain(server)
    assert client.post("groups/weather/discoveries", json={}).json()["id"] != first


def test_a_viewer_may_not_ask_for_a_discovery(api: Api) -> None:
    register(api("admin"))
    problem(api("viewer").post("groups/weather/discoveries", json={}), 403, "role-missing")


def test_a_discovery_of_another_group_is_not_shown_under_this_one(api: Api) -> None:
    one = register(api("admin"))["discovery_id"]
    register(api("admin"), name="other")
    answer = api("viewer").get(f"groups/other/discoveries/{one}")
    problem(answer, 404, "discovery-not-found")


def test_failed_discoveries_of_all_groups_are_found(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    client = api("admin")
    launcher.exit_code = 1
    failed = _drained(server, register(client))
    register(client, name="other")
    found = client.get("discoveries?state=failed").json()["items"]
    assert [one["id"] for one in found] == [failed["discovery_id"]]
    assert len(client.get("discoveries").json()["items"]) == 2
    problem(client.get("discoveries?state=perhaps"), 422, "invalid-input")


def test_a_failure_stands_until_a_later_discovery_of_its_group_has_ended(
    server: Server, api: Api, launcher: FakeLauncher
) -> None:
    """Whoever sees that all is well again must not look for what was wrong once."""
    client = api("admin")

    def standing() -> list[str]:
        found = client.get("discoveries?state=failed&last=true").json()["items"]
        return [one["id"] for one in found]

    def again() -> str:
        asked: str = client.post("groups/weather/discoveries", json={}).json()["id"]
        return asked

    launcher.exit_code = 1
    first = _drained(server, register(client))["discovery_id"]
    second = again()
    assert standing() == [first]
    drain(server)
    assert standing() == [second]
    launcher.exit_code = 0
    launcher.behave = posting(api(None), "manifest", manifest(workflow("a")))
    third = again()
    drain(server)
    assert client.get(f"discoveries/{third}").json()["state"] == "succeeded"
    assert standing() == []
