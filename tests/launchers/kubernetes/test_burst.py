"""What a launch costs in requests: a handful each, and none for looking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image

from stepwell.launchers.kubernetes import KubernetesLauncher
from stepwell.launchers.kubernetes.api import KubernetesApi
from stepwell.launchers.kubernetes.kubeconfig import reached
from stepwell.launchers.protocol import LaunchSpec
from stepwell.testing.launcher_contract import until

RUNS = 40
WATCHED = ("jobs", "pods", "events")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


def test_a_launch_is_four_requests_however_often_it_is_looked_at(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Job, Secret, go, output; three lists and three watches are for all of them."""
    cluster.nodes.images["localhost/instant"] = Image(instant=True)
    api = KubernetesApi(reached(str(cluster.kubeconfig(tmp_path / "config")), environment={}))
    launcher = KubernetesLauncher(api, owner="burst")
    specs = [
        LaunchSpec(name=f"run-{number}", image="localhost/instant", mode="run")
        for number in range(RUNS)
    ]
    handles = [launcher.start(one) for one in specs]
    until(lambda: all(launcher.poll(one).started_at for one in handles))

    def end_all() -> None:
        for pod in list(cluster.objects.select("pods")):
            cluster.nodes.end(pod, 0)

    cluster.do(end_all)
    until(lambda: all(launcher.poll(one).state == "ended" for one in handles))
    for one in handles:
        for _ in range(20):
            launcher.poll(one)
        launcher.logs(one)
    calls = dict(cluster.api.calls)
    launcher.close()
    assert calls == {
        "create jobs": RUNS,
        "create secrets": RUNS,
        "update jobs": RUNS,
        "fetch pods/log": RUNS,
        **{
            f"{verb} {kind}": 1 for verb in ("list", "watch") for kind in ("jobs", "pods", "events")
        },
    }
