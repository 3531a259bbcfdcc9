"""The group `flaky`: its workflow and operations."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from stepwell.schedules import Every
from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup(
    "flaky",
    description="Share prices from a service that fails at first, and ratings that never come.",
    tags=["example", "retries"],
)


@dataclass(frozen=True)
class Rank:
    """A share's place: its growth is the last price over the first."""

    symbol: str
    growth: float
    rating: str


@group.workflow(
    schedule=Every(seconds=20),
    description="Rank shares by growth; recovers from two failures, and does without ratings.",
    tags=["recovery"],
    deadline=300,
)
class RankShares:
    failures: int = 2

    @operation(retries=3, tags=["recovers"])
    def fetch_prices(self, context: Context, failures: int) -> dict[str, list[float]]:
        """Fail twice, then give the prices by symbol, in order of time."""
        if context.attempt <= failures:
            raise ConnectionError(f"503 Service Unavailable (try {context.attempt})")
        prices: dict[str, list[float]] = {}
        for symbol, price in _rows():
            prices.setdefault(symbol, []).append(price)
        return prices

    @operation(halt_on_error=False)
    def fetch_ratings(self) -> dict[str, str]:
        """Fail always, without halting the run: the service was switched off."""
        raise ConnectionError("410 Gone: the ratings service was switched off")

    @operation(tags=["report"])
    def rank(
        self,
        context: Context,
        fetch_prices: dict[str, list[float]],
        fetch_ratings: dict[str, str] | None = None,
    ) -> list[Rank]:
        """Rank by growth; runs with the default in place of ratings that failed."""
        ratings = fetch_ratings or {}
        ranks = [
            Rank(symbol, round(prices[-1] / prices[0], 2), ratings.get(symbol, "not rated"))
            for symbol, prices in fetch_prices.items()
        ]
        ranks.sort(key=lambda one: -one.growth)
        context.report.table("ranking", [asdict(one) for one in ranks])
        return ranks


def _rows() -> list[tuple[str, float]]:
    spec = find_spec("vega_datasets")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("vega_datasets is missing: pip install vega-datasets")
    with (Path(spec.origin).parent / "_data" / "stocks.csv").open(newline="") as file:
        return [(row["symbol"], float(row["price"])) for row in csv.DictReader(file)]
