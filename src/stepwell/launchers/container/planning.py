"""What the start of a container would make, from the body that asks for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepwell.launchers.protocol import LaunchPlan

_MIB: Final = 1024 * 1024


def planned(body: Mapping[str, Any], engine: str, *, here: bool) -> LaunchPlan:
    """The plan.

    Parameters
    ----------
    body : the request that would create the container.
    engine : the engine's address.
    here : whether the engine has the image.
    """
    host = body["HostConfig"]
    image = "The engine has the image." if here else "The image is pulled first."
    network = host.get("NetworkMode")
    user = f"It runs as the user {body['User']}" if body["User"] else "It runs as root"
    joins = f" in the network {network}." if network else "."
    return LaunchPlan(
        what=f"1 container on the engine at {engine}",
        image=body["Image"],
        limits=_limits(host),
        notes=(image, f"{user}{joins}"),
    )


def _limits(host: Mapping[str, Any]) -> dict[str, str]:
    """What is not limited is left out."""
    cores, memory = host["NanoCpus"] / 1e9, host.get("Memory", 0) // _MIB
    found = {"cpu": f"{cores:g}" if cores else "", "memory": f"{memory}Mi" if memory else ""}
    return {name: amount for name, amount in found.items() if amount}
