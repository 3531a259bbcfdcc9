"""What the launcher may do in a cluster: the one list that doctor, docs and the chart go by."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Verbs on one resource.

    Parameters
    ----------
    group : the API group; empty is the core.
    resource : in the plural, with the subresource where there is one: `pods/log`.
    why : what it is for, for people.
    optional : without it the launcher works, and can say less.
    cluster : it is of the whole cluster, not of a namespace.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    why: str
    optional: bool = False
    cluster: bool = False


PERMISSIONS: Final = (
    Permission(
        group="batch",
        resource="jobs",
        verbs=("create", "get", "list", "watch", "patch", "delete"),
        why="A Job is a launch: made, watched, stopped and swept away.",
    ),
    Permission(
        group="",
        resource="secrets",
        verbs=("create",),
        why="A launch's environment is a Secret that its Job owns; none is ever read.",
    ),
    Permission(
        group="",
        resource="pods",
        verbs=("get", "list", "watch"),
        why="How a launch goes, and how it ended.",
    ),
    Permission(group="", resource="pods/log", verbs=("get",), why="What an image wrote."),
    Permission(
        group="",
        resource="events",
        verbs=("list", "watch"),
        why="Why a pod is not made or does not start: quotas, policies, volumes.",
    ),
    Permission(
        group="",
        resource="nodes",
        verbs=("list",),
        why="What the largest node has, where a pod fits nowhere.",
        optional=True,
        cluster=True,
    ),
    Permission(
        group="metrics.k8s.io",
        resource="pods",
        verbs=("list",),
        why="The memory that a pod used last, where it was killed for it.",
        optional=True,
    ),
)
"""Every permission, with the verbs that the launcher's requests need and no other."""


def rules(permissions: Collection[Permission] = PERMISSIONS) -> list[dict[str, Any]]:
    """Rules of a Role or ClusterRole, as JSON."""
    return [
        {
            "apiGroups": [one.group],
            "resources": [one.resource],
            "verbs": list(one.verbs),
        }
        for one in permissions
    ]


def split(permissions: Collection[Permission]) -> Iterator[tuple[bool, list[Permission]]]:
    """Those of namespaces (False), then those of the cluster (True); empty ones are left out."""
    for cluster in (False, True):
        if mine := [one for one in permissions if one.cluster is cluster]:
            yield cluster, mine
