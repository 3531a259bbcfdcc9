"""The cluster under test: the one that is named, or one that is played in this process."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.proxy import Proxy

from stepwell.launchers.kubernetes import KubernetesLauncher, KubernetesOptions
from stepwell.launchers.kubernetes.api import KubernetesApi
from stepwell.launchers.kubernetes.kubeconfig import reached
from stepwell.launchers.protocol import Handle, LaunchSpec, LaunchStatus
from stepwell.testing.launcher_contract import until

NAMED = os.environ.get("STEPWELL_TEST_KUBECONFIG", "")
"""The kubeconfig of a real cluster; empty is a played one."""
IMAGE = os.environ.get("STEPWELL_TEST_IMAGE", "localhost/stepwell-test:1")
POLICY = os.environ.get("STEPWELL_TEST_PULL_POLICY", "Never" if NAMED else "IfNotPresent")
PATIENCE = 120.0


def be_patient(patch: pytest.MonkeyPatch) -> None:
    """A caller waits for a first list and for an image's pod, and silent engines are waited for,
    for longer than a busy machine stands still."""
    patch.setattr("stepwell.launchers.kubernetes.places.FIRST", PATIENCE)
    patch.setattr("stepwell.launchers.kubernetes.images.PATIENCE", PATIENCE)
    patch.setattr("stepwell.engine.heartbeat.DEAD_AFTER", PATIENCE)


class Target:
    """One cluster.

    Parameters
    ----------
    cluster : the played one; None where a real one is named.
    """

    def __init__(self, kubeconfig: Path, cluster: Cluster | None) -> None:
        self.kubeconfig, self.cluster = kubeconfig, cluster
        self.access = reached(str(kubeconfig), environment={})
        self.api = KubernetesApi(self.access)
        self.owner = f"t{secrets.token_hex(4)}"
        self._made: list[str] = []
        self.namespace = self.make_namespace()

    def make_namespace(self, **labels: str) -> str:
        """A new namespace."""
        name = f"stepwell-test-{secrets.token_hex(3)}"
        body = {"metadata": {"name": name, "labels": labels}}
        if self.cluster is not None:  # kmock 0.8 cannot read the path of that request
            objects = self.cluster.objects
            self.cluster.do(lambda: objects.add("namespaces", "", body))
            return name
        self.api.ask("POST", "/api/v1/namespaces", body)
        self._made.append(name)
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        until(lambda: self.api.find(account), PATIENCE)  # pods need it
        return name

    def drop_namespaces(self) -> None:
        """Remove all that were made, with all that is in them."""
        for name in self._made:
            self.api.ask("DELETE", f"/api/v1/namespaces/{name}")

    def make(self, proxy: Proxy | None = None, **options: Any) -> KubernetesLauncher:
        """A launcher of its own, perhaps by way of a proxy."""
        access = self.access
        if proxy is not None:
            url = urlsplit(access.server)
            named = access.tls_name or (url.hostname or "")
            server = f"{url.scheme}://127.0.0.1:{proxy.port}"
            access = replace(access, server=server, tls_name=named)
        usual = {"namespace": self.namespace, "pull_policy": POLICY, "cpu": "50m", "grace": 2}
        made = KubernetesOptions(**{"memory": "128Mi", **usual, **options})
        return KubernetesLauncher(KubernetesApi(access), made, owner=self.owner)

    def proxy(self) -> Proxy:
        """A proxy to the API server."""
        url = urlsplit(self.access.server)
        return Proxy(url.hostname or "", url.port or 443)

    def found(self, resource: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """All objects of a kind in a namespace."""
        group = "/apis/batch/v1" if resource == "jobs" else "/api/v1"
        path = f"{group}/namespaces/{namespace or self.namespace}/{resource}"
        items: list[dict[str, Any]] = self.api.ask("GET", path)["items"]
        return items

    def of_launch(self, resource: str, name: str) -> list[dict[str, Any]]:
        """The objects of one launch."""
        return [
            one
            for one in self.found(resource)
            if (one["metadata"].get("labels") or {}).get("stepwell.launch") == name
        ]


class Launches:
    """Starts scripts with a launcher; each is Python text that the image's Python runs."""

    def __init__(self, launcher: KubernetesLauncher) -> None:
        self.launcher = launcher

    def spec(self, script: str, name: str = "", **fields: Any) -> LaunchSpec:
        """A launch of a script; `options` are those of a group."""
        options = {**fields.pop("options", {})}
        patch = {"spec": {"containers": [{"name": "main", "command": ["python3", "-c", script]}]}}
        options.setdefault("patch", patch)
        name = name or f"job-{secrets.token_hex(4)}"
        given = {"image": IMAGE, "mode": "run", "deadline_seconds": 600.0, **fields}
        return LaunchSpec(name=name, options=options, **given)

    def start(self, script: str, name: str = "", **fields: Any) -> Handle:
        """Start it."""
        return self.launcher.start(self.spec(script, name, **fields))

    def ended(self, handle: Handle) -> LaunchStatus:
        """The status when it has ended."""
        until(lambda: self.launcher.poll(handle).state == "ended", PATIENCE)
        return self.launcher.poll(handle)

    def runs(self, handle: Handle) -> None:
        """Wait until its image runs."""
        until(lambda: self.launcher.poll(handle).started_at, PATIENCE)

    def waits(self, handle: Handle, code: str) -> dict[str, Any]:
        """The details of what it waits for, when it waits for that."""

        def condition() -> Any:
            status = self.launcher.poll(handle)
            assert status.state == "running", status
            return status.condition if status.condition and status.condition.code == code else None

        return dict(until(condition, PATIENCE).details)


@contextmanager
def cut(proxy: Proxy) -> Iterator[None]:
    """Nobody reaches the API server within the block."""
    proxy.cut()
    try:
        yield
    finally:
        proxy.mend()
