"""A server that starts its runs in the cluster under test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import update
from tests.kubernetes.conftest import GROUP as SOURCE
from tests.kubernetes.target import IMAGE, NAMED, PATIENCE, POLICY, Target
from tests.server.live import listening, without_fsync
from tests.server.runs.support import release, started
from tests.server.support import free_port, token

from stepwell.server.app import Server
from stepwell.server.database.tables import groups
from stepwell.server.runs import service
from stepwell.server.runs.records import RunDetail
from stepwell.server.settings import Settings
from stepwell.testing.launcher_contract import until
from stepwell.workflows.describing import describe
from stepwell.workflows.loading import load_group

HOST = os.environ.get("STEPWELL_TEST_HOST", "127.0.0.1")
"""How pods reach this machine."""


def settings(folder: Path, port: int, kubeconfig: str, namespace: str) -> Settings:
    """The same, whoever starts the server; the key is the owner of its Jobs."""
    return Settings(
        data_dir=folder / "data",
        secret_key=f"a key for {folder}",
        launchers=("kubernetes",),
        host="0.0.0.0" if NAMED else "127.0.0.1",
        port=port,
        public_url=f"http://{HOST}:{port}",
        discovery_timeout=150.0,
        kubernetes_config=kubeconfig,
        kubernetes_namespace=namespace,
        kubernetes_cpu="50m",
        kubernetes_memory="256Mi",
        kubernetes_pull_policy=POLICY,
    )


class Served:
    """A data directory, and servers on it."""

    def __init__(self, folder: Path, target: Target, **changes: Any) -> None:
        self.folder, self.target, self.port = folder, target, free_port()
        self.namespace = target.namespace
        (folder / "data").mkdir()
        self.changes = changes

    def server(self) -> Server:
        """A server, not started."""
        given = settings(self.folder, self.port, str(self.target.kubeconfig), self.namespace)
        return without_fsync(Server(replace(given, **self.changes)))

    def prepare(self, server: Server, options: dict[str, Any] | None = None) -> None:
        """Migrate, and release the group of the image."""
        server.db.migrate()
        (entry,) = describe(*load_group(SOURCE)).manifest.as_json()["workflows"]
        release(server, entry, image=IMAGE, digest="sha256:" + "ab" * 32)
        with server.db.write() as conn:
            conn.execute(update(groups).values(launcher="kubernetes", launch_options=options))

    def start_run(self, server: Server, wait: float = 0.0) -> UUID:
        """A run of it."""
        return started(server, {"day": "2026-01-31", "wait": wait})

    @contextmanager
    def listening(self) -> Iterator[Server]:
        """A prepared server that runs, and listens."""
        server = self.server()
        with server, listening(server):
            yield server


def show(server: Server, run_id: UUID) -> RunDetail:
    """The run as it is."""
    with server.db.read() as conn:
        return service.detail(conn, run_id)


def ended(server: Server, run_id: UUID) -> RunDetail:
    """The run when it has ended."""
    until(lambda: show(server, run_id).state.ended, PATIENCE * 2)
    return show(server, run_id)


def output(server: Server, run_id: UUID) -> str:
    """What the newest pod has written until now."""
    launcher = server.services.launcher("kubernetes")
    number = show(server, run_id).attempt
    return launcher.logs(launcher.find(f"{run_id}-{number}"))


def client(server: Server, role: str = "admin") -> httpx.Client:
    """The API over HTTP."""
    headers = {"Authorization": f"Bearer {token(server, role)}"}
    url = f"http://127.0.0.1:{server.settings.port}/api/v1"
    return httpx.Client(base_url=url, headers=headers, timeout=90)
