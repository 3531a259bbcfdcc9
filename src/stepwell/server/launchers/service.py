"""What the launchers of this server are, and what they may do where they work."""

from __future__ import annotations

from typing import Final

from stepwell import clock
from stepwell.errors import Conflict
from stepwell.launchers.protocol import Grant, Permitted
from stepwell.server.launchers.records import (
    ClusterPermission,
    ClusterPermissions,
    LauncherShown,
)
from stepwell.server.services import Services

WHAT: Final = {
    "process": "Python files and packages of the server's machine, each run in a process of its "
    "own. It asks nobody for permission.",
    "container": "Images as containers of Docker or Podman. Whoever reaches the engine's socket "
    "may do all; there is nothing to grant.",
    "kubernetes": "Images as Jobs of a cluster, in the namespaces that the settings name.",
}
"""What each launcher starts, and where."""


class NothingToGrant(Conflict):
    """The launcher works where nobody grants permissions one by one."""

    code = "nothing-to-grant"


def listed(services: Services) -> list[LauncherShown]:
    """Every launcher that there is; those of this server first."""
    names = {**dict.fromkeys(services.launchers, ""), **WHAT}
    found = [_shown(services, name) for name in names]
    return sorted(found, key=lambda one: (not one.enabled, one.name))


def permissions(services: Services, name: str) -> ClusterPermissions:
    """Ask the cluster of a launcher for each of its permissions.

    Raises
    ------
    LauncherOff : it is not enabled here.
    NothingToGrant : it works in no cluster.
    LaunchFailed : the cluster does not answer, or does not say.
    """
    launcher = services.launcher(name)
    if not isinstance(launcher, Permitted):
        raise NothingToGrant(
            f"The launcher {name!r} has no permissions that a cluster grants.",
            why=WHAT.get(name, "It works in no cluster."),
            fix="Only Kubernetes grants verbs on resources: stepwell serve --launcher kubernetes",
        )
    found = launcher.standing()
    return ClusterPermissions(
        launcher=name,
        server=found.server,
        subject=found.subject,
        namespaces=list(found.namespaces),
        well=not any(one.missing and not one.optional for one in found.grants),
        items=[_told(one) for one in found.grants],
        manifest=found.manifest or None,
        as_of=clock.now(),
    )


def _shown(services: Services, name: str) -> LauncherShown:
    made = services.launchers.get(name)
    return LauncherShown(
        name=name,
        enabled=made is not None,
        sentence=WHAT.get(name, ""),
        permitted=isinstance(made, Permitted),
        fix="" if made is not None else f"stepwell serve --launcher {name}",
    )


def _told(one: Grant) -> ClusterPermission:
    return ClusterPermission(
        group=one.group,
        resource=one.resource,
        namespace=one.namespace or None,
        verbs=list(one.verbs),
        missing=list(one.missing),
        optional=one.optional,
        why=one.why,
        manifest=one.manifest or None,
    )
