"""Counts that add up, whatever span they are of; and figures from them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from stepwell.server.metrics.histogram import bucket, quantiles
from stepwell.server.metrics.records import Change, Durations, Figures, Waiting


class Row(Protocol):
    """A row of the roll-ups."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""


@dataclass(slots=True)
class Tally:
    """What ended: counts, and durations in seconds (`timed` of them have one)."""

    succeeded: int = 0
    failed: int = 0
    other: int = 0
    retried: int = 0
    timed: int = 0
    duration_sum: float = 0.0
    histogram: Counter[str] = field(default_factory=Counter)

    def count(self, what: str, seconds: float | None) -> None:
        """One more, of this duration."""
        setattr(self, what, getattr(self, what) + 1)
        if seconds is not None:
            self.timed += 1
            self.duration_sum += seconds
            self.histogram[bucket(seconds)] += 1

    def add(self, row: Row) -> None:
        """What a row of the roll-ups has counted."""
        self.succeeded += row["succeeded"]
        self.failed += row["failed"]
        self.other += row["other"]
        self.retried += row["retried"]
        self.timed += row["timed"]
        self.duration_sum += row["duration_sum"]
        _merge(self.histogram, row["histogram"])

    def merge(self, histogram: Mapping[str, int]) -> None:
        """Durations that are counted already, by bucket."""
        _merge(self.histogram, histogram)

    def values(self) -> dict[str, Any]:
        """The columns of a row of the roll-ups."""
        names = ("succeeded", "failed", "other", "retried", "timed", "duration_sum")
        return {
            **{name: getattr(self, name) for name in names},
            "histogram": dict(self.histogram),
        }

    @property
    def judged(self) -> int:
        """What succeeded or failed."""
        return self.succeeded + self.failed


@dataclass(slots=True)
class Waited:
    """How often was waited for a reason, and for how many seconds."""

    count: int = 0
    seconds: float = 0.0
    histogram: Counter[str] = field(default_factory=Counter)

    def once(self, seconds: float) -> None:
        """One more."""
        self.count += 1
        self.seconds += seconds
        self.histogram[bucket(seconds)] += 1

    def add(self, row: Row) -> None:
        """What a row of the roll-ups has counted."""
        self.count += row["count"]
        self.seconds += row["seconds"]
        _merge(self.histogram, row["histogram"])

    def values(self) -> dict[str, Any]:
        """The columns of a row of the roll-ups."""
        return {"count": self.count, "seconds": self.seconds, "histogram": dict(self.histogram)}


def _merge(into: Counter[str], more: Mapping[str, int]) -> None:
    # Not Counter.update: its checks cost more than the adding, and this runs over many rows.
    for key, count in more.items():
        into[key] = into.get(key, 0) + count


def figures(tally: Tally) -> dict[str, Any]:
    """The fields of `Figures`."""
    judged = tally.judged
    return {
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "other": tally.other,
        "retried": tally.retried,
        "judged": judged,
        "success_rate": tally.succeeded / judged if judged else None,
        "error_rate": tally.failed / judged if judged else None,
        "duration": durations(tally.histogram, tally.duration_sum),
    }


def durations(histogram: Mapping[str, int], total: float) -> Durations:
    """Average and quantiles in seconds; of a single bucket they are all the average.

    A bucket's middle may lie below what it stands for, so that 95 % would seem to have taken less
    than the average.
    """
    count = sum(histogram.values())
    average = total / count if count else None
    if len(histogram) == 1:
        return Durations(average=average, p50=average, p95=average, p99=average)
    p50, p95, p99 = quantiles(histogram, (0.50, 0.95, 0.99))
    return Durations(average=average, p50=p50, p95=p95, p99=p99)


def waiting(by_reason: Mapping[str, Waited]) -> list[Waiting]:
    """What was waited for, the longest first."""
    everything = sum(one.seconds for one in by_reason.values())
    shown = [
        Waiting(
            reason=reason,
            count=one.count,
            seconds=one.seconds,
            share=one.seconds / everything if everything else 0.0,
            duration=durations(one.histogram, one.seconds),
        )
        for reason, one in by_reason.items()
    ]
    return sorted(shown, key=lambda one: (-one.seconds, one.reason))


def change(now: Figures, before: Figures, hours: float) -> Change:
    """How figures changed against those of an equally long range before."""
    old, new = before.duration, now.duration
    done, did = before.judged + before.other, now.judged + now.other
    return Change(
        success_rate=_difference(now.success_rate, before.success_rate),
        error_rate=_difference(now.error_rate, before.error_rate),
        per_hour=_ratio(did / hours, done / hours),
        average=_ratio(new.average, old.average),
        p50=_ratio(new.p50, old.p50),
        p95=_ratio(new.p95, old.p95),
        p99=_ratio(new.p99, old.p99),
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    made = Tally()
    for one in tallies:
        made.add(one.values())
    return made


def _difference(new: float | None, old: float | None) -> float | None:
    return None if new is None or old is None else new - old


def _ratio(new: float | None, old: float | None) -> float | None:
    return None if new is None or not old else new / old
