"""A launch is one Job, with all that a cluster wants to know of it, and nothing that leaks."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image
from tests.kubernetes.proxy import Proxy
from tests.kubernetes.target import IMAGE, PATIENCE, Launches, Target

from stepwell import clock
from stepwell.launchers.kubernetes import images
from stepwell.launchers.kubernetes.options import (
    GroupOptions,
    LaunchOptionsInvalid,
    group_options,
)
from stepwell.launchers.kubernetes.requests import LaunchNameTaken
from stepwell.launchers.protocol import ImageUnusable, LaunchFailed, LaunchSpecInvalid
from stepwell.testing.launcher_contract import until

WAIT = "import time; time.sleep(600)"


def test_a_launch_is_a_job_that_says_what_it_is_for(target: Target, launches: Launches) -> None:
    """One pod, once, with an end; labelled by installation, run and attempt."""
    launches.start(WAIT, name="0198-run-7", deadline_seconds=99.5)
    (job,) = target.of_launch("jobs", "0198-run-7")
    spec, labels = job["spec"], job["metadata"]["labels"]
    assert job["metadata"]["name"] == f"sw-{target.owner}-0198-run-7"
    assert (spec["backoffLimit"], spec["parallelism"], spec["completions"]) == (0, 1, 1)
    assert (spec["activeDeadlineSeconds"], spec["suspend"]) == (100, False)
    assert spec["ttlSecondsAfterFinished"] == 86400
    assert (labels["stepwell.run"], labels["stepwell.attempt"]) == ("0198-run", "7")
    assert labels["stepwell.owner"] == target.owner


def test_its_pod_may_do_as_little_as_can_be(target: Target, launches: Launches) -> None:
    """As the pod security standard *restricted* wants it, and without a token of the cluster."""
    launches.start(WAIT, name="small-1")
    (job,) = target.of_launch("jobs", "small-1")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"] == {"memory": "128Mi"}


def test_the_environment_is_in_a_secret_that_goes_with_the_job(
    target: Target, launches: Launches
) -> None:
    """It is in no Job and no pod, where more people may look (R42)."""
    handle = launches.start(
        "import os; print(os.environ['TOKEN'])", name="hush-1", environment={"TOKEN": "hunter2"}
    )
    assert launches.ended(handle).exit_code == 0
    assert launches.launcher.logs(handle).strip() == "hunter2"
    assert "hunter2" not in json.dumps(target.of_launch("jobs", "hush-1"))
    assert "hunter2" not in json.dumps(target.of_launch("pods", "hush-1"))
    (job,) = target.of_launch("jobs", "hush-1")
    (secret,) = target.of_launch("secrets", "hush-1")
    assert secret["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    launches.launcher.remove("hush-1")
    until(lambda: not target.of_launch("secrets", "hush-1"), PATIENCE)
    until(lambda: not target.of_launch("pods", "hush-1"), PATIENCE)


def test_started_by_many_at_once_it_is_one_pod(target: Target, launches: Launches) -> None:
    """By two servers, in several threads, and again after its end."""
    other = Launches(target.make())
    starts = [
        threading.Thread(target=one.start, args=("print('once')", "once-1"))
        for one in (launches, other) * 3
    ]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    handle = launches.start("print('once')", "once-1")
    assert launches.ended(handle).exit_code == 0
    assert other.ended(other.launcher.find("once-1")).exit_code == 0
    launches.start("print('once')", "once-1")
    assert len(target.of_launch("jobs", "once-1")) == 1
    assert len(target.of_launch("pods", "once-1")) == 1
    other.launcher.close()


def test_a_job_of_somebody_else_is_not_taken_for_ones_own(
    target: Target, launches: Launches
) -> None:
    """Its name alone does not make it a launch of this server."""
    made = launches.launcher._job(launches.spec(WAIT, "theirs-1"), GroupOptions())
    made["metadata"]["labels"] = {"app": "other"}
    target.api.ask("POST", f"/apis/batch/v1/namespaces/{target.namespace}/jobs", made)
    with pytest.raises(LaunchNameTaken, match="not of this server"):
        launches.start(WAIT, name="theirs-1")


def test_what_a_group_asks_for_is_in_its_pods(target: Target, launches: Launches) -> None:
    """The patch comes last, and may change all but what a launch is known by."""
    container = {"name": "main", "env": [{"name": "MORE", "value": "yes"}]}
    options = {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "node_selector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "service_account": "default",
        "labels": {"team": "weather"},
        "annotations": {"example.com/cost": "7"},
        "patch": {
            "metadata": {"labels": {"stepwell.launch": "another"}},
            "spec": {"containers": [container], "restartPolicy": "Always"},
        },
    }
    launches.launcher.check_options(options)
    launches.start(WAIT, name="asked-1", options=options)
    (job,) = target.of_launch("jobs", "asked-1")
    template = job["spec"]["template"]
    pod, labels = template["spec"], template["metadata"]["labels"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert pod["tolerations"][0]["key"] == "spot"
    assert pod["restartPolicy"] == "Never"
    assert (labels["team"], labels["stepwell.launch"]) == ("weather", "asked-1")
    names = [one["name"] for one in pod["containers"][0]["env"]]
    assert {"MORE", "STEPWELL_MODE", "HOME"} <= set(names)
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "100m", "memory": "64Mi"}


def test_secrets_and_config_maps_reach_a_pod_by_reference(
    target: Target, launches: Launches
) -> None:
    """One key each, or all keys with a prefix; the Job has the names and no value."""
    here = f"/api/v1/namespaces/{target.namespace}"
    told = {"metadata": {"name": "told"}, "stringData": {"password": "hunter2", "user": "me"}}
    shown = {"metadata": {"name": "shown"}, "data": {"mode": "fast", "REGION": "north"}}
    target.api.ask("POST", f"{here}/secrets", told)
    target.api.ask("POST", f"{here}/configmaps", shown)
    wanted = ["PASSWORD", "MODE", "S_user", "C_REGION"]
    spec = launches.spec(f"import os; print(*(os.environ[one] for one in {wanted}))", "refers-1")
    references = {
        "env": {
            "PASSWORD": {"secret": "told", "key": "password"},
            "MODE": {"config_map": "shown", "key": "mode"},
        },
        "env_from": [
            {"secret": "told", "prefix": "S_"},
            {"config_map": "shown", "prefix": "C_"},
        ],
    }
    options = {**spec.options, **references}
    launches.launcher.check_options(options)
    handle = launches.launcher.start(replace(spec, options=options))
    assert launches.ended(handle).exit_code == 0
    assert launches.launcher.logs(handle).split() == ["hunter2", "fast", "me", "north"]
    assert "hunter2" not in json.dumps(target.of_launch("jobs", "refers-1"))


def test_where_its_pods_may_be_and_what_goes_before_them_is_for_a_group_to_say(
    target: Target, launches: Launches
) -> None:
    """Affinity, priority class, and pull secrets, instead of those that the server has for all."""
    zone = {"key": "zone", "operator": "In", "values": ["a"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    asked = {"affinity": affinity, "priority_class": "low", "pull_secrets": ["of-the-group"]}
    launcher = target.make(pull_secrets=("of-all",))
    made = launcher._job(launches.spec(WAIT, "asked-2"), group_options(asked))
    launcher.close()
    pod = made["spec"]["template"]["spec"]
    assert pod["affinity"] == affinity
    assert pod["priorityClassName"] == "low"
    assert pod["imagePullSecrets"] == [{"name": "of-the-group"}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"node_selektor": {}}, "node_selektor"),
        ({"requests": {"cpu": "much"}}, "requests.cpu"),
        ({"env": {"A": {"key": "b"}}}, "either a secret or a config_map"),
        ({"namespace": "kube-system"}, "STEPWELL_KUBERNETES_NAMESPACES"),
        ({"patch": {"spec": {"containers": []}}, "patch_type": "merge"}, "no container 'main'"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_asks_the_cluster(
    launches: Launches, options: dict[str, Any], words: str
) -> None:
    """With the place of the mistake."""
    with pytest.raises(LaunchOptionsInvalid) as caught:
        launches.launcher.check_options(options)
    assert words in str(caught.value)


def test_what_the_cluster_would_not_take_is_refused_when_it_is_saved(
    target: Target, launches: Launches
) -> None:
    """A dry run asks it; nothing is kept of that."""
    with pytest.raises(LaunchOptionsInvalid, match="dnsPolicy"):
        launches.launcher.check_options({"patch": {"spec": {"dnsPolicy": "Nonsense"}}})
    launches.launcher.check_options({"patch": {"spec": {"dnsPolicy": "Default"}}})
    assert target.of_launch("jobs", "options") == []


def test_a_cluster_that_answers_is_reached_and_one_that_is_cut_off_is_not(
    proxy: Proxy, cut_off: Launches
) -> None:
    assert cut_off.launcher.reach().endswith(" answers.")
    proxy.cut()
    with pytest.raises(LaunchFailed):
        cut_off.launcher.reach()


def test_a_plan_says_which_job_would_be_made_with_what_its_group_asks_for(
    target: Target, launches: Launches
) -> None:
    """From the Job itself, with its patch; the cluster was asked, and keeps nothing."""
    resources = {"requests": {"memory": "96Mi"}}
    options = {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "service_account": "default",
        "node_selector": {"kubernetes.io/os": "linux"},
        "patch": {"spec": {"containers": [{"name": "main", "resources": resources}]}},
    }
    spec = launches.spec(WAIT, name="planned-1", options=options)
    plan = launches.launcher.plan(spec)
    assert plan.what.startswith(f"1 Job in the namespace {target.namespace} of the cluster at http")
    assert (plan.image, plan.requests) == (IMAGE, {"cpu": "100m", "memory": "96Mi"})
    assert plan.limits == {"memory": "64Mi"}
    assert plan.notes == (
        "Its pod runs as the service account default.",
        "It runs on nodes with kubernetes.io/os=linux.",
    )
    assert plan.condition is None
    assert target.of_launch("jobs", "planned-1") == []


def test_a_plan_knows_what_no_node_could_take_and_what_the_cluster_refuses(
    launches: Launches,
) -> None:
    """As the run would wait for it, or fail by it."""
    large = launches.spec(WAIT, options={"requests": {"cpu": "9000"}})
    condition = launches.launcher.plan(large).condition
    assert condition is not None
    assert condition.code == "K8S_UNSCHEDULABLE"
    assert condition.details["needs"] == "9000 CPU"
    wrong = launches.spec(WAIT, options={"patch": {"spec": {"dnsPolicy": "Nonsense"}}})
    with pytest.raises(LaunchSpecInvalid, match="dnsPolicy"):
        launches.launcher.plan(wrong)


def test_nodes_say_what_a_name_means(target: Target, launches: Launches) -> None:
    """Without a way to the registry; the pod that had it pulled does not stay (R37)."""
    pinned = launches.launcher.pin(IMAGE)
    assert pinned.digest.startswith("sha256:")
    assert launches.launcher.locate(IMAGE, pinned.digest) == pinned.location
    until(lambda: not _looking(target), PATIENCE)
    named = f"registry.example/group@{pinned.digest}"
    assert launches.launcher.pin(named).location == named


def _looking(target: Target) -> list[Any]:
    """The Jobs that have an image looked at."""
    probe = ("stepwell.mode", "probe")
    jobs = target.found("jobs")
    return [one for one in jobs if probe in (one["metadata"].get("labels") or {}).items()]


def test_an_image_that_is_nowhere_is_an_error_in_words(launches: Launches) -> None:
    with pytest.raises((ImageUnusable, LaunchFailed), match="missing"):
        launches.launcher.pin("localhost/stepwell-missing:1")


def test_an_image_that_was_nowhere_is_found_when_it_is_there(
    cluster: Cluster, launches: Launches
) -> None:
    """What the pod that looked before has met says nothing of the one that looks now."""
    name = "localhost/stepwell-late:1"
    with pytest.raises((ImageUnusable, LaunchFailed), match="late"):
        launches.launcher.pin(name)
    cluster.nodes.images[name] = Image(instant=True)
    pinned = until(lambda: _pinned(launches, name), PATIENCE)
    assert pinned.digest.startswith("sha256:")


def test_why_a_pull_fails_is_known_though_it_is_told_late(
    cluster: Cluster, launches: Launches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a node backs off may be seen before the event that says why; nothing is left of it."""
    tell, told = cluster.nodes.tell, list[tuple[Any, ...]]()
    monkeypatch.setattr(cluster.nodes, "tell", lambda *about: told.append(about))
    name = "localhost/stepwell-untold:1"
    with ThreadPoolExecutor() as pool:
        pinned = pool.submit(launches.launcher.pin, name)
        until(lambda: told, PATIENCE)
        _, pending = wait([pinned], timeout=1.0)
        assert pending, "it has answered without knowing why"
        cluster.do(lambda: tell(*told[0]))
        with pytest.raises(ImageUnusable, match="not found"):
            pinned.result(PATIENCE)
    cluster.nodes.images[name] = Image(instant=True)
    assert launches.launcher.pin(name).digest.startswith("sha256:")


def test_a_pull_that_fails_without_a_word_is_looked_at_anew_by_who_asks_next(
    cluster: Cluster, target: Target, launches: Launches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody may read events; a node waits minutes before it tries once more."""
    monkeypatch.setattr(cluster.nodes, "tell", lambda *_: None)
    monkeypatch.setattr(images, "PATIENCE", 1.0)
    name = "localhost/stepwell-mute:1"
    until(lambda: "waits" in _said(launches, name), PATIENCE)
    until(lambda: not _looking(target), PATIENCE)
    cluster.nodes.images[name] = Image(instant=True)
    pinned = until(lambda: _pinned(launches, name), PATIENCE)
    assert pinned.digest.startswith("sha256:")


def _said(launches: Launches, name: str) -> str:
    """Why an image was not pinned."""
    with pytest.raises(LaunchFailed) as failed:
        launches.launcher.pin(name)
    return str(failed.value)


def _pinned(launches: Launches, name: str) -> Any:
    """None while the pod that looked before is still there: it is asked again then."""
    try:
        return launches.launcher.pin(name)
    except LaunchFailed:
        return None


def test_a_sweep_takes_what_has_ended_and_spares_what_is_young(launches: Launches) -> None:
    """Jobs of another installation are none of its business."""
    handle = launches.start("pass", name="swept-1")
    launches.ended(handle)
    until(lambda: "swept-1" in launches.launcher.leftovers(clock.now() + timedelta(seconds=5)))
    assert "swept-1" not in launches.launcher.leftovers(clock.now() - timedelta(days=1))
    launches.launcher.remove("swept-1")
    later = clock.now() + timedelta(seconds=5)
    until(lambda: "swept-1" not in launches.launcher.leftovers(later), PATIENCE)
