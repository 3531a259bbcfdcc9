"""Whether this server may do in its cluster what it must: asked permission by permission."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepwell.launchers.kubernetes.api import KubernetesApi, Refused
from stepwell.launchers.kubernetes.permissions import PERMISSIONS, Permission, rules, split
from stepwell.launchers.protocol import Grant, Standing

REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
NAME: Final = "stepwell-launcher"


@dataclass(frozen=True, slots=True)
class Missing:
    """Verbs of a permission that are not granted. `namespace` is empty for the cluster's."""

    permission: Permission
    namespace: str
    verbs: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What is missing, and what for."""
        where = f" in the namespace {self.namespace}" if self.namespace else ""
        what = f"{self.permission.group}/{self.permission.resource}".lstrip("/")
        return f"It may not {', '.join(self.verbs)} {what}{where}."


def asked(api: KubernetesApi, namespaces: Sequence[str]) -> list[Missing]:
    """Every permission in each of these namespaces, with what is not granted of it.

    Raises
    ------
    LaunchFailed : the cluster does not answer.
    """
    return [
        Missing(one, namespace, tuple(_denied(api, one, namespace)))
        for one in PERMISSIONS
        for namespace in ([""] if one.cluster else namespaces)
    ]


def missing(api: KubernetesApi, namespaces: Sequence[str]) -> list[Missing]:
    """What is not granted; raises as `asked`."""
    return [one for one in asked(api, namespaces) if one.verbs]


def standing(api: KubernetesApi, namespaces: Sequence[str]) -> Standing:
    """All of that, with the YAML that grants what is missing; raises as `asked`."""
    found, subject = asked(api, namespaces), whoami(api)
    wanted = [one for one in found if one.verbs]
    return Standing(
        server=api.access.server,
        subject="/".join(filter(None, (subject.get("namespace"), subject["name"]))),
        namespaces=tuple(namespaces),
        grants=tuple(_grant(one, subject) for one in found),
        manifest=manifest(wanted, subject),
    )


def manifest(found: Sequence[Missing], subject: dict[str, str]) -> str:
    """The YAML that grants it: whole roles, as half a role helps nobody.

    Parameters
    ----------
    subject : who asks, as `whoami` says.
    """
    parts: list[dict[str, Any]] = []
    wanted = {(one.namespace, one.permission.cluster) for one in found}
    for namespace, cluster in sorted(wanted):
        mine = dict(split(PERMISSIONS))[cluster]
        parts += _role(namespace, mine, subject)
    return "---\n".join("\n".join(_yaml(one)) + "\n" for one in parts)


def whoami(api: KubernetesApi) -> dict[str, str]:
    """Who asks, as the subject of a binding."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        name = str(api.ask("POST", WHOAMI, body)["status"]["userInfo"]["username"])
    except (Refused, KeyError, TypeError):
        name = "system:serviceaccount:NAMESPACE:stepwell"  # an old cluster: to be filled in
    if name.startswith("system:serviceaccount:"):
        _, _, namespace, account = name.split(":", 3)
        return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def _grant(one: Missing, subject: dict[str, str]) -> Grant:
    return Grant(
        group=one.permission.group,
        resource=one.permission.resource,
        namespace=one.namespace,
        verbs=one.permission.verbs,
        missing=one.verbs,
        optional=one.permission.optional,
        why=one.permission.why,
        manifest=manifest([one], subject) if one.verbs else "",
    )


def _denied(api: KubernetesApi, permission: Permission, namespace: str) -> Iterator[str]:
    resource, _, sub = permission.resource.partition("/")
    about = {"group": permission.group, "resource": resource, "subresource": sub}
    for verb in permission.verbs:
        attributes = {**about, "verb": verb, "namespace": namespace}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: one for key, one in attributes.items() if one}},
        }
        if not api.ask("POST", REVIEWS, body)["status"].get("allowed"):
            yield verb


def _role(
    namespace: str, permissions: list[Permission], subject: dict[str, str]
) -> list[dict[str, Any]]:
    kind = "Role" if namespace else "ClusterRole"
    about = {"name": NAME, **({"namespace": namespace} if namespace else {})}
    group = "rbac.authorization.k8s.io"
    head = {"apiVersion": f"{group}/v1"}
    return [
        {**head, "kind": kind, "metadata": about, "rules": rules(permissions)},
        {
            **head,
            "kind": f"{kind}Binding",
            "metadata": about,
            "roleRef": {"apiGroup": group, "kind": kind, "name": NAME},
            "subjects": [subject],
        },
    ]


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """An object as YAML; strings as JSON has them, which YAML reads."""
    for name, one in value.items():
        if isinstance(one, dict):
            yield f"{indent}{name}:"
            yield from _yaml(one, f"{indent}  ")
        elif isinstance(one, list) and one and isinstance(one[0], dict):
            yield f"{indent}{name}:"
            for each in one:
                first, *rest = _yaml(each, f"{indent}    ")
                yield f"{indent}  - {first.strip()}"
                yield from rest
        else:
            yield f"{indent}{name}: {_scalar(one)}"


def _scalar(one: Any) -> str:
    if isinstance(one, list):
        return f"[{', '.join(_scalar(each) for each in one)}]"
    return str(one) if str(one) and str(one)[0].isalpha() else f'"{one}"'
