"""Retention as an ordinary step: it sweeps, and comes back in an hour (R23).

Nothing waits for it. If it fails it is retried like any step, and says why; claims and
settlements go on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from stepwell.errors import NotSupported
from stepwell.events import emit
from stepwell.outcome import Rerun, rerun
from stepwell.registry import Registry
from stepwell.retention import Retention
from stepwell.step import NewStep, OnConflict, Priority, new_step
from stepwell.stores.protocol import Store, Swept

SWEEP: Final = "v1/stepwell/sweep"
"""The name of the step that an engine with a retention policy keeps alive."""

EVERY: Final = timedelta(hours=1)
SOON: Final = timedelta(seconds=5)
"""When it comes back if there was more to do than one execution should take."""

SECONDS: Final = 20.0
"""How long one execution may take."""

AT_ONCE: Final = 1000
"""Rows that one transaction removes at most."""


def plus(one: Swept, other: Swept) -> Swept:
    """What both did; whether there is more is for the later one to say."""
    return Swept(
        one.removed + other.removed,
        one.dropped + other.dropped,
        one.made + other.made,
        other.more,
    )


def housekeeping(sweep: Callable[..., Swept], registry: Registry, store: Store) -> None:
    """Add the handler of the sweeping step.

    Raises
    ------
    NotSupported : the store is a container's; its rows are the server's to keep.
    HandlerInvalid : another engine keeps house with the same registry.
    """
    if store.capabilities.scoped:
        raise NotSupported(
            "An engine on a container's store has no retention policy.",
            why="It sees one run only; the server removes what is old.",
            fix="Leave retention= out.",
        )

    def handler() -> Rerun:
        return come_back(sweep(seconds=SECONDS))

    registry.add(handler, SWEEP)


def sweeper(queue: str) -> NewStep:
    """The step, one per queue: an engine that serves the queue runs it."""
    return new_step(
        SWEEP,
        queue=queue,
        unique_key=queue,
        on_conflict=OnConflict.IGNORE,
        priority=Priority.LOW,
        retention=Retention.SHORT,
    )


def come_back(swept: Swept, every: timedelta = EVERY) -> Rerun:
    """The outcome of a sweep: what it did, and when the next one is."""
    emit("steps.swept", removed=swept.removed, dropped=swept.dropped, made=swept.made)
    return rerun(after=SOON if swept.more else every, description=said(swept))


def said(swept: Swept) -> str:
    """A sentence for people."""
    parts = [f"removed {swept.removed} ended steps"] if swept.removed else []
    parts += [f"dropped {name}" for name in swept.dropped] + [f"made {name}" for name in swept.made]
    return f"The last sweep {', '.join(parts) or 'found nothing to do'}."
