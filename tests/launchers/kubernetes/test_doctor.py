"""What the launcher may do, and no more; and what is said where it may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image
from typer.testing import CliRunner

from stepwell import clock
from stepwell.cli.app import app
from stepwell.launchers.kubernetes import KubernetesLauncher
from stepwell.launchers.kubernetes.api import KubernetesApi
from stepwell.launchers.kubernetes.doctor import missing
from stepwell.launchers.kubernetes.kubeconfig import reached
from stepwell.launchers.kubernetes.permissions import PERMISSIONS
from stepwell.launchers.protocol import LaunchFailed, LaunchSpec
from stepwell.testing.launcher_contract import until

IMAGE = "registry.example/group:1"
SPEC = LaunchSpec(name="job-1", image=IMAGE, mode="run", environment={"A": "b"})


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.nodes.images[IMAGE] = Image(("python", "-c", "import time; time.sleep(60)"))
    yield made
    made.close()


@pytest.fixture
def kubeconfig(cluster: Cluster, tmp_path: Path) -> Path:
    return cluster.kubeconfig(tmp_path / "config")


def launcher(kubeconfig: Path) -> KubernetesLauncher:
    api = KubernetesApi(reached(str(kubeconfig), environment={}))
    return KubernetesLauncher(api, owner="doctor")


def permitted(optional: bool) -> set[tuple[str, str]]:
    listed = [one for one in PERMISSIONS if optional or not one.optional]
    return {(verb, one.resource) for one in listed for verb in one.verbs}


def test_with_the_listed_permissions_and_no_other_a_launch_can_live(
    cluster: Cluster, kubeconfig: Path
) -> None:
    """From its image to its sweep; what is optional is not needed."""
    cluster.api.permitted = permitted(optional=False)
    made = launcher(kubeconfig)
    made.check_options({"requests": {"cpu": "100m"}})
    assert made.pin(IMAGE).digest
    handle = made.start(SPEC)
    until(lambda: made.poll(handle).started_at)
    large = {"requests": {"cpu": "9000"}}
    waits = made.start(LaunchSpec(name="job-2", image=IMAGE, mode="run", options=large))
    until(lambda: (found := made.poll(waits).condition) and found.code == "K8S_UNSCHEDULABLE")
    for one in (handle, waits):
        made.stop(one)
        until(lambda one=one: made.poll(one).state == "ended")  # type: ignore[misc]
        made.logs(one)
        made.remove(one["name"])
    until(lambda: made.leftovers(clock.now()) == [])
    made.close()


def test_without_a_permission_it_says_whom_to_ask(cluster: Cluster, kubeconfig: Path) -> None:
    cluster.api.permitted = permitted(optional=True) - {("create", "jobs")}
    made = launcher(kubeconfig)
    with pytest.raises(LaunchFailed, match="stepwell doctor kubernetes"):
        made.start(SPEC)
    made.close()


def test_every_verb_is_asked_for(cluster: Cluster, kubeconfig: Path) -> None:
    """In each namespace; those of the cluster once."""
    asked: list[dict[str, Any]] = []

    def granted(attributes: dict[str, Any]) -> bool:
        asked.append(attributes)
        return bool(attributes["resource"] != "events")

    cluster.api.granted = granted
    api = KubernetesApi(reached(str(kubeconfig), environment={}))
    found = missing(api, ["one", "two"])
    assert [(one.namespace, one.verbs) for one in found] == [
        ("one", ("list", "watch")),
        ("two", ("list", "watch")),
    ]
    log = [one for one in asked if one.get("subresource") == "log"]
    assert [(one["resource"], one["namespace"]) for one in log] == [
        ("pods", "one"),
        ("pods", "two"),
    ]
    assert len([one for one in asked if one["resource"] == "nodes"]) == 1
    api.close()


def test_the_command_prints_what_grants_it(
    cluster: Cluster, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole role and its binding, to whom the cluster says that we are."""
    cluster.api.granted = lambda attributes: attributes["resource"] not in ("jobs", "nodes")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    result = CliRunner().invoke(app, ["doctor", "kubernetes"])
    assert result.exit_code == 1, result.output
    assert "It may not create, get, list, watch, patch, delete batch/jobs" in result.output
    text = result.output[result.output.index("apiVersion:") :]
    parts = {one["kind"]: one for one in yaml.safe_load_all(text)}
    assert set(parts) == {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    jobs = next(one for one in parts["Role"]["rules"] if one["resources"] == ["jobs"])
    assert jobs["apiGroups"] == ["batch"]
    assert "delete" in jobs["verbs"]
    subject = parts["RoleBinding"]["subjects"][0]
    assert subject == {"kind": "ServiceAccount", "name": "stepwell", "namespace": "default"}


def test_the_command_says_that_all_is_well(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    result = CliRunner().invoke(app, ["doctor", "kubernetes"])
    assert (result.exit_code, result.output.strip()) == (0, "All is well."), result.output


def test_a_cluster_that_is_not_there_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    result = CliRunner().invoke(app, ["doctor", "kubernetes"])
    assert result.exit_code == 1
    assert "cannot be read" in result.output
