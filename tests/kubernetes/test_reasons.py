"""What a launch waits for, and how it ended: said in words, as the cluster itself knows it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.target import PATIENCE, Launches, Target

from stepwell.launchers.protocol import LaunchFailed
from stepwell.testing.launcher_contract import until

WAIT = "import time; print('up', flush=True); time.sleep(600)"
PRIVILEGED = {
    "spec": {
        "containers": [
            {
                "name": "main",
                "securityContext": {"privileged": True, "allowPrivilegeEscalation": True},
            }
        ]
    }
}
HOG = "import time\nx = [bytearray(1024 * 1024) for _ in range(200)]\ntime.sleep(600)"


def secret(target: Target, name: str, **values: str) -> None:
    body = {"metadata": {"name": name}, "stringData": values}
    target.api.ask("POST", f"/api/v1/namespaces/{target.namespace}/secrets", body)


def pod_of(target: Target, name: str) -> str:
    return str(until(lambda: target.of_launch("pods", name), PATIENCE)[0]["metadata"]["name"])


def delete(target: Target, resource: str, name: str) -> None:
    group = "/apis/batch/v1" if resource == "jobs" else "/api/v1"
    path = f"{group}/namespaces/{target.namespace}/{resource}/{name}"
    target.api.ask("DELETE", path, propagationPolicy="Background")


def test_what_fits_on_no_node_says_what_is_missing_and_what_the_largest_has(
    target: Target, launches: Launches
) -> None:
    handle = launches.start(WAIT, options={"requests": {"cpu": "9000", "memory": "64Mi"}})
    details = launches.waits(handle, "K8S_UNSCHEDULABLE")
    assert details["needs"] == "9000 CPU"
    assert details["largest_node"].endswith(" CPU")
    assert details["nodes"] >= 1
    launches.launcher.stop(handle)
    assert launches.ended(handle).reason == "It was stopped on request."


def test_an_image_that_cannot_be_pulled_gives_the_registrys_answer(launches: Launches) -> None:
    handle = launches.start(WAIT, image="localhost/stepwell-missing:2")
    details = launches.waits(handle, "K8S_IMAGE")
    assert details["image"] == "localhost/stepwell-missing:2"
    assert "stepwell-missing" in details["error"]
    launches.launcher.stop(handle)


def test_what_is_told_of_a_pod_is_found_though_its_name_is_cut_off(launches: Launches) -> None:
    """The cluster makes a pod's name of 58 characters of its Job's, and five of its own."""
    name = f"discover-{'0198' * 8}-and-more"
    handle = launches.start(WAIT, name=name, image="localhost/stepwell-missing:2")
    launches.waits(handle, "K8S_IMAGE")
    launches.launcher.stop(handle)
    told = launches.ended(handle).details["events"]
    assert "stepwell-missing:2" in " ".join(one["message"] for one in told)


def test_a_secret_that_is_missing_is_named_and_waited_for(
    target: Target, launches: Launches
) -> None:
    """Secrets are named by reference: the server never reads them."""
    env = {"PASSWORD": {"secret": "warehouse", "key": "password"}}
    spec = launches.spec("import os; print(os.environ['PASSWORD'])")
    handle = launches.launcher.start(
        launches.spec("", options={**spec.options, "env": env}, name="secret-1")
    )
    details = launches.waits(handle, "K8S_CONFIG")
    assert (details["kind"], details["name"]) == ("Secret", "warehouse")
    assert details["namespace"] == target.namespace
    secret(target, "warehouse", password="by-reference")
    assert launches.ended(handle).exit_code == 0
    assert launches.launcher.logs(handle).strip() == "by-reference"


def test_a_key_that_is_missing_is_named(target: Target, launches: Launches) -> None:
    secret(target, "half", other="1")
    handle = launches.start(WAIT, options={"env": {"A": {"secret": "half", "key": "wanted"}}})
    details = launches.waits(handle, "K8S_CONFIG")
    assert (details["name"], details["key"]) == ("half", "wanted")
    launches.launcher.stop(handle)


def test_a_full_quota_says_what_is_used_of_how_much(target: Target) -> None:
    """The Job is there, and its pod is not made."""
    space = target.make_namespace()
    quota = {"metadata": {"name": "team"}, "spec": {"hard": {"pods": "0"}}}
    target.api.ask("POST", f"/api/v1/namespaces/{space}/resourcequotas", quota)
    launches = Launches(target.make(namespace=space))
    handle = launches.start(WAIT)
    details = launches.waits(handle, "K8S_QUOTA")
    assert (details["quota"], details["resource"]) == ("team", "pods")
    assert (details["needs"], details["used"], details["hard"]) == ("1", "0", "0")
    launches.launcher.stop(handle)
    assert launches.ended(handle).reason == "It was stopped on request."
    launches.launcher.close()


def test_a_policy_that_refuses_the_pod_is_named(target: Target) -> None:
    space = target.make_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    launches = Launches(target.make(namespace=space))
    handle = launches.start(WAIT, options={"patch": PRIVILEGED})
    details = launches.waits(handle, "K8S_ADMISSION")
    assert details["policy"] == "PodSecurity"
    assert "privileged" in details["error"]
    launches.launcher.stop(handle)
    plain = launches.start("print('restricted is enough')")
    assert launches.ended(plain).exit_code == 0
    launches.launcher.close()


def test_a_job_that_is_refused_itself_keeps_what_it_waits_for(
    cluster: Cluster, launches: Launches
) -> None:
    """Of a webhook, as admission controllers word it."""
    words = 'admission webhook "policy.example" denied the request: no cost label'
    cluster.do(lambda: cluster.api.admission.append(lambda what, _: words))
    try:
        with pytest.raises(LaunchFailed) as caught:
            launches.start(WAIT)
    finally:
        cluster.do(cluster.api.admission.pop)
    condition = caught.value.condition
    assert condition is not None
    assert (condition.code, condition.details["policy"]) == ("K8S_ADMISSION", "policy.example")
    assert condition.details["error"] == "no cost label"


def test_what_needs_too_much_memory_is_told_with_its_limit(launches: Launches) -> None:
    sizes = {"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    spec = launches.spec(HOG)
    handle = launches.start(HOG, options={**sizes, "patch": spec.options["patch"]})
    status = launches.ended(handle)
    assert status.exit_code == 137
    assert "more memory than its limit of 64 MiB (out of memory)" in status.reason


def test_an_exit_code_and_where_it_ran_are_kept(launches: Launches) -> None:
    status = launches.ended(launches.start("raise SystemExit(3)"))
    assert (status.exit_code, status.reason) == (3, "It ended with exit code 3.")
    assert status.details["node"]
    assert status.details["pod"].startswith(status.details["job"])


def test_a_command_that_is_not_there_is_no_mystery(launches: Launches) -> None:
    patch = {"spec": {"containers": [{"name": "main", "command": ["/no/such/program"]}]}}
    status = launches.ended(launches.start("", options={"patch": patch}))
    assert "command could not be run" in status.reason


def test_a_deadline_ends_it_though_no_server_looks(launches: Launches) -> None:
    status = launches.ended(launches.start(WAIT, deadline_seconds=2))
    assert status.reason.startswith("It ran longer than its deadline")


def test_a_pod_that_is_deleted_by_hand_has_ended(target: Target, launches: Launches) -> None:
    handle = launches.start(WAIT, name="deleted-1")
    launches.runs(handle)
    delete(target, "pods", pod_of(target, "deleted-1"))
    status = launches.ended(handle)
    assert status.reason.startswith("Its pod was deleted by somebody while it ran on ")
    assert len(target.of_launch("pods", "deleted-1")) <= 1


def test_a_job_that_is_deleted_by_hand_has_ended_when_its_pod_has(
    target: Target, launches: Launches
) -> None:
    """It is not started a second time while something of it runs."""
    handle = launches.start(WAIT, name="deleted-2")
    launches.runs(handle)
    delete(target, "jobs", f"sw-{target.owner}-deleted-2")
    reason = launches.ended(handle).reason
    assert reason.startswith("Its Job was deleted by somebody while it ran on ")
    until(lambda: not target.of_launch("pods", "deleted-2"), PATIENCE)


def test_an_eviction_is_called_so(target: Target, launches: Launches) -> None:
    handle = launches.start(WAIT, name="evicted-1")
    launches.runs(handle)
    pod = pod_of(target, "evicted-1")
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": target.namespace},
    }
    target.api.ask("POST", f"/api/v1/namespaces/{target.namespace}/pods/{pod}/eviction", body)
    assert "evicted" in launches.ended(handle).reason


def test_a_node_that_is_not_heard_of_does_not_keep_a_run_for_ever(
    cluster: Cluster, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pod should be gone for half a minute, and says nothing: it is given up (R15), and what
    it wrote with it, as the API server has that of the node."""
    monkeypatch.setattr("stepwell.launchers.kubernetes.words.GIVEN_UP", _seconds(1))
    launches = Launches(target.make())
    handle = launches.start(WAIT, name="lost-1")
    launches.runs(handle)
    node = cluster.do(lambda: _of(cluster, pod_of_cluster(cluster, "lost-1")["spec"]["nodeName"]))
    cluster.do(lambda: setattr(node, "heard", False))
    try:
        delete(target, "pods", pod_of(target, "lost-1"))
        with pytest.raises(LaunchFailed):  # it may come back until then
            launches.launcher.logs(handle)
        status = launches.ended(handle)
        assert f"Its node {node.name} is not heard of any more" in status.reason
        assert f"is on the node {node.name}" in launches.launcher.logs(handle)
    finally:
        cluster.do(lambda: setattr(node, "heard", True))
        launches.launcher.close()


def pod_of_cluster(cluster: Cluster, launch: str) -> dict[str, Any]:
    return next(cluster.objects.select("pods", **{"stepwell.launch": launch}))


def _of(cluster: Cluster, name: str) -> Any:
    return next(one for one in cluster.nodes.nodes if one.name == name)


def _seconds(count: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=count)
