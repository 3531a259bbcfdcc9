"""Days summed up by month, and the months drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from matplotlib.figure import Figure

from weather.rows import Day


@dataclass(frozen=True)
class Month:
    """A month's figures; `month` is written 2012-01."""

    month: str
    days: int
    rain: float
    warmest: float
    coldest: float
    mean_high: float
    mostly: str


def by_month(days: Iterable[Day]) -> list[Month]:
    """One `Month` for each calendar month among the days, in order of time."""
    ordered = sorted(days, key=lambda one: one.day)
    return [_month(key, list(some)) for key, some in groupby(ordered, lambda d: f"{d.day:%Y-%m}")]


def chart(months: Sequence[Month]) -> Figure:
    """A figure: rain as bars, mean of the daily highs as a line."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    rain = figure.subplots()
    labels, places = [one.month for one in months], range(len(months))
    rain.bar(places, [one.rain for one in months], color="#7aa6c2")
    rain.set_ylabel("rain, mm a month")
    rain.set_xticks(places, labels, rotation=90, fontsize=8)
    heat = rain.twinx()
    heat.plot(places, [one.mean_high for one in months], color="#b5482e", marker="o", ms=3)
    heat.set_ylabel("mean daily high, °C")
    rain.set_title(f"Seattle, {labels[0]} to {labels[-1]}" if labels else "Seattle")
    return figure


def _month(key: str, days: list[Day]) -> Month:
    return Month(
        month=key,
        days=len(days),
        rain=round(sum(one.rain for one in days), 1),
        warmest=max(one.highest for one in days),
        coldest=min(one.lowest for one in days),
        mean_high=round(fmean(one.highest for one in days), 1),
        mostly=Counter(one.kind for one in days).most_common(1)[0][0],
    )
