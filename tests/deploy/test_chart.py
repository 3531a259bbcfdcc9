"""The Helm chart renders to what it says, and refuses what cannot work, in words."""

from __future__ import annotations

from typing import Any

import pytest
from helm_python import lint
from helm_python.errors import HelmError
from tests.deploy.helm import CHART, GIVEN, ROOT, of, only, pods, rendered

from stepwell.server.settings import Settings
from stepwell.version import VERSION

RICH: dict[str, Any] = {
    "replicas": 1,
    "blobs": {"url": ""},
    "persistence": {"enabled": True},
    "publicUrl": "https://stepwell.example.org",
    "imagesUrl": "http://prod-stepwell.tools.svc:80",
    "allowedHosts": ["stepwell.example.org", "prod-stepwell.tools.svc"],
    "image": {"digest": "sha256:" + "0a" * 32, "pullSecrets": ["registry"]},
    "jobs": {"namespace": "runs", "namespaces": ["team-a"], "readNodes": True},
    "settings": {"STEPWELL_SMTP_URL": "smtp://mail", "STEPWELL_WORKERS": 4},
    "environmentFrom": [{"secretRef": {"name": "mail"}}],
    "ingress": {"enabled": True, "host": "stepwell.example.org", "tlsSecret": "tls"},
    "networkPolicy": {
        "from": [{"namespaceSelector": {"matchLabels": {"team": "ops"}}}],
        "jobs": {"egress": [{"ports": [{"port": 443}]}]},
    },
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "x", "operator": "Exists"}],
    "priorityClassName": "high",
    "podAnnotations": {"a": "b"},
    "podLabels": {"c": "d"},
}


@pytest.mark.parametrize("values", [GIVEN, {**GIVEN, **RICH}])
def test_helm_finds_nothing_wrong(values: dict[str, Any]) -> None:
    report = lint(CHART, values, strict=True)
    assert report["errors"] == []
    assert [one for one in report["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize("more", [{}, RICH])
def test_every_object_has_what_a_cluster_wants_of_it(more: dict[str, Any]) -> None:
    """Names that are unique and fit, a namespace where there is one, labels, API versions."""
    objects = rendered(**more)
    seen = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects
    ]
    assert len(set(seen)) == len(seen)
    for one in objects:
        assert one["apiVersion"] in VERSIONS[one["kind"]]
        assert len(one["metadata"]["name"]) <= 63
        assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == "prod"
        assert one["kind"].startswith("Cluster") or one["metadata"]["namespace"]
        assert set(one) <= KEYS


VERSIONS = {
    "ClusterRole": {"rbac.authorization.k8s.io/v1"},
    "ClusterRoleBinding": {"rbac.authorization.k8s.io/v1"},
    "Deployment": {"apps/v1"},
    "Ingress": {"networking.k8s.io/v1"},
    "Job": {"batch/v1"},
    "NetworkPolicy": {"networking.k8s.io/v1"},
    "PersistentVolumeClaim": {"v1"},
    "PodDisruptionBudget": {"policy/v1"},
    "Role": {"rbac.authorization.k8s.io/v1"},
    "RoleBinding": {"rbac.authorization.k8s.io/v1"},
    "Service": {"v1"},
    "ServiceAccount": {"v1"},
}
KEYS = {
    *("apiVersion", "kind", "metadata", "spec", "rules", "roleRef", "subjects"),
    "automountServiceAccountToken",
}


@pytest.mark.parametrize("more", [{}, RICH])
def test_pods_keep_to_the_restricted_standard(more: dict[str, Any]) -> None:
    """Not root, no capabilities, no privileges to gain, and nothing is written but to volumes."""
    found = pods(rendered(**more))
    assert len(found) == 2
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for volume in pod["volumes"]:
            assert {"emptyDir", "persistentVolumeClaim"} & set(volume)
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"memory"} <= set(container["resources"]["limits"])


def test_the_role_has_the_launchers_permissions_and_no_other() -> None:
    """The one list is the launcher's own."""
    permissions = pytest.importorskip("stepwell.launchers.kubernetes.permissions")
    objects = rendered(jobs={"readNodes": True})
    wanted = dict(permissions.split(permissions.PERMISSIONS))
    assert only(objects, "Role")["rules"] == permissions.rules(wanted[False])
    assert only(objects, "ClusterRole")["rules"] == permissions.rules(wanted[True])
    least = rendered(jobs={"readUsage": False})
    needed = [one for one in wanted[False] if not one.optional]
    assert only(least, "Role")["rules"] == permissions.rules(needed)


def test_nothing_of_the_cluster_is_asked_for_unless_it_is_wanted() -> None:
    """Roles are of namespaces: the release's own, or those in which Jobs are made."""
    assert of(rendered(), "ClusterRole") == []
    assert [one["metadata"]["namespace"] for one in of(rendered(), "Role")] == ["tools"]
    objects = rendered(**RICH)
    assert [one["metadata"]["namespace"] for one in of(objects, "Role")] == ["runs", "team-a"]
    for binding in of(objects, "RoleBinding"):
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == ("prod-stepwell", "tools")
    for role in of(objects, "Role") + of(objects, "ClusterRole"):
        assert not [rule for rule in role["rules"] if "*" in rule["verbs"] + rule["resources"]]


def test_without_the_launcher_there_is_neither_role_nor_token() -> None:
    objects = rendered(launchers=[])
    assert of(objects, "Role") == of(objects, "RoleBinding") == []
    assert [pod["automountServiceAccountToken"] for pod in pods(objects)] == [False, False]


@pytest.mark.parametrize("more", [{}, RICH])
def test_every_variable_of_the_server_is_a_setting(more: dict[str, Any]) -> None:
    """A name that the server does not read would silently do nothing."""
    known = {f"STEPWELL_{name.upper()}" for name in Settings.__dataclass_fields__}
    if "STEPWELL_KUBERNETES_NAMESPACE" not in known:
        pytest.skip("this Stepwell has no Kubernetes launcher")
    for pod in pods(rendered(**more)):
        assert {one["name"] for one in pod["containers"][0]["env"]} <= known


def test_pods_may_reach_the_server_by_another_way_than_people() -> None:
    """Without a value of its own it is the people's: the server says so, not the chart."""

    def told(**more: Any) -> dict[str, Any]:
        (container,) = pods(rendered(**more))[0]["containers"]
        return {one["name"]: one.get("value") for one in container["env"]}

    assert "STEPWELL_IMAGES_URL" not in told(publicUrl="https://stepwell.example.org")
    env = told(publicUrl="https://stepwell.example.org", imagesUrl="http://prod-stepwell.tools.svc")
    assert env["STEPWELL_IMAGES_URL"] == "http://prod-stepwell.tools.svc"
    assert env["STEPWELL_PUBLIC_URL"] == "https://stepwell.example.org"


def test_secrets_are_referred_to_and_never_written() -> None:
    """The address of the database has a password in it."""
    objects = rendered()
    assert of(objects, "Secret") == []
    for pod in pods(objects):
        env = {one["name"]: one for one in pod["containers"][0]["env"]}
        refers = env["STEPWELL_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
        assert refers == {"name": "stepwell-database", "key": "url"}
        assert "value" not in env["STEPWELL_SECRET_KEY"]


def test_tables_are_migrated_before_an_upgrade_by_the_new_image() -> None:
    """And before the first installation, when the release's service account is not there yet."""
    objects = rendered()
    job = only(objects, "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    server, migrates = pods(objects)
    assert migrates["containers"][0]["args"] == ["migrate"]
    assert migrates["containers"][0]["image"] == server["containers"][0]["image"]
    assert "serviceAccountName" not in migrates


def test_probes_ask_for_life_and_for_service_by_a_host_that_is_answered() -> None:
    """Only a server that does not answer at all is started anew."""
    (container,) = pods(rendered(**RICH))[0]["containers"]
    paths = {
        k: container[f"{k}Probe"]["httpGet"]["path"] for k in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    headers = container["livenessProbe"]["httpGet"]["httpHeaders"]
    assert headers == [{"name": "Host", "value": "stepwell.example.org"}]


def test_many_servers_are_disrupted_one_at_a_time_and_one_is_replaced() -> None:
    """A budget for one server would hold up the drain of its node for ever."""
    objects = rendered()
    budget = only(objects, "PodDisruptionBudget")["spec"]
    deployment = only(objects, "Deployment")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == deployment["selector"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    alone = rendered(**RICH)
    assert of(alone, "PodDisruptionBudget") == []
    assert only(alone, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_what_selects_pods_selects_the_servers_alone() -> None:
    """The migrating Job has labels of the release too, and must get no requests."""
    objects = rendered()
    service = only(objects, "Service")["spec"]["selector"]
    template = only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    migrates = only(objects, "Job")["spec"]["template"]["metadata"]["labels"]
    assert service.items() <= template.items()
    assert not service.items() <= migrates.items()


def test_the_network_is_closed_but_for_what_is_needed() -> None:
    """The server: its port, DNS, the database, HTTPS and the cluster. Jobs: nothing comes in."""
    server, jobs = of(rendered(), "NetworkPolicy")
    ports = [port["port"] for rule in server["spec"]["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 5432, 443, 6443]
    assert [rule["ports"][0]["port"] for rule in server["spec"]["ingress"]] == [8420]
    assert jobs["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/managed-by": "stepwell"}},
        "policyTypes": ["Ingress"],
        "ingress": [],
    }
    closed, *of_jobs = of(rendered(**RICH), "NetworkPolicy")
    assert len(closed["spec"]["ingress"][0]["from"]) == 2  # Jobs, and whom the values name
    assert [one["metadata"]["namespace"] for one in of_jobs] == ["runs", "team-a"]
    assert [one["spec"]["policyTypes"] for one in of_jobs] == [["Ingress", "Egress"]] * 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "database.existingSecret is not set"),
        ({"database": {"existingSecret": "x"}}, "secretKey.existingSecret is not set"),
        ({**GIVEN, "blobs": {"url": ""}}, "blobs.url is not set"),
        ({**GIVEN, "persistence": {"enabled": True}}, "One volume is for one server"),
        ({**GIVEN, "ingress": {"enabled": True}}, "ingress.host is not"),
        ({**GIVEN, "replicas": 0}, "/replicas"),
        ({**GIVEN, "replica": 2}, "replica"),
        ({**GIVEN, "settings": {"SMTP_URL": "x"}}, "SMTP_URL"),
        ({**GIVEN, "publicUrl": "stepwell.example.org"}, "publicUrl"),
        ({**GIVEN, "imagesUrl": "prod-stepwell.tools.svc"}, "imagesUrl"),
        ({**GIVEN, "imagesUrl": "http://a", "allowedHosts": ["b"]}, "allowedHosts does not have"),
        ({**GIVEN, "launchers": ["process"]}, "launchers"),
        ({**GIVEN, "image": {"digest": "latest"}}, "digest"),
    ],
)
def test_values_that_cannot_work_are_refused_in_words(values: dict[str, Any], words: str) -> None:
    """Before anything has reached the cluster."""
    with pytest.raises(HelmError, match=words):
        rendered(values)


def test_the_chart_is_of_this_version() -> None:
    assert f'appVersion: "{VERSION}"' in (CHART / "Chart.yaml").read_text()


def test_every_value_is_known_to_the_schema_and_said_in_the_values() -> None:
    """So neither a default nor a check is forgotten."""
    import json

    import yaml

    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema["properties"]) - {"global"} == set(values)
    for name, value in values.items():
        inside = schema["properties"][name].get("properties")
        if inside is not None:
            assert set(inside) == set(value), name


def test_no_file_of_deploy_names_a_place_of_ours() -> None:
    """Images come from where the user pushes them."""
    texts = [path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    assert texts
    assert not [text for text in texts if "ghcr.io" in text]
