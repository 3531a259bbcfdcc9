"""Dagster: `dagster dev` with one job of three ops, and its state in a folder."""

from __future__ import annotations

from typing import Any, Final

import httpx

from benchmarks.server.served import free_port, until
from benchmarks.server.systems import Peer

JOB: Final = """
import dagster


@dagster.op
def first() -> int:
    return 1


@dagster.op
def second(first: int) -> int:
    return first + 1


@dagster.op
def third(second: int) -> int:
    return second + 1


@dagster.job
def three():
    third(second(first()))


defs = dagster.Definitions(jobs=[three])
"""
LAUNCH: Final = """
mutation {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "job.py", repositoryName: "__repository__", jobName: "three"
    }
    mode: "default"
  }) { ... on LaunchRunSuccess { run { runId } } }
}
"""
STATUS: Final = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
KNOWN: Final = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"


class Dagster(Peer):
    """Asked by GraphQL, as its page asks it."""

    def begin(self) -> None:
        """Start its page, its daemon and the process that knows the job."""
        port = str(free_port())
        home = self.folder / "home"
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        (self.folder / "job.py").write_text(JOB)
        self.environment["DAGSTER_HOME"] = str(home)
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.start("dagster", "dev", "-f", "job.py", "-h", "127.0.0.1", "-p", port)
        until(self._knows)

    def run_once(self) -> None:
        """A run of the job."""
        run_id = self._asked(LAUNCH)["launchRun"]["run"]["runId"]

        def ended() -> Any:
            status = self._asked(STATUS, id=run_id)["runOrError"]["status"]
            assert status not in ("FAILURE", "CANCELED"), status
            return status == "SUCCESS"

        until(ended)

    def _knows(self) -> Any:
        try:
            return self._asked(KNOWN)["repositoriesOrError"].get("nodes")
        except httpx.TransportError:
            return None

    def _asked(self, query: str, **variables: str) -> Any:
        body = {"query": query, "variables": variables}
        answer = self._api.post("/graphql", json=body).raise_for_status()
        return answer.json()["data"]
