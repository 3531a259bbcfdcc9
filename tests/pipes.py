"""Looking at pipes and sockets whose numbers `select` may not take: it ends at 1,023."""

from __future__ import annotations

from collections.abc import Iterable
from selectors import EVENT_READ, DefaultSelector
from typing import TypeVar

T = TypeVar("T")


def readable(ends: Iterable[T], seconds: float) -> list[T]:
    """Those of the ends from which something can be read; waits at most so long for the first."""
    with DefaultSelector() as selector:
        for one in ends:
            selector.register(one, EVENT_READ, one)  # type: ignore[arg-type]
        return [key.data for key, _ in selector.select(seconds)]
