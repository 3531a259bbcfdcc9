"""Why nobody takes a step that is due and that nothing holds up: who is alive, and what for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stepwell.given import suggestion
from stepwell.step import Step
from stepwell.stores.protocol import EngineInfo

_NAMED: Final = 3
"""So many engines, queues or names are named; more are counted."""


def unclaimed(step: Step, engines: Sequence[EngineInfo], late: str) -> str:
    """One sentence or two, from what the engines say of themselves.

    An engine that was killed is among them until another one has buried it (R10).
    """
    due = f"It has been due for {late}"
    foreign = f"No engine of the queue {step.queue!r} handles the name {step.name!r} (R19)"
    if not engines:
        met = f"{foreign}, and" if step.parked else f"{due}, and"
        return f"{met} no engine is running on this store."
    serving = [one for one in engines if not one.queues or step.queue in one.queues]
    if not serving:
        others = sorted({queue for one in engines for queue in one.queues})
        served = f"those that run serve {_named(others)}. {suggestion(step.queue, others)}"
        return f"{due}, and no engine serves the queue {step.queue!r}: {served}".rstrip()
    handling = [one for one in serving if step.name in one.handles]
    if not handling:
        names = sorted({name for one in serving for name in one.handles})
        return f"{foreign}. {suggestion(step.name, names)}".rstrip()
    who = _named([one.name for one in handling])
    return (
        f"{due}, and has not been claimed by {who}, whose workers may be busy, "
        "or who may be dead: `stepwell doctor` tells."
    )


def _named(what: Sequence[str]) -> str:
    more = len(what) - _NAMED
    shown = ", ".join(map(repr, what[:_NAMED]))
    return f"{shown} and {more} more" if more > 0 else shown
