"""What `stepwell doctor` says of the container engine, where the settings name one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepwell.errors import StepwellError
from stepwell.stores.inspecting import Finding, Severity

CHECK: Final = "containers"
_LIMITS: Final = {"MemoryLimit": "memory", "PidsLimit": "processes"}


def findings(environment: Mapping[str, str]) -> list[Finding]:
    """Nothing where no container is to be started; else what is wrong with the engine.

    Parameters
    ----------
    environment : the server's, with `STEPWELL_LAUNCHERS` and `STEPWELL_CONTAINER_HOST`.
    """
    launchers = environment.get("STEPWELL_LAUNCHERS", "").split(",")
    address = environment.get("STEPWELL_CONTAINER_HOST", "")
    if not address and "container" not in [name.strip() for name in launchers]:
        return []
    return list(_looked_at(address, environment))


def _looked_at(address: str, environment: Mapping[str, str]) -> list[Finding]:
    # Its client comes with the server's extra, which a store's doctor does without.
    from stepwell.launchers.container.engine import (  # noqa: PLC0415
        ContainerEngine,
        Refused,
        default_address,
    )

    try:
        engine = ContainerEngine(address or default_address(environment))
        info = engine.ask("GET", "/info")
    except Refused as refused:
        return [Finding(CHECK, Severity.PROBLEM, "The engine refuses.", why=refused.message)]
    except StepwellError as error:
        return [Finding(CHECK, Severity.PROBLEM, error.what, why=error.why, fix=error.fix)]
    return _limits(info)


def _limits(info: Mapping[str, Any]) -> list[Finding]:
    """Podman on some hosts takes limits and cannot hold anybody to them."""
    missing = [word for name, word in _LIMITS.items() if info.get(name) is False]
    return [
        Finding(
            CHECK,
            Severity.WARNING,
            f"The container engine cannot limit {word} here.",
            why="Its host has not the cgroup controller for it.",
            fix="Enable the controller, or give the engine a host of its own.",
        )
        for word in missing
    ]
