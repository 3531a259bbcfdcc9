"""The objects that a launch is made of: a Job, and the Secret with its environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from stepwell.launchers.container.references import parse
from stepwell.launchers.kubernetes import names
from stepwell.launchers.kubernetes.options import (
    AllReference,
    GroupOptions,
    KeyReference,
    KubernetesOptions,
    LaunchOptionsInvalid,
)
from stepwell.launchers.kubernetes.patching import merged, strategic
from stepwell.launchers.protocol import LaunchSpec

MAIN: Final = "main"
"""The container in which the image runs."""
PROBING: Final = 600
"""Seconds that pulling an image may take, and that the Job for it stays."""
_TMP: Final = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108
_UNHEARD: Final = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


def job(
    spec: LaunchSpec,
    asked: GroupOptions,
    options: KubernetesOptions,
    *,
    owner: str,
    namespace: str,
) -> dict[str, Any]:
    """The Job of a launch. It is suspended: it begins when its Secret is there."""
    name = names.job_name(owner, spec.name)
    labels = {**asked.labels, **names.labels(owner, spec.name, spec.mode)}
    environment = names.secret_name(name)
    about = {names.LAUNCH: spec.name, names.STOP: "", names.ENVIRONMENT: environment}
    made = _job(name, namespace, labels, {**asked.annotations, **about})
    made["spec"] |= {
        "activeDeadlineSeconds": max(1, math.ceil(spec.deadline_seconds)),
        "ttlSecondsAfterFinished": options.keep_ended,
        "template": _template(spec, asked, options, labels),
    }
    return _with_secret(made, environment)


def probe(
    launch: str,
    image: str,
    asked: GroupOptions,
    options: KubernetesOptions,
    *,
    owner: str,
    namespace: str,
) -> dict[str, Any]:
    """A Job that has an image pulled, so that its digest is known; it runs nothing of it."""
    spec = LaunchSpec(name=launch, image=image, mode="discover", deadline_seconds=PROBING)
    labels = names.labels(owner, launch, names.PROBE)
    about = {names.LAUNCH: launch, names.STOP: ""}
    made = _job(names.job_name(owner, launch), namespace, labels, about)
    plain = asked.model_copy(update={"env": {}, "env_from": [], "patch": None})
    template = _template(spec, plain, options, labels)
    container = template["spec"]["containers"][0]
    container["command"] = ["true"]
    if options.pull_policy == "IfNotPresent" and not parse(image).local:  # tags are moved
        container["imagePullPolicy"] = "Always"
    made["spec"] |= {
        "suspend": False,
        "activeDeadlineSeconds": PROBING,
        "ttlSecondsAfterFinished": PROBING,
        "template": template,
    }
    return made


def _job(
    name: str, namespace: str, labels: dict[str, str], annotations: dict[str, str]
) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "suspend": True,
            "completions": 1,
            "parallelism": 1,
            "backoffLimit": 0,
        },
    }


def _with_secret(made: dict[str, Any], name: str) -> dict[str, Any]:
    """The Job, its pods with the environment of a Secret."""
    for one in made["spec"]["template"]["spec"]["containers"]:
        if one["name"] == MAIN:
            given = [*one.get("envFrom", ()), {"secretRef": {"name": name}}]
            one["envFrom"] = given
    return made


def secret(spec: LaunchSpec, made: Mapping[str, Any]) -> dict[str, Any]:
    """The environment of a launch. It goes when its Job goes."""
    about = made["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": about["annotations"][names.ENVIRONMENT],
            "namespace": about["namespace"],
            "labels": {name: about["labels"][name] for name in _SHARED if name in about["labels"]},
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "name": about["name"],
                    "uid": about["uid"],
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "immutable": True,
        "type": "Opaque",
        "stringData": dict(spec.environment),
    }


def check_template(template: Mapping[str, Any]) -> None:
    """Raise `LaunchOptionsInvalid` for a patch that takes away what a launch is known by."""
    containers = template.get("spec", {}).get("containers") or ()
    if MAIN not in [one.get("name") for one in containers]:
        raise LaunchOptionsInvalid(
            f"The patch leaves no container {MAIN!r}.",
            why="It is the one in which the group's image runs.",
            fix="Use a strategic patch, or keep that container in the list.",
        )


def _template(
    spec: LaunchSpec, asked: GroupOptions, options: KubernetesOptions, labels: dict[str, str]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "metadata": {"labels": labels, "annotations": dict(asked.annotations)},
        "spec": _pod(spec, asked, options),
    }
    if asked.patch is not None:
        made = (strategic if asked.patch_type == "strategic" else merged)(made, asked.patch)
        check_template(made)
    made["metadata"]["labels"] = {**made["metadata"].get("labels", {}), **labels}
    made["spec"]["restartPolicy"] = "Never"
    return made


def _pod(spec: LaunchSpec, asked: GroupOptions, options: KubernetesOptions) -> dict[str, Any]:
    account = asked.service_account or options.service_account
    secrets = asked.pull_secrets or list(options.pull_secrets)
    wanted = {
        "serviceAccountName": account,
        "imagePullSecrets": [{"name": one} for one in secrets],
        "nodeSelector": asked.node_selector,
        "affinity": asked.affinity,
        "priorityClassName": asked.priority_class,
    }
    size = {"sizeLimit": options.tmp} if options.tmp else {}
    return {
        **{name: value for name, value in wanted.items() if value},
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": options.grace,
        "tolerations": [*asked.tolerations, *_given_up(options, asked)],
        "securityContext": _of_pod(options.user),
        "containers": [_container(spec, asked, options)],
        "volumes": [{"name": "tmp", "emptyDir": size}],
    }


def _container(spec: LaunchSpec, asked: GroupOptions, options: KubernetesOptions) -> dict[str, Any]:
    plain = {"HOME": "/tmp", "STEPWELL_MODE": spec.mode}  # noqa: S108
    return {
        "name": MAIN,
        "image": spec.image,
        "imagePullPolicy": asked.pull_policy or options.pull_policy,
        "env": [
            *({"name": name, "value": value} for name, value in plain.items()),
            *({"name": name, "valueFrom": _key(one)} for name, one in asked.env.items()),
        ],
        "envFrom": [_all(one) for one in asked.env_from],
        "resources": _resources(asked, options),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [_TMP],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _resources(asked: GroupOptions, options: KubernetesOptions) -> dict[str, Any]:
    """Memory is not shared: what is asked for is the limit, unless a group says otherwise."""
    usual = {"cpu": options.cpu, "memory": options.memory}
    most = {"memory": asked.requests.get("memory", options.memory)}
    requests = {name: one for name, one in {**usual, **asked.requests}.items() if one}
    limits = {name: one for name, one in {**most, **asked.limits}.items() if one}
    if "memory" in asked.limits and "memory" not in asked.requests:
        requests["memory"] = asked.limits["memory"]
    return {"requests": requests, "limits": limits}


def _of_pod(user: str) -> dict[str, Any]:
    uid, _, gid = user.partition(":")
    whom = {"runAsUser": int(uid)} if uid else {}
    group = {"runAsGroup": int(gid), "fsGroup": int(gid)} if gid else {}
    return {
        "runAsNonRoot": True,
        **whom,
        **group,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _given_up(options: KubernetesOptions, asked: GroupOptions) -> list[dict[str, Any]]:
    """How long a pod stays on a node that is not heard of; the cluster's own is five minutes."""
    own = {one.get("key") for one in asked.tolerations}
    return [
        {
            "key": key,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": options.lost_after,
        }
        for key in _UNHEARD
        if key not in own
    ]


def _key(one: KeyReference) -> dict[str, Any]:
    kind = "secretKeyRef" if one.secret else "configMapKeyRef"
    return {kind: {"name": one.secret or one.config_map, "key": one.key}}


def _all(one: AllReference) -> dict[str, Any]:
    kind = "secretRef" if one.secret else "configMapRef"
    prefix = {"prefix": one.prefix} if one.prefix else {}
    return {**prefix, kind: {"name": one.secret or one.config_map}}


_SHARED: Final = (
    "app.kubernetes.io/name",
    names.MANAGER,
    names.OWNER,
    names.LAUNCH,
    names.RUN,
    names.ATTEMPT,
)
