"""A folder as a source: groups are found by reading, and nothing runs without an admin's yes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.sources.conftest import Scan
from tests.server.support import Api, FakeLauncher, drain, on_both, problem

from stepwell.engine import StepClient
from stepwell.server.app import Server
from stepwell.server.sources.service import SCAN
from stepwell.step import StepStatus

GROUP = "from stepwell.workflows import WorkflowGroup\ngroup = WorkflowGroup({name!r})\n"
LOGIN = {"username": "env:A", "password": "env:B"}
PLAIN = {"username": "me", "password": "the secret itself"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package, a module, a program, and a file that is no group."""
    root = tmp_path / "groups"
    (root / "weather").mkdir(parents=True)
    (root / "weather" / "__init__.py").write_text(GROUP.format(name="weather"))
    (root / "shop.py").write_text(GROUP.format(name="shop"))
    (root / "node").mkdir()
    program = root / "node" / "stepwell-group"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (root / "notes.py").write_text("x = 1\n")
    return root


def add(client: TestClient, folder: Path, **body: Any) -> None:
    source = {"name": "local", "kind": "folder", "location": str(folder), **body}
    made = client.post("sources", json=source)
    assert made.status_code == 201, made.text
    assert made.json()["scanning"]


def images(client: TestClient, **query: Any) -> dict[str, dict[str, Any]]:
    items = client.get("source-images", params=query).json()["items"]
    return {Path(one["image"]).name: one for one in items}


@on_both
def test_a_scan_finds_groups_by_reading_and_starts_none_of_them(
    client: TestClient, scan: Scan, folder: Path, launcher: FakeLauncher
) -> None:
    add(client, folder)
    found = scan("local")
    assert (found["images"], found["waiting"], found["scan_error"]) == (3, 3, None)
    assert found["scanned_at"] is not None
    stated = {name: one["stated_name"] for name, one in images(client).items()}
    assert stated == {"weather": "weather", "shop.py": "shop", "node": None}
    assert all(one["state"] == "waiting" for one in images(client).values())
    assert launcher.started == []
    assert client.get("groups").json()["items"] == []


@on_both
def test_an_admins_yes_registers_the_image_and_discovers_it(
    server: Server, client: TestClient, api: Api, scan: Scan, folder: Path
) -> None:
    add(client, folder)
    scan("local")
    image = images(client)["shop.py"]
    path = f"source-images/{image['id']}/registrations"
    problem(api("reviewer").post(path, json={}), 403, "role-missing")
    made = client.post(path, json={"environment": {"A": "b"}, "watch_every": 600})
    assert made.json()["group"] == "shop"
    group = client.get("groups/shop").json()
    assert (group["provisional"], group["image"]) == (True, str(folder / "shop.py"))
    assert (group["environment"], group["watch_every"]) == ({"A": "b"}, 600.0)
    after = images(client)["shop.py"]
    assert (after["state"], after["group"]) == ("registered", "shop")
    problem(client.post(path, json={}), 409, "source-image-taken")
    assert set(images(client, state="waiting")) == {"weather", "node"}


def test_what_was_found_takes_the_name_that_its_code_states_and_not_that_of_its_file(
    client: TestClient, server: Server, scan: Scan, folder: Path
) -> None:
    """So a file that is called like a registered group is not taken for that group."""
    (folder / "weather.py").write_text('group = WorkflowGroup("forecast")\n')
    add(client, folder)
    scan("local")
    found = images(client)
    for name, stated in (("weather", "weather"), ("weather.py", "forecast")):
        made = client.post(f"source-images/{found[name]['id']}/registrations", json={})
        assert made.json().get("group") == stated, made.text
    assert client.get("groups/forecast").json()["provisional"]


def test_an_admins_no_is_kept_with_its_reason_and_can_be_taken_back(
    client: TestClient, scan: Scan, folder: Path
) -> None:
    add(client, folder)
    scan("local")
    image = images(client)["shop.py"]
    said = client.post(f"source-images/{image['id']}/dismissals", json={"reason": "a sketch"})
    assert (said.json()["state"], said.json()["reason"]) == ("dismissed", "a sketch")
    assert scan("local")["waiting"] == 2
    client.post(f"source-images/{image['id']}/registrations", json={})
    assert images(client)["shop.py"]["state"] == "registered"


@on_both
def test_a_scan_discovers_a_registered_group_only_when_its_files_changed(
    client: TestClient, server: Server, scan: Scan, folder: Path
) -> None:
    add(client, folder)
    scan("local")
    client.post(f"source-images/{images(client)['shop.py']['id']}/registrations", json={})
    drain(server, patience=1.0)

    def triggers() -> list[tuple[str, str]]:
        items = client.get("groups/shop/discoveries").json()["items"]
        return [(one["trigger"], one["requested_by"]) for one in items]

    scan("local")
    assert [trigger for trigger, _ in triggers()] == ["registration"]
    (folder / "shop.py").write_text(GROUP.format(name="shop") + "x = 2\n")
    scan("local")
    assert triggers()[0] == ("scan", "source local")
    scan("local")
    assert len(triggers()) == 2


def test_what_is_not_there_any_more_is_gone_and_may_come_back(
    client: TestClient, scan: Scan, folder: Path
) -> None:
    add(client, folder)
    scan("local")
    text = (folder / "shop.py").read_text()
    (folder / "shop.py").unlink()
    assert scan("local")["images"] == 2
    assert images(client)["shop.py"]["state"] == "gone"
    (folder / "shop.py").write_text(text)
    assert scan("local")["images"] == 3
    assert images(client)["shop.py"]["state"] == "waiting"


def test_patterns_say_which_of_a_folders_groups_are_wanted(
    client: TestClient, scan: Scan, folder: Path
) -> None:
    add(client, folder, include=["*.py", "weather"], exclude=["sh*"])
    assert scan("local")["images"] == 1
    client.patch("sources/local", json={"exclude": []})
    scan("local")
    assert set(images(client)) == {"shop.py", "weather"}


def test_a_folder_that_cannot_be_read_is_an_error_that_keeps_what_was_found(
    client: TestClient, scan: Scan, folder: Path
) -> None:
    add(client, folder)
    scan("local")
    folder.rename(folder.with_name("moved"))
    found = scan("local")
    assert found["scan_error"]["code"] == "source-unreachable"
    assert found["scan_error"]["fix"]
    assert found["images"] == 3


def test_a_test_tells_what_it_sees_and_keeps_nothing(
    client: TestClient, api: Api, folder: Path
) -> None:
    body = {"name": "x", "kind": "folder", "location": str(folder)}
    seen = client.post("source-tests", json=body).json()
    assert (seen["ok"], seen["count"]) == (True, 3)
    assert str(folder / "shop.py") in seen["images"]
    wrong = client.post("source-tests", json={**body, "location": "/no/such/folder"}).json()
    assert (wrong["ok"], wrong["error"]["code"]) == (False, "source-unreachable")
    assert client.get("sources").json()["items"] == []
    problem(api("operator").post("source-tests", json=body), 403, "role-missing")


@on_both
def test_a_source_with_an_interval_is_scanned_by_itself_until_it_is_removed(
    server: Server, client: TestClient, scan: Scan, folder: Path
) -> None:
    add(client, folder, scan_every=3600)
    scan("local")
    steps = StepClient(server.db.store)
    (step,) = steps.search(name=SCAN, status=StepStatus.READY)
    assert step.unique_key == "local"
    client.patch("sources/local", json={"scan_every": None})
    assert steps.search(name=SCAN, status=StepStatus.READY) == []
    client.patch("sources/local", json={"scan_every": 60})
    assert len(steps.search(name=SCAN, status=StepStatus.READY)) == 1
    assert client.post("sources/local/removals", json={}).status_code == 204
    assert steps.search(name=SCAN, status=StepStatus.READY) == []
    problem(client.get("sources/local"), 404, "source-not-found")


def test_every_change_of_a_source_is_in_the_audit_log(
    client: TestClient, scan: Scan, folder: Path
) -> None:
    add(client, folder)
    scan("local")
    client.patch("sources/local", json={"scan_every": 60, "reason": "often"})
    client.post("sources/local/removals", json={"reason": "over"})
    actions = [one["action"] for one in client.get("audit").json()["items"]]
    assert {"source.add", "source.scan", "source.change", "source.remove"} <= set(actions)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "folder", "location": "groups"}, "source-invalid"),
        ({"kind": "folder", "location": "/srv", "credentials": LOGIN}, "source-invalid"),
        ({"kind": "registry", "location": "https://me:secret@registry"}, "source-invalid"),
        ({"kind": "registry", "location": "ftp://registry"}, "source-invalid"),
        ({"kind": "registry", "location": "r", "credentials": PLAIN}, "invalid-input"),
        ({"kind": "cloud", "location": "x"}, "invalid-input"),
    ],
)
def test_a_source_that_cannot_be_is_refused(
    client: TestClient, body: dict[str, Any], code: str
) -> None:
    problem(client.post("sources", json={"name": "one", **body}), 422, code)


def test_two_sources_of_one_name_are_refused(client: TestClient, folder: Path) -> None:
    add(client, folder)
    again = {"name": "local", "kind": "folder", "location": str(folder)}
    problem(client.post("sources", json=again), 409, "source-exists")
