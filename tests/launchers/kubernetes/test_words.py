"""How ends are told that no test can bring about at will; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stepwell.launchers.kubernetes import conditions, words
from stepwell.launchers.kubernetes.book import Seen, SeenPod
from stepwell.launchers.kubernetes.pulls import Pulls
from stepwell.launchers.protocol import LaunchStatus

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
JOB: dict[str, Any] = {
    "metadata": {"name": "j", "namespace": "ns", "uid": "1", "annotations": {}},
    "spec": {},
    "status": {},
}
OVER = JOB | {"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "B"}]}}


def here(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None


def pod(phase: str = "Failed", state: Any = None, **status: Any) -> dict[str, Any]:
    limits = {"limits": {"memory": "512Mi"}, "requests": {"cpu": "8", "memory": "64Gi"}}
    statuses = [{"name": "main", "state": state}] if state else []
    return {
        "metadata": {"name": "j-1", "namespace": "ns"},
        "spec": {
            "nodeName": "node-7",
            "containers": [{"name": "main", "image": "r/i:1", "resources": limits}],
        },
        "status": {"phase": phase, "containerStatuses": statuses, **status},
    }


def told(job: Any, one: Any = None, gone: bool = False, **more: Any) -> LaunchStatus:
    pods = () if one is None else (SeenPod(one, gone=gone),)
    return words.status(Seen(job, pods=pods), here, lambda _: None, NOW, **more)


def ended(code: int, reason: str = "Error", **more: Any) -> dict[str, Any]:
    times = {"startedAt": "2026-01-31T11:00:00Z", "finishedAt": "2026-01-31T11:30:00Z"}
    return {"terminated": {"exitCode": code, "reason": reason, **times, **more}}


def test_out_of_memory_has_the_limit_and_the_last_sample() -> None:
    status = told(OVER, pod(state=ended(137, "OOMKilled")), used=500 * 2.0**20)
    assert "its limit of 512 MiB (out of memory); it used 500 MiB when" in status.reason


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({"reason": "Evicted", "message": "low on memory"}, "evicted from the node node-7"),
        ({"reason": "Evicted", "message": "low on memory"}, "says: low on memory"),
        ({"reason": "Preempting"}, "higher priority"),
        ({"reason": "Terminated"}, "node-7 was shut down"),
        ({"reason": "OutOfcpu", "message": "no CPU"}, "did not take its pod (OutOfcpu)"),
        ({"reason": "DeadlineExceeded"}, "longer than its deadline"),
    ],
)
def test_what_a_node_did_is_told_by_its_reason(status: dict[str, Any], wanted: str) -> None:
    assert wanted in told(OVER, pod(**status)).reason


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("PreemptionByScheduler", "higher priority has taken its place on node-7"),
        ("DeletionByTaintManager", "node-7 was not heard of"),
        ("EvictionByEvictionAPI", "as when that is drained"),
        ("DeletionByPodGC", "node-7 is gone"),
        ("TerminationByKubelet", "node-7 has ended it"),
        ("SomethingNew", "The cluster has ended it."),
    ],
)
def test_a_disruption_is_told_by_its_condition(reason: str, wanted: str) -> None:
    target = {"type": "DisruptionTarget", "status": "True", "reason": reason}
    status = told(OVER, pod(state=ended(143), conditions=[target]))
    assert wanted in status.reason


def test_a_pod_that_vanished_says_so() -> None:
    running = pod("Running", {"running": {"startedAt": "2026-01-31T11:00:00Z"}})
    assert told(OVER, running, gone=True).reason == (
        "Its pod was deleted by somebody while it ran on node-7; nobody saw how it ended."
    )
    assert (
        "before it had a pod"
        in words.status(Seen(JOB, gone=True), here, lambda _: None, NOW).reason
    )
    assert "nobody saw how it ended" in told(OVER).reason


def test_a_job_that_will_fail_has_not_ended_while_its_pod_runs() -> None:
    """Newer clusters say `FailureTarget` first."""
    target = JOB | {"status": {"conditions": [{"type": "FailureTarget", "status": "True"}]}}
    running = pod("Running", {"running": {"startedAt": "2026-01-31T11:00:00Z"}})
    assert told(target, running).state == "running"
    assert told(target, running, gone=True).state == "ended"


def test_a_pod_on_a_lost_node_is_given_up_and_not_before() -> None:
    running = pod("Running", {"running": {"startedAt": "2026-01-31T11:00:00Z"}})
    for seconds, state in ((10, "running"), (60, "ended")):
        doomed = NOW - timedelta(seconds=seconds)
        running["metadata"]["deletionTimestamp"] = doomed.isoformat()
        status = told(JOB, running)
        assert status.state == state
    assert status.reason == "Its node node-7 is not heard of any more, and its pod with it."


def ready(pods: str, containers: str = "True", seconds: int = 20) -> list[dict[str, Any]]:
    at = (NOW - timedelta(seconds=seconds)).isoformat()
    said = {"Ready": pods, "ContainersReady": containers}
    return [{"type": kind, "status": s, "lastTransitionTime": at} for kind, s in said.items()]


RUNNING = {"running": {"startedAt": "2026-01-31T11:00:00Z"}}


def test_a_silent_node_is_told_while_its_pod_is_not_given_up() -> None:
    """The cluster takes its pods for not ready, and asks nobody; or asks them to go, and they
    do not."""
    found = told(JOB, pod("Running", RUNNING, conditions=ready("False")))
    assert found.state == "running"
    assert found.condition is not None
    assert (found.condition.code, found.condition.details) == ("LOST", {"node": "node-7"})
    assert found.condition.since == NOW - timedelta(seconds=20)
    doomed = pod("Running", RUNNING)
    doomed["metadata"]["deletionTimestamp"] = (NOW - timedelta(seconds=10)).isoformat()
    found = told(JOB, doomed)
    assert (found.state, found.condition and found.condition.code) == ("running", "LOST")


@pytest.mark.parametrize(
    "conditions",
    [ready("True"), ready("False", "False"), ready("False", seconds=2), []],
    ids=["ready", "its container is not ready", "for a moment", "nothing is said"],
)
def test_a_pod_whose_node_is_heard_of_is_not_lost(conditions: list[dict[str, Any]]) -> None:
    assert told(JOB, pod("Running", RUNNING, conditions=conditions)).condition is None


def test_a_pod_that_is_asked_to_go_has_its_grace() -> None:
    going = pod("Running", RUNNING)
    going["metadata"]["deletionTimestamp"] = (NOW + timedelta(seconds=10)).isoformat()
    assert told(JOB, going).condition is None


def test_an_image_that_is_pulled_is_told_from_the_moment_it_is() -> None:
    """Its network is there, its container is not: what lies between is mostly the pull."""
    at = (NOW - timedelta(seconds=40)).isoformat()
    sandbox = {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": at}
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    found = told(JOB, pod("Pending", waiting, conditions=[sandbox])).condition
    assert found is not None
    assert (found.code, dict(found.details)) == (
        "STARTING",
        {"doing": "Pulling", "node": "node-7"},
    )
    assert found.since == NOW - timedelta(seconds=40)
    before = told(JOB, pod("Pending", waiting, conditions=[sandbox | {"status": "False"}]))
    assert before.condition is not None
    assert before.condition.details["doing"] == "Starting"


def test_a_pull_says_how_large_the_image_is_and_how_long_it_takes_as_a_rule() -> None:
    """Known from nodes that have pulled it before."""
    pulls = Pulls()
    image = pod()["spec"]["containers"][0]["image"]
    for number, took in enumerate(("1m3.2s", "850ms", "55.4s", "55.4s")):
        told_before = f'Successfully pulled image "{image}" in {took} ({took} including waiting).'
        name = {"name": "p.1", "uid": str(min(number, 2))}  # the last is the third once more
        pulls.note(
            {
                "reason": "Pulled",
                "message": f"{told_before} Image size: 1200000000 bytes.",
                "metadata": name,
            }
        )
    pulls.note(
        {
            "reason": "Pulled",
            "message": f'Container image "{image}" already present on machine',
            "metadata": {"uid": "9"},
        }
    )
    assert pulls.of(image) == {"size": 1_200_000_000, "usual": 55}
    assert pulls.of("another") == {}
    sandbox = {"type": "PodReadyToStartContainers", "status": "True"}
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    seen = Seen(JOB, False, (SeenPod(pod("Pending", waiting, conditions=[sandbox])),))
    found = words.status(seen, here, lambda _: None, NOW, pulled=pulls.of).condition
    assert found is not None
    assert dict(found.details) == {
        "doing": "Pulling",
        "node": "node-7",
        "size": 1_200_000_000,
        "usual": 55,
    }


def test_an_end_is_not_later_than_now() -> None:
    """A node's clock may go ahead."""
    late = {"startedAt": "2026-01-31T13:00:00Z", "finishedAt": "2026-01-31T13:30:00Z"}
    status = told(OVER, pod(state={"terminated": {"exitCode": 0, **late}}))
    assert (status.started_at, status.finished_at) == (NOW, NOW)


def test_what_is_unschedulable_names_what_no_node_has() -> None:
    message = (
        "0/5 nodes are available: 3 Insufficient cpu, 3 Insufficient memory, 2 node(s) had "
        "untolerated taint {gpu: true}. preemption: 0/5 nodes are available."
    )
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    one = pod("Pending", conditions=[condition | {"message": message}])
    largest = {"cpu": "4", "memory": "32Gi"}.get
    found = conditions.waiting(Seen(JOB, pods=(SeenPod(one),)), here, largest)
    assert found is not None
    assert dict(found.details) == {
        "needs": "8 CPU and 64 GiB memory",
        "largest_node": "4 CPU and 32 GiB memory",
        "nodes": 5,
        "tainted": 2,
    }


def test_a_registry_that_lets_nobody_in_makes_one_doubt_the_secret() -> None:
    """A pod in back-off does not repeat the registry's answer; the event has it."""
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    one = pod("Pending", state)
    one["spec"]["imagePullSecrets"] = [{"name": "registry"}]
    event = {
        "metadata": {"name": "e"},
        "reason": "Failed",
        "message": 'Failed to pull image "r/i:1": 403 Forbidden',
        "lastTimestamp": "2026-01-31T11:00:00Z",
    }
    seen = Seen(JOB, pods=(SeenPod(one),), events=(event,))
    found = conditions.waiting(seen, here, lambda _: None)
    assert found is not None
    assert found.code == "K8S_IMAGE"
    assert found.details["error"] == "403 Forbidden"
    assert found.details["secret"] == "registry"


@pytest.mark.parametrize(
    ("message", "code", "name"),
    [
        ('error looking up account ns/bot: serviceaccount "bot" not found', "K8S_CONFIG", "bot"),
        ('admission webhook "gate.example" denied the request: no', "K8S_ADMISSION", None),
        ("ValidatingAdmissionPolicy 'cost' with binding 'b' denied request: no label",
         "K8S_ADMISSION", None),
        ("exceeded quota: q, requested: cpu=2, used: cpu=3, limited: cpu=4", "K8S_QUOTA", None),
        ("something new", None, None),
    ],
)  # fmt: skip
def test_refusals_are_understood_by_their_words(
    message: str, code: str | None, name: str | None
) -> None:
    found = conditions.refused(message, "ns")
    assert (found.code if found else None) == code
    if found is not None and name:
        assert found.details["name"] == name


def test_a_quota_names_the_resource_that_is_full() -> None:
    message = (
        "exceeded quota: team, requested: pods=1,requests.cpu=2, used: pods=3,requests.cpu=7, "
        "limited: pods=10,requests.cpu=8"
    )
    found = conditions.refused(message, "ns")
    assert found is not None
    assert found.details["resource"] == "requests.cpu"
    assert (found.details["needs"], found.details["used"], found.details["hard"]) == ("2", "7", "8")
