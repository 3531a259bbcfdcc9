"""What `stepwell doctor kubernetes` says of the cluster that the settings name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Final

from stepwell.errors import SetupError, StepwellError
from stepwell.stores.inspecting import Finding, Severity

CHECK: Final = "kubernetes"


def findings(environment: Mapping[str, str]) -> tuple[list[Finding], str]:
    """What is wrong with the cluster, or with what this server may do there; and the YAML that
    grants what is missing.

    Parameters
    ----------
    environment : the server's, with its `STEPWELL_KUBERNETES_...`.
    """
    if find_spec("httpx") is None:
        raise SetupError(
            "The client of Kubernetes is not installed here.",
            fix="Run: pip install 'stepwell[kubernetes]'.",
        )
    # As it may be missing, it is imported where it is used.
    from stepwell.launchers.kubernetes import doctor  # noqa: PLC0415
    from stepwell.launchers.kubernetes.api import KubernetesApi, Refused  # noqa: PLC0415
    from stepwell.launchers.kubernetes.kubeconfig import reached  # noqa: PLC0415

    named = environment.get
    try:
        access = reached(
            named("STEPWELL_KUBERNETES_CONFIG", ""),
            named("STEPWELL_KUBERNETES_CONTEXT", ""),
            environment=environment,
        )
        api = KubernetesApi(access)
        usual = named("STEPWELL_KUBERNETES_NAMESPACE", "") or access.namespace
        others = named("STEPWELL_KUBERNETES_NAMESPACES", "").split(",")
        missing = doctor.missing(api, [usual, *(one.strip() for one in others if one.strip())])
        text = doctor.manifest(missing, doctor.whoami(api)) if missing else ""
    except Refused as refused:
        return [Finding(CHECK, Severity.PROBLEM, "The cluster refuses.", why=refused.message)], ""
    except StepwellError as error:
        return [Finding(CHECK, Severity.PROBLEM, error.what, why=error.why, fix=error.fix)], ""
    return list(_told(missing)), text


def _told(missing: Any) -> Iterator[Finding]:
    for one in missing:
        optional = one.permission.optional
        yield Finding(
            CHECK,
            Severity.NOTE if optional else Severity.PROBLEM,
            one.sentence,
            why=one.permission.why,
            fix="Apply what is printed below, or ask whoever may.",
        )
