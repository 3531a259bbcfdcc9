"""Runs hold with Jobs, on a cluster that is played: its pods are processes of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image
from tests.kubernetes.target import Target

from stepwell.launchers.kubernetes.names import LAUNCH
from stepwell.testing.launcher_contract import RunsContract
from stepwell.testing.launcher_contract.runs import command_lines, write_sample

pytestmark = pytest.mark.slow

NAME = "registry.example/contract:1"


class TestRunsOfJobs(RunsContract):
    """The server speaks to the cluster through its kubeconfig, as to any."""

    launcher = "kubernetes"
    target: ClassVar[Target]
    cluster: ClassVar[Cluster]

    @pytest.fixture(scope="class", autouse=True)
    def _played(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[None]:
        made = request.cls.cluster = Cluster()
        config = made.kubeconfig(tmp_path_factory.mktemp("kube") / "config")
        request.cls.target = Target(config, made)
        yield
        made.close()

    def settings(self, folder: Path) -> Mapping[str, str]:
        """A pod of this machine needs no more than a process does."""
        return {
            "STEPWELL_KUBERNETES_CONFIG": str(self.target.kubeconfig),
            "STEPWELL_KUBERNETES_NAMESPACE": self.target.namespace,
            "STEPWELL_KUBERNETES_CPU": "50m",
            "STEPWELL_KUBERNETES_MEMORY": "256Mi",
        }

    def group(self, folder: Path) -> str:
        """What a node of the played cluster runs under that name."""
        command = ("python", "-m", "stepwell.workflows")
        image = Image(command, {"STEPWELL_GROUP": str(write_sample(folder))})
        name, _, _ = NAME.rpartition(":")
        for known in (NAME, f"{name}@{image.digest}"):
            self.cluster.nodes.images[known] = image
        return NAME

    def kill(self, launch: str) -> None:
        """As the kernel of its node would."""
        for pod in self._pods(launch):
            self.cluster.nodes.processes[pod].kill()

    def living(self) -> set[str]:
        """By the processes of the nodes."""
        pods = {one["metadata"]["name"]: one for one in self.cluster.all("pods")}
        running = [
            pod for pod, one in list(self.cluster.nodes.processes.items()) if one.returncode is None
        ]
        return {pods[pod]["metadata"]["labels"][LAUNCH] for pod in running if pod in pods}

    def shown(self, launch: str) -> str:
        """Whoever may read Jobs and pods, and not Secrets, sees this."""
        return command_lines() + json.dumps([*self.cluster.all("pods"), *self.cluster.all("jobs")])

    def _pods(self, launch: str) -> list[str]:
        found = [one["metadata"] for one in self.cluster.all("pods")]
        return [one["name"] for one in found if one["labels"].get(LAUNCH) == launch]
