"""What every Job gets, and what a group may ask for beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stepwell.errors import InvalidInput

PullPolicy: TypeAlias = Literal["Always", "IfNotPresent", "Never"]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Variable: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=200)]
Amount: TypeAlias = Annotated[
    str, Field(pattern=r"^[0-9.]+(m|k|[KMGTPE]i?)?$", description="500m, 2, 512Mi, 64Gi")
]


class LaunchOptionsInvalid(InvalidInput):
    """What a group asks of its launcher cannot be."""

    code = "launch-options-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesOptions:
    """The same for all Jobs of a launcher.

    Parameters
    ----------
    namespace : where Jobs are, unless a group says otherwise; empty is the kubeconfig's.
    namespaces : others that groups may name.
    cpu, memory, tmp : what a pod asks for and, but for the CPU, may have at most; as Kubernetes
        writes amounts. Empty is none.
    user : `uid:gid` of the process; empty is the image's own, which must be a number.
    pull_policy, pull_secrets, service_account : as Kubernetes has them.
    lost_after : seconds after which a pod is given up whose node is not heard of.
    keep_ended : seconds for which ended Jobs stay.
    grace : seconds between SIGTERM and SIGKILL.
    """

    namespace: str = ""
    namespaces: tuple[str, ...] = ()
    cpu: str = "500m"
    memory: str = "1Gi"
    tmp: str = "256Mi"
    user: str = "65532:65532"
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    service_account: str = ""
    lost_after: int = 60
    keep_ended: int = 86400
    grace: int = 10


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyReference(_Strict):
    """One key of a Secret or a ConfigMap, by reference."""

    secret: Name | None = None
    config_map: Name | None = None
    key: str = Field(min_length=1, max_length=253)

    @model_validator(mode="after")
    def _one(self) -> KeyReference:
        _check_one(self.secret, self.config_map)
        return self


class AllReference(_Strict):
    """All keys of a Secret or a ConfigMap, by reference."""

    secret: Name | None = None
    config_map: Name | None = None
    prefix: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _one(self) -> AllReference:
        _check_one(self.secret, self.config_map)
        return self


class GroupOptions(_Strict):
    """What one group asks for. What is left out is as the server has it.

    `env` and `env_from` name Secrets and ConfigMaps of the namespace, which the server never
    reads. `patch` changes the pod template (`{"spec": {...}}`), by a strategic merge or by a
    JSON merge patch, after all else.
    """

    namespace: Name | None = None
    requests: dict[str, Amount] = {}
    limits: dict[str, Amount] = {}
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    affinity: dict[str, Any] | None = None
    priority_class: Name | None = None
    pull_secrets: list[Name] = []
    pull_policy: PullPolicy | None = None
    service_account: Name | None = None
    env: dict[Variable, KeyReference] = {}
    env_from: list[AllReference] = []
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    patch: dict[str, Any] | None = None
    patch_type: Literal["strategic", "merge"] = "strategic"


def group_options(given: Mapping[str, Any] | None) -> GroupOptions:
    """What a group asks for, checked.

    Raises
    ------
    LaunchOptionsInvalid : it names something unknown, or not as it must be.
    """
    try:
        return GroupOptions.model_validate(dict(given or {}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(one) for one in first["loc"]) or "options"
        raise LaunchOptionsInvalid(
            f"The launch options cannot be used: {place}.",
            why=first["msg"],
            fix=f"Known are: {', '.join(GroupOptions.model_fields)}.",
        ) from error


def _check_one(*given: str | None) -> None:
    if sum(one is not None for one in given) != 1:
        raise ValueError("name either a secret or a config_map")
