"""What is told of launchers, and of what they may do in a cluster that is played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.kubernetes.fake.cluster import Cluster
from tests.server.support import Api, problem

from stepwell.launchers.kubernetes import api as kubernetes
from stepwell.launchers.kubernetes.permissions import PERMISSIONS
from stepwell.server.app import Server
from stepwell.server.settings import Settings

URL = "launchers/kubernetes/permissions"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setattr(kubernetes, "PATIENCE", 90.0)
    made = Cluster()
    yield made
    made.close()


@pytest.fixture
def settings(settings: Settings, cluster: Cluster, tmp_path: Path) -> Settings:
    """A server of two launchers; the one of Kubernetes works in two namespaces."""
    return replace(
        settings,
        launchers=("kubernetes", "process"),
        kubernetes_config=str(cluster.kubeconfig(tmp_path / "config")),
        kubernetes_namespace="jobs",
        kubernetes_namespaces=("more",),
    )


def test_all_launchers_are_told_and_how_to_have_those_that_are_not_here(api: Api) -> None:
    found = {one["name"]: one for one in api("viewer").get("launchers").json()["items"]}
    assert list(found) == ["kubernetes", "process", "container"]
    assert [one["enabled"] for one in found.values()] == [True, True, False]
    assert [one["permitted"] for one in found.values()] == [True, False, False]
    assert found["container"]["fix"] == "stepwell serve --launcher container"
    assert found["process"]["fix"] == ""


def test_every_permission_is_told_for_each_namespace_and_the_clusters_once(api: Api) -> None:
    answer = api("admin").get(URL)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["well"] is True
    assert found["manifest"] is None
    assert found["namespaces"] == ["jobs", "more"]
    assert found["subject"] == "default/stepwell"
    places = [(one["group"], one["resource"], one["namespace"]) for one in found["items"]]
    assert places == [
        (one.group, one.resource, namespace)
        for one in PERMISSIONS
        for namespace in ([None] if one.cluster else ["jobs", "more"])
    ]
    assert all(one["missing"] == [] and one["manifest"] is None for one in found["items"])


def test_what_is_missing_comes_with_the_yaml_that_grants_it(api: Api, cluster: Cluster) -> None:
    def granted(asked: dict[str, Any]) -> bool:
        return not (
            (asked["resource"] == "jobs" and asked["verb"] in ("patch", "delete"))
            and asked["namespace"] == "more"
        )

    cluster.api.granted = granted
    found = api("admin").get(URL).json()
    assert found["well"] is False
    [one] = [one for one in found["items"] if one["missing"]]
    assert (one["resource"], one["namespace"]) == ("jobs", "more")
    assert one["missing"] == ["patch", "delete"]
    role, binding = yaml.safe_load_all(one["manifest"])
    assert role["metadata"] == {"name": "stepwell-launcher", "namespace": "more"}
    assert {"jobs", "secrets", "pods"} <= {rule["resources"][0] for rule in role["rules"]}
    assert binding["subjects"][0]["name"] == "stepwell"
    assert found["manifest"] == one["manifest"]


def test_without_what_is_optional_all_is_well(api: Api, cluster: Cluster) -> None:
    cluster.api.granted = lambda asked: asked["resource"] != "nodes"
    found = api("admin").get(URL).json()
    assert found["well"] is True
    kinds = [one["kind"] for one in yaml.safe_load_all(found["manifest"])]
    assert kinds == ["ClusterRole", "ClusterRoleBinding"]
    [one] = [one for one in found["items"] if one["missing"]]
    assert (one["namespace"], one["optional"], one["missing"]) == (None, True, ["list"])


def test_a_cluster_that_does_not_answer_is_a_problem_that_names_it(
    api: Api, cluster: Cluster
) -> None:
    cluster.close()
    told = problem(api("admin").get(URL), 503, "launch-failed")
    assert cluster.url in told["what"]


def test_a_launcher_without_a_cluster_has_nothing_to_grant(api: Api) -> None:
    told = problem(api("admin").get(URL.replace("kubernetes", "process")), 409, "nothing-to-grant")
    assert "process" in told["what"]
    problem(api("admin").get(URL.replace("kubernetes", "container")), 409, "launcher-off")


def test_permissions_are_the_admins_to_ask_for(api: Api, cluster: Cluster, server: Server) -> None:
    for role in ("viewer", "operator", "reviewer"):
        problem(api(role).get(URL), 403, "role-missing")
    assert cluster.api.calls["create selfsubjectaccessreviews"] == 0
