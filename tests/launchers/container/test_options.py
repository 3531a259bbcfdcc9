"""What an engine is asked for when a container is made."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell.launchers.container.options import ContainerOptions, body
from stepwell.launchers.protocol import LaunchSpec


def host(**options: Any) -> dict[str, Any]:
    spec = LaunchSpec(name="run-1", image="a", mode="run")
    made = body(spec, ContainerOptions(**options), own_user="", owner="me", grace=1.5)
    found: dict[str, Any] = made["HostConfig"]
    return found


def test_cores_and_memory_are_limits_and_swap_is_no_way_around() -> None:
    asked = host(cpus=0.5, memory_mib=64)
    assert asked["NanoCpus"] == 500_000_000
    assert asked["Memory"] == asked["MemorySwap"] == 64 * 2**20


@pytest.mark.parametrize(
    ("network", "mode"), [("", {}), ("none", {"NetworkMode": "none"})], ids=["usual", "none"]
)
def test_a_network_is_named_only_where_one_was_chosen(network: str, mode: dict[str, str]) -> None:
    """Else the engine takes its own, by its own name."""
    asked = host(network=network)
    assert {name: asked[name] for name in asked if name == "NetworkMode"} == mode


@pytest.mark.parametrize("own", ["", "root", "0:0"])
def test_nobody_is_root_whatever_the_image_says(own: str) -> None:
    spec = LaunchSpec(name="run-1", image="a", mode="run")
    made = body(spec, ContainerOptions(), own_user=own, owner="me", grace=1.5)
    assert made["User"] == "65532:65532"
