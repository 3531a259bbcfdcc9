"""What is counted, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from stepwell.step import EndedAs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One operation or, with an empty operation, one run that has ended. `duration` in seconds."""

    at: datetime
    group: str
    workflow: str
    operation: str
    ended_as: EndedAs
    duration: float


class Durations(BaseModel):
    """Seconds. Quantiles are within 2.5 % of the true value; None where nothing has ended."""

    average: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Figures(BaseModel):
    """Counts and rates of what ended. Rates are shares of `judged` = succeeded + failed.

    `other` was skipped or cancelled, and judges nobody. A rate is None where
    nothing was judged.
    """

    succeeded: int
    failed: int
    other: int
    judged: int
    success_rate: float | None
    error_rate: float | None
    duration: Durations


class Total(Figures):
    """A workflow (operation is None: its runs) or one of its operations, over the whole range."""

    group: str
    workflow: str
    operation: str | None


class Hour(Total):
    """The same for one hour, by its first instant (UTC)."""

    hour: datetime


class Metrics(BaseModel):
    """Whole hours from `from_` (included) to `to` (excluded), UTC."""

    from_: datetime
    to: datetime
    as_of: datetime
    totals: list[Total]
    hours: list[Hour]
