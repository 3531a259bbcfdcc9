"""The daily rows: reading them from the package's file, and checking each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path

KINDS = frozenset({"drizzle", "fog", "rain", "snow", "sun"})


@dataclass(frozen=True)
class Day:
    """One day's weather: millimetres of rain, degrees Celsius, metres per second."""

    day: date
    rain: float
    highest: float
    lowest: float
    wind: float
    kind: str


def source() -> Path:
    """Where vega_datasets keeps the table; found without importing the package."""
    spec = find_spec("vega_datasets")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("vega_datasets is missing: pip install vega-datasets")
    return Path(spec.origin).parent / "_data" / "seattle-weather.csv"


def read(first: date, last: date) -> list[Day]:
    """The days from `first` to `last`, both included, in order of time."""
    with source().open(newline="") as file:
        days = [_day(row) for row in csv.DictReader(file)]
    return sorted((one for one in days if first <= one.day <= last), key=lambda one: one.day)


def fault(one: Day) -> str | None:
    """Why a day's row cannot be right, or None."""
    if one.lowest > one.highest:
        return f"lowest {one.lowest} is above highest {one.highest}"
    if one.rain < 0 or one.wind < 0:
        return "negative rain or wind"
    if one.kind not in KINDS:
        return f"unknown kind {one.kind!r}"
    return None


def _day(row: dict[str, str]) -> Day:
    return Day(
        day=datetime.strptime(row["date"], "%Y/%m/%d").date(),  # noqa: DTZ007 - a day, no instant
        rain=float(row["precipitation"]),
        highest=float(row["temp_max"]),
        lowest=float(row["temp_min"]),
        wind=float(row["wind"]),
        kind=row["weather"],
    )
