"""What an operator looks at: counts per queue, who is alive, and what stands in the way.

No engine needs it, so it is no part of the store protocol: a store that has it
offers `Inspectable`. `stepwell steps watch`, `stepwell doctor` and the gauges of
`telemetry.prometheus` read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

from stepwell.step import Step, StepStatus
from stepwell.stores.moves import SUSPECT_FROM
from stepwell.stores.protocol import EngineInfo

STATES: Final = (
    "running",
    "due",
    "limited",
    "later",
    "joining",
    "parked",
    "suspect",
    "done",
    "failed",
)
"""Of a line of an overview, in the order of showing: claimed; due; due and under a limit or
rate; due in the future; waiting for others (R28); of a name that the engine which met it does
not handle (R19); waiting to be run alone (R15); ended well; ended otherwise."""


@dataclass(frozen=True, slots=True)
class Line:
    """How many steps of a queue are in a state, and the earliest time that one was due."""

    queue: str
    state: str
    count: int
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The counts of one moment. Of done steps only those that ended since the instant asked."""

    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Parked:
    """Steps of one name that the engine which met them does not handle (R19)."""

    name: str
    queue: str
    count: int
    oldest: datetime


class Severity(IntEnum):
    """How bad a finding is."""

    NOTE = 0
    WARNING = 1
    PROBLEM = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at and is not as it should be: what, why, how to fix it.

    `check` is the stable name of what was looked at.
    """

    check: str
    severity: Severity
    what: str
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a store knows of itself and of those who use it.

    Parameters
    ----------
    now : the store's time, aware UTC.
    engines : every engine's row, with the beat that it shows now.
    suspects : the first of the steps that wait to be run alone (R15).
    pauses : the queues that are paused.
    findings : what ails this kind of store, in its own words.
    """

    now: datetime
    engines: tuple[EngineInfo, ...]
    parked: tuple[Parked, ...] = ()
    suspects: tuple[UUID, ...] = ()
    pauses: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@runtime_checkable
class Inspectable(Protocol):
    """A store that can be looked at. Both raise `SetupError` and `StoreUnavailable`."""

    def overview(self, since: datetime) -> Overview:
        """Counts per queue and state; done steps are those that ended at `since` or later.

        One statement, whose cost grows with ready and failed rows and not with done ones.
        """
        ...

    def inspect(self) -> Inspection:
        """Everything else, in one read."""
        ...


def state_of(step: Step, now: datetime) -> str:
    """The state that an overview counts the step under. SQL stores write the same."""
    if step.status is not StepStatus.READY:
        return str(step.status)
    states = {
        "running": step.claimed_by is not None,
        "joining": step.waiting_for > 0,
        "parked": step.parked,
        "later": step.schedule_time > now,
        "suspect": step.lost_count >= SUSPECT_FROM,
        "limited": bool(step.limit_key or step.rate_key),
    }
    return next((state for state, so in states.items() if so), "due")


def overview_of(steps: Iterable[Step], since: datetime, now: datetime) -> Overview:
    """The overview of steps at hand: what every store's statement must come to."""
    found: dict[tuple[str, str], list[datetime]] = {}
    for step in steps:
        state = state_of(step, now)
        if state != StepStatus.DONE or (step.ended_at is not None and step.ended_at >= since):
            found.setdefault((step.queue, state), []).append(step.schedule_time)
    ended = (StepStatus.DONE, StepStatus.FAILED)
    return Overview(
        tuple(
            Line(queue, state, len(due), None if state in ended else min(due))
            for (queue, state), due in found.items()
        )
    )


def inspection_of(
    ready: Iterable[Step], engines: tuple[EngineInfo, ...], pauses: Iterable[str], now: datetime
) -> Inspection:
    """The inspection of steps at hand."""
    parked: dict[tuple[str, str], list[datetime]] = {}
    suspects = []
    for step in ready:
        state = state_of(step, now)
        if state == "parked":
            parked.setdefault((step.name, step.queue), []).append(step.schedule_time)
        elif state == "suspect":
            suspects.append(step.id)
    return Inspection(
        now=now,
        engines=engines,
        parked=tuple(Parked(*key, len(due), min(due)) for key, due in sorted(parked.items())),
        suspects=tuple(suspects[:20]),
        pauses=tuple(sorted(pauses)),
    )
