"""Helpers for tests of the server: tokens, drains, manifests, a launcher without processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import pytest
from starlette.testclient import TestClient
from tests import ports

from stepwell.engine import Engine, Tally
from stepwell.ids import new_id
from stepwell.launchers.protocol import Handle, LaunchSpec, LaunchStatus, Pinned
from stepwell.server import background
from stepwell.server.access import service as access
from stepwell.server.access.records import NewToken, Role
from stepwell.server.app import Server
from stepwell.server.services import QUEUE

Api: TypeAlias = Callable[..., TestClient]

free_port = ports.free_port

on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def token(server: Server, role: str) -> str:
    """A fresh token of a role."""
    new = NewToken(name=f"{role}-{new_id().hex}", role=Role(role))
    with server.db.write() as conn:
        return access.issue(conn, new, by="the test").secret


def drain(server: Server, patience: float = 2.0) -> Tally:
    """Run the server's own steps until none is due within `patience` seconds."""
    registry = background.handlers(server.services)
    return Engine(server.db.store, registry, queues=(QUEUE,)).drain(patience=patience)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, which must have this status and code."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    found: dict[str, Any] = answer.json()
    return found


def operation(name: str, order: int = 1, **values: Any) -> dict[str, Any]:
    """A manifest's entry of an operation."""
    return {
        "name": name,
        "order": order,
        "description": "",
        "tags": [],
        "halt_on_error": True,
        "retries": 0,
        "timeout": None,
        "output": name.replace("-", "_"),
        "inputs": {},
        "returns": None,
        **values,
    }


def workflow(name: str, *operations: str, **values: Any) -> dict[str, Any]:
    """A manifest's entry of a workflow; operations by name, `load` if none is given."""
    names = operations or ("load",)
    return {
        "name": name,
        "class": name.title().replace("-", ""),
        "description": "",
        "tags": [],
        "deadline": 86400.0,
        "schedule": None,
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
        "operations": [operation(one, place) for place, one in enumerate(names, 1)],
        **values,
    }


def manifest(*workflows: dict[str, Any], group: str = "weather", **values: Any) -> dict[str, Any]:
    """A manifest of version 1."""
    about = {"name": group, "description": "", "tags": [], "entry_point": f"{group}:group"}
    return {
        "manifest_version": 1,
        "sdk_version": "0.1.0",
        "group": about,
        "workflows": list(workflows),
        **values,
    }


class FakeLauncher:
    """A launcher whose image is `behave`: called with the spec at its first poll.

    `digest_now` may be changed between pins; `exit_code` None means that it never ends.
    """

    def __init__(self) -> None:
        self.digest_now = "sha256:one"
        self.behave: Callable[[LaunchSpec], None] = lambda spec: None
        self.exit_code: int | None = 0
        self.reason = "It ended."
        self.output = "hello from the image\n"
        self.started: list[LaunchSpec] = []
        self.stopped: list[str] = []
        self.kept: set[str] = set()
        self.fault: Exception | None = None

    def pin(self, image: str) -> Pinned:
        """Keep the image under the digest of the moment."""
        self._raise()
        self.kept.add(self.digest_now)
        return Pinned(digest=self.digest_now, location=f"{image}@{self.digest_now}")

    def digest(self, image: str) -> str:
        """The digest of the moment."""
        self._raise()
        return self.digest_now

    def locate(self, image: str, digest: str) -> str:
        """Where a kept image is."""
        self._raise()
        return f"{image}@{digest}"

    def start(self, spec: LaunchSpec) -> Handle:
        """Remember the launch; once per name."""
        self._raise()
        if spec.name not in [one.name for one in self.started]:
            self.started.append(spec)
        return {"name": spec.name, "polled": 0}

    def find(self, name: str) -> Handle:
        """The handle of a launch of that name."""
        return {"name": name, "polled": 0}

    def poll(self, handle: Handle) -> LaunchStatus:
        """Behave, then say that it has ended."""
        if self.exit_code is None and handle["name"] not in self.stopped:
            return LaunchStatus(state="running")
        if handle["name"] not in self.stopped:
            spec = next(one for one in self.started if one.name == handle["name"])
            self.behave(spec)
        return LaunchStatus(state="ended", exit_code=self.exit_code, reason=self.reason)

    def stop(self, handle: Handle) -> None:
        """Remember that it was asked to end."""
        self.stopped.append(handle["name"])

    def logs(self, handle: Handle) -> str:
        """What it wrote."""
        return self.output

    def _raise(self) -> None:
        if self.fault is not None:
            raise self.fault


def posting(client: TestClient, path: str, body: Any) -> Callable[[LaunchSpec], None]:
    """A behaviour: post `body` to the discovery's `path` with the launch's own token."""

    def behave(spec: LaunchSpec) -> None:
        environment = spec.environment
        client.post(
            f"discoveries/{environment['STEPWELL_DISCOVERY_ID']}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {environment['STEPWELL_TOKEN']}"},
        )

    return behave
