"""The engine's events as log lines of the standard logger `stepwell`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from stepwell.events import Event, subscribe

LOG: Final = logging.getLogger("stepwell")

_LEVELS: Final = {
    "engine.started": logging.INFO,
    "engine.stopped": logging.INFO,
    "engine.buried": logging.WARNING,
    "engine.declared_dead": logging.WARNING,
    "engine.abandoned": logging.WARNING,
    "engine.beat_failed": logging.WARNING,
    "engine.claim_failed": logging.WARNING,
    "engine.settle_failed": logging.WARNING,
    "engine.leave_failed": logging.WARNING,
    "step.rejected": logging.ERROR,
    "step.refused": logging.WARNING,
    "step.abandoned": logging.WARNING,
}


def log_events() -> Callable[[], None]:
    """Write each event as one log line from now on; returns the function that ends it."""
    return subscribe(_write)


def _write(event: Event) -> None:
    level = _LEVELS.get(event.name, logging.DEBUG)
    if event.fields.get("error") and level < logging.WARNING:
        level = logging.WARNING
    if LOG.isEnabledFor(level):
        LOG.log(level, "%s %s", event.name, _fields(event.fields), extra={"event": event})


def _fields(fields: Any) -> str:
    return " ".join(f"{key}={_short(value)}" for key, value in fields.items() if value is not None)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
