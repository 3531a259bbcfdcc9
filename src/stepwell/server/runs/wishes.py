"""What whoever starts a run may wish for it, beyond its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from stepwell.server.runs.records import PriorityName


@dataclass(frozen=True, slots=True)
class Wishes:
    """Labels, the place in line for a slot, and a deadline in seconds (None: the workflow's)."""

    labels: Mapping[str, str] = field(default_factory=dict)
    priority: PriorityName = "normal"
    deadline: float | None = None


NO_WISHES: Final = Wishes()
