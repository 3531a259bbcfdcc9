"""What an audit of the ledger says."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from stepwell.schedules.ledger import Fate


class Audit(BaseModel):
    """Whether the ledger of a span is whole.

    `due`: the instants that the rules in force make due in the span, up to now, computed.
    `accounted`: those that entries of the ledger cover. `open`: those that are due now and
    that the tick is about to enter. `proven`: the chain is unbroken, and nothing is open.
    `folded`: how many of both are from lines that retention has folded into one.

    `breaks` are faults of the chain. `advice` is where a computation of today disagrees with
    what was entered; zone data may have changed since, so it proves nothing.
    """

    begin: datetime | None
    end: datetime
    proven: bool
    unbroken: bool
    entries: int
    due: int
    accounted: int
    open: int
    folded: int
    by_fate: dict[Fate, int]
    backfilled: int
    next_due: datetime | None
    breaks: list[str]
    advice: list[str]
    as_of: datetime


class ScheduleAudit(Audit):
    """The audit of one schedule among all."""

    schedule_id: UUID
    group: str
    workflow: str
    name: str


class AuditOfAll(BaseModel):
    """The audit of every schedule, also of those out of force. What is unproven comes first."""

    begin: datetime | None
    end: datetime
    proven: bool
    schedules: int
    due: int
    accounted: int
    open: int
    audits: list[ScheduleAudit]
    as_of: datetime
