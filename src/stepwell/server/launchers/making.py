"""The launchers of a server, made from its settings."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Final

from stepwell.errors import SetupError
from stepwell.launchers.process import ProcessLauncher
from stepwell.launchers.protocol import Launcher
from stepwell.server.settings import Settings


def _process(settings: Settings) -> Launcher:
    return ProcessLauncher(settings.data_dir)


def _containers(settings: Settings) -> Launcher:
    """The container launcher, whose containers are those of the server's secret key."""
    # Its client costs time and memory, which a server without containers does without.
    from stepwell.launchers.container import (  # noqa: PLC0415
        ContainerLauncher,
        ContainerOptions,
    )
    from stepwell.launchers.container.engine import (  # noqa: PLC0415
        ContainerEngine,
        default_address,
    )

    options = ContainerOptions(
        network=settings.container_network,
        memory_mib=settings.container_memory_mib,
        cpus=settings.container_cpus,
        pids=settings.container_pids,
        tmp_mib=settings.container_tmp_mib,
        user=settings.container_user,
        volumes=settings.container_volumes,
        init=settings.container_init,
    )
    engine = ContainerEngine(settings.container_host or default_address(os.environ))
    return ContainerLauncher(settings.data_dir, engine, options, owner=_owner(settings))


def _kubernetes(settings: Settings) -> Launcher:
    """The Kubernetes launcher, whose Jobs are those of the server's secret key."""
    # As for containers.
    from stepwell.launchers.kubernetes import (  # noqa: PLC0415
        KubernetesLauncher,
        KubernetesOptions,
    )
    from stepwell.launchers.kubernetes.api import KubernetesApi  # noqa: PLC0415
    from stepwell.launchers.kubernetes.kubeconfig import reached  # noqa: PLC0415

    options = KubernetesOptions(
        namespace=settings.kubernetes_namespace,
        namespaces=settings.kubernetes_namespaces,
        cpu=settings.kubernetes_cpu,
        memory=settings.kubernetes_memory,
        tmp=settings.kubernetes_tmp,
        user=settings.kubernetes_user,
        pull_policy=settings.kubernetes_pull_policy,
        pull_secrets=settings.kubernetes_pull_secrets,
        service_account=settings.kubernetes_service_account,
        lost_after=settings.kubernetes_lost_after,
        keep_ended=settings.keep_containers_days * 86400,
    )
    access = reached(
        settings.kubernetes_config, settings.kubernetes_context, environment=os.environ
    )
    return KubernetesLauncher(KubernetesApi(access), options, owner=_owner(settings))


LAUNCHERS: Final[dict[str, Callable[[Settings], Launcher]]] = {
    "process": _process,
    "container": _containers,
    "kubernetes": _kubernetes,
}
"""Every launcher that a setting may name."""


def enabled(settings: Settings) -> dict[str, Launcher]:
    """The launchers that the settings name; raises `SetupError` for an unknown one."""
    unknown = [name for name in settings.launchers if name not in LAUNCHERS]
    if unknown:
        raise SetupError(
            f"There is no launcher {unknown[0]!r}.",
            why=f"Known are: {', '.join(sorted(LAUNCHERS))}.",
            fix="Correct STEPWELL_LAUNCHERS.",
        )
    return {name: LAUNCHERS[name](settings) for name in settings.launchers}


def _owner(settings: Settings) -> str:
    """Servers on one database share the key, so they find each other's containers."""
    return hmac.new(settings.signing_key, b"containers", hashlib.sha256).hexdigest()[:12]
