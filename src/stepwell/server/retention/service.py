"""Sweep what was kept for long enough, a bounded number at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stepwell.errors import NotFound
from stepwell.server.kept import KINDS
from stepwell.server.retention.records import Kind
from stepwell.server.services import Services

AT_ONCE: Final = 500
"""So many are removed in one transaction at most."""


class KindUnknown(NotFound):
    """Nothing of that name is kept."""

    code = "kind-unknown"


@dataclass(frozen=True, slots=True)
class Removed:
    """What one pass removed; `more` says that its time was over before all was."""

    count: int
    more: bool


def kind(name: str) -> Kind:
    """The kind of that name; raises `KindUnknown`."""
    for one in KINDS:
        if one.name == name:
            return one
    raise KindUnknown(
        f"Nothing is kept under the name {name!r}.",
        fix=f"There are: {', '.join(one.name for one in KINDS)}.",
    )


def before(services: Services, one: Kind) -> datetime | None:
    """What was over before this instant may go; None where it is kept for ever."""
    days = one.days(services.settings)
    return None if days is None else services.clock.now() - timedelta(days=days)


def sweep(services: Services, one: Kind, *, seconds: float) -> Removed:
    """Remove what is old, in short transactions, for so many seconds at most."""
    old, ends, removed = before(services, one), time.monotonic() + seconds, 0
    if old is None:
        return Removed(0, more=False)
    while True:
        gone = one.sweep(services, old, AT_ONCE)
        removed += gone
        if gone < AT_ONCE:
            return Removed(removed, more=False)
        if time.monotonic() >= ends:
            return Removed(removed, more=True)
