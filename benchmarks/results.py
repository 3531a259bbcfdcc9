"""What was measured, as a table for people and as JSON for the next run to compare with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

LATEST: Final = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One figure of one system: what came out of each round.

    `ratio_to_limit` is the median of the rounds' ratios to the limit loop's figure of the same
    round; None where there is no limit to compare with. `size` says how much work it was.
    """

    workload: str
    system: str
    store: str
    variant: str
    unit: str
    size: str
    rounds: tuple[float, ...]
    ratio_to_limit: float | None = None
    note: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def as_json(self, machine: dict[str, Any]) -> dict[str, Any]:
        """The entry in the file of results."""
        return asdict(self) | {
            "median": _short(median(self.rounds)),
            "min": _short(min(self.rounds)),
            "max": _short(max(self.rounds)),
            "rounds": [_short(one) for one in self.rounds],
            "machine": machine,
        }


def ratio(figures: Sequence[float], limits: Sequence[float]) -> float:
    """The median of the ratios, round by round: what slows a round down hits both."""
    pairs = zip(figures, limits, strict=True)
    return round(median(figure / limit for figure, limit in pairs), 3)


def write(entries: Iterable[dict[str, Any]], path: Path = LATEST) -> None:
    """Write the entries as JSON, under `results`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"results": list(entries)}, indent=2) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """The entries of a file; none where there is no file."""
    entries: list[dict[str, Any]] = json.loads(path.read_text())["results"] if path.exists() else []
    return entries


COLUMNS: Final = ("workload", "variant", "system", "store", "median", "min", "max", "unit", "limit")


def table(entries: Iterable[dict[str, Any]]) -> str:
    """The entries as a table of fixed width."""
    rows = [COLUMNS, *map(_row, entries)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    part = entry["ratio_to_limit"]
    return (
        entry["workload"],
        entry["variant"],
        entry["system"],
        entry["store"],
        *(f"{entry[key]:,}" for key in ("median", "min", "max")),
        entry["unit"],
        "" if part is None else f"{part:.2f}",
    )


def _short(value: float) -> float:
    """Three digits after the point for small values, none for large ones."""
    return round(value, 3) if abs(value) < 100 else round(value)
