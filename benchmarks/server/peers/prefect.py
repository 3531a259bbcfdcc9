"""Prefect: its server on SQLite, and a process that serves one flow of three tasks."""

from __future__ import annotations

from typing import Any, Final

import httpx

from benchmarks.server.served import free_port, until
from benchmarks.server.systems import Peer

FLOW: Final = """
from prefect import flow, task


@task
def first() -> int:
    return 1


@task
def second(first: int) -> int:
    return first + 1


@task
def third(second: int) -> int:
    return second + 1


@flow
def three() -> int:
    return third(second(first()))


if __name__ == "__main__":
    three.serve(name="bench")
"""


class Prefect(Peer):
    """Asked by its REST API, as the page of a deployment asks it."""

    def begin(self) -> None:
        """Start its server, then what serves the flow."""
        port = str(free_port())
        api = f"http://127.0.0.1:{port}/api"
        self.environment["PREFECT_HOME"] = str(self.folder / "home")
        self.environment["PREFECT_API_URL"] = api
        self.environment["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
        (self.folder / "flow.py").write_text(FLOW)
        self._api = httpx.Client(base_url=api, timeout=60)
        self.start("prefect", "server", "start", "--host", "127.0.0.1", "--port", port)
        until(lambda: self._got("/health"))
        self.start("python", "flow.py")
        self._id = until(lambda: self._got("/deployments/name/three/bench"))["id"]

    def run_once(self) -> None:
        """A flow run of the deployment."""
        made = until(self._made)

        def ended() -> Any:
            found = self._api.get(f"/flow_runs/{made['id']}").raise_for_status()
            state = found.json()["state_type"]
            assert state not in ("FAILED", "CRASHED", "CANCELLED"), state
            return state == "COMPLETED"

        until(ended)

    def _made(self) -> Any:
        """None while its database is locked by itself: it says 503, and that one may ask again."""
        answer = self._api.post(f"/deployments/{self._id}/create_flow_run", json={})
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return None
        return answer.raise_for_status().json()

    def _got(self, path: str) -> Any:
        try:
            answer = self._api.get(path)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None
