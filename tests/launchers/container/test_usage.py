"""What containers used when they were looked at last; without any engine."""

from __future__ import annotations

from typing import Any

import pytest

from stepwell.launchers.container import usage
from stepwell.launchers.container.usage import Usage, measured

MIB = 2**20


def stats(used: int, **more: int) -> dict[str, Any]:
    return {"memory_stats": {"usage": used, "stats": more}}


@pytest.mark.parametrize(
    ("found", "used"),
    [
        (stats(64 * MIB), 64 * MIB),
        (stats(64 * MIB, inactive_file=4 * MIB), 60 * MIB),
        (stats(64 * MIB, total_inactive_file=4 * MIB), 60 * MIB),
        (stats(0), None),
        ({"memory_stats": {}}, None),
        ({"memory_stats": None}, None),
        ({}, None),
    ],
    ids=["plain", "cgroup 2", "cgroup 1", "ended", "no cgroup", "null", "nothing"],
)
def test_what_the_kernel_may_take_back_is_not_used(
    found: dict[str, Any], used: float | None
) -> None:
    assert measured(found) == used


def test_a_container_is_looked_at_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(name: str) -> dict[str, Any]:
        asked.append(name)
        return stats(len(asked) * MIB)

    known = Usage(ask)
    for _ in range(3):
        known.sample("a")
    known.sample("b")
    assert asked == ["a", "b"]
    monkeypatch.setattr(usage, "EVERY", 0.0)
    later = Usage(ask)
    later.sample("a")
    later.sample("a")
    assert later.of("a") == 4 * MIB
    assert later.of("c") is None


def test_an_engine_that_refuses_is_left_alone_and_harms_nothing() -> None:
    asked: list[str] = []

    def ask(name: str) -> Any:
        asked.append(name)
        raise OSError("no socket")

    known = Usage(ask)
    for name in ("a", "b", "a"):
        known.sample(name)
    assert asked == ["a"]
    assert known.of("a") is None


@pytest.mark.parametrize("answer", [None, {}])
def test_a_container_that_is_not_measured_says_nothing_of_others(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have ended just now."""
    asked: list[str] = []
    monkeypatch.setattr(usage, "EVERY", 0.0)

    def ask(name: str) -> Any:
        asked.append(name)
        return answer

    known = Usage(ask)
    for name in ("a", "b", "a"):
        known.sample(name)
    assert asked == ["a", "b"]


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST", 2)
    known = Usage(lambda _: stats(MIB))
    for name in ("a", "b", "c"):
        known.sample(name)
    assert [known.of(name) for name in ("a", "b", "c")] == [None, MIB, MIB]
