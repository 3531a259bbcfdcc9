"""Real Python files, launched as real processes, against a server on a real port."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from tests.server.support import token

from stepwell.server.app import Server

Discovered: TypeAlias = Callable[..., dict[str, Any]]

GOOD = """
    from datetime import date
    from stepwell.schedules import Cron
    from stepwell.workflows import WorkflowGroup, operation

    group = WorkflowGroup("invoices", description="Money in.")

    @group.workflow(schedule=Cron("30 7 * * 1-5", timezone="Europe/Oslo"))
    class NightlyInvoices:
        day: date
        limit: int = 100

        @operation
        def load(self, limit: int) -> list[int]:
            return list(range(limit))

        @operation
        def report(self, load: list[int]) -> int:
            return len(load)
"""


@pytest.fixture
def client(live: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token(live, 'admin')}"}
    address = f"{live.settings.url}/api/v1/"
    with httpx.Client(base_url=address, headers=headers, timeout=90) as made:
        yield made


@pytest.fixture
def discovered(client: httpx.Client, tmp_path: Path) -> Discovered:
    """Register a file with this source, and wait until its discovery has ended."""

    def act(source: str, **body: Any) -> dict[str, Any]:
        image = tmp_path / "invoices.py"
        image.write_text(textwrap.dedent(source))
        made = client.post("groups", json={"image": str(image), **body})
        assert made.status_code == 201, made.text
        until = time.monotonic() + 90
        while time.monotonic() < until:
            found: dict[str, Any] = client.get(f"discoveries/{made.json()['discovery_id']}").json()
            if found["state"] in {"succeeded", "failed"} and found["output"] is not None:
                return found
            time.sleep(0.05)
        raise AssertionError(found)

    return act


def test_a_group_in_a_file_is_discovered_reviewed_and_released(
    client: httpx.Client, discovered: Discovered
) -> None:
    found = discovered(GOOD)
    assert found["state"] == "succeeded", found
    assert found["group_name"] == "invoices"
    assert found["digest"].startswith("sha256:")
    path = f"groups/invoices/discoveries/{found['id']}"
    assert client.get(f"{path}/diff").json()["counts"] == {"added": 1}
    applied = client.post(f"{path}/decisions", json={"rest": "accept"}).json()
    assert applied["release"]["number"] == 1
    workflow = client.get("groups/invoices/releases/1").json()["workflows"][0]
    assert workflow["workflow"] == "nightly-invoices"
    assert workflow["entry"]["schedule"]["timezone"] == "Europe/Oslo"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import there_is_no_such_module", "there_is_no_such_module"),
        ("def broken(:\n", "invoices.py"),
        ("x = 1", "WorkflowGroup"),
        ("import os\nos.environ['REGION_OF_THE_API']", "REGION_OF_THE_API"),
    ],
)
def test_a_file_that_is_no_group_is_an_error_in_words(
    discovered: Discovered, source: str, words: str
) -> None:
    """R42: a missing variable is an error that names it."""
    found = discovered(source)
    assert found["state"] == "failed"
    told = f"{found['error']['what']} {found['error']['why']} {found['error']['fix']}"
    assert words in told, found["error"]
    assert found["error"]["code"] not in {"discovery-no-manifest", "internal-error"}


def test_an_image_that_is_killed_is_an_error_with_its_output(discovered: Discovered) -> None:
    """The group is imported in a child; here it takes its runner along."""
    source = "import os\nos.kill(os.getppid(), 9)"
    found = discovered(source)
    assert found["error"]["code"] == "discovery-no-manifest"
    assert "SIGKILL" in found["error"]["why"]


def test_the_environment_given_at_registration_reaches_the_image_and_the_servers_does_not(
    discovered: Discovered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SERVER", "hunter2")
    source = "import os\nprint(os.environ['REGION'], os.environ.get('OF_THE_SERVER'), flush=True)"
    found = discovered(source, environment={"REGION": "north"})
    assert "north None" in found["output"]
