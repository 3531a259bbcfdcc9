"""How long ended steps are kept: a span for each class, for done and for failed ones (R23).

The class belongs to the step: it gets one when it is added. The span belongs to the
policy, so that it can change without touching a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stepwell.errors import InvalidInput
from stepwell.step import Retention, StepStatus

__all__ = ["KEEP_FOR_EVER", "Expiry", "Kept", "Retention", "RetentionPolicy"]


@dataclass(frozen=True, slots=True)
class Expiry:
    """What a store is told: rows of this table and class that ended before the instant may go."""

    status: StepStatus
    retention: Retention
    before: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """For how long at least the steps of a class stay after their end; None is for ever."""

    done: timedelta | None = None
    failed: timedelta | None = None

    def __post_init__(self) -> None:
        for span in (self.done, self.failed):
            if span is not None and span < timedelta(0):
                raise InvalidInput(
                    f"Ended steps cannot be kept for {span}.",
                    fix="Give a span of zero or more, or None to keep them for ever.",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long each class is kept. The engines of one store should have the same.

    Parameters
    ----------
    short : for steps by the million: a week, and 30 days when they failed.
    standard : for all that says nothing else: 90 days, and half a year when they failed.
    long : for what must be found again: two years.
    """

    short: Kept = Kept(timedelta(days=7), timedelta(days=30))
    standard: Kept = Kept(timedelta(days=90), timedelta(days=180))
    long: Kept = Kept(timedelta(days=730), timedelta(days=730))

    def expiries(self, now: datetime) -> tuple[Expiry, ...]:
        """What has been kept for long enough at `now`, which is aware."""
        kept = {
            Retention.SHORT: self.short,
            Retention.STANDARD: self.standard,
            Retention.LONG: self.long,
        }
        spans = [
            (status, retention, span)
            for retention, one in kept.items()
            for status, span in ((StepStatus.DONE, one.done), (StepStatus.FAILED, one.failed))
        ]
        return tuple(
            Expiry(status, retention, now - span)
            for status, retention, span in spans
            if span is not None
        )


KEEP_FOR_EVER = RetentionPolicy(short=Kept(), standard=Kept(), long=Kept())
"""Nothing is removed; on PostgreSQL the partitions of the coming time are made all the same."""
