"""Runs as they end, each told once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from stepwell.cli.client import Client
from stepwell.cli.render import seconds
from stepwell.client.records import ENDED
from stepwell.errors import StepwellError


class RunFeed:
    """Asks the server for runs; what was there at the first look is history."""

    def __init__(self, api: Client, *, history: bool = False) -> None:
        self._api = api
        self._told: set[str] = set()
        if not history:
            self._told = {run["id"] for run in self._ended()}

    def ended(self) -> Iterator[dict[str, Any]]:
        """The runs that have ended since the last look, oldest first."""
        for run in reversed(self._ended()):
            if run["id"] not in self._told:
                self._told.add(run["id"])
                yield run

    def lines(self) -> Iterator[str]:
        """The same as lines for people."""
        for run in self.ended():
            yield line(run)

    def _ended(self) -> list[dict[str, Any]]:
        try:
            runs = self._api.items("/runs", 100)
            return [run for run in runs if run["state"] in ENDED]
        except StepwellError:  # the server is busy or stopping: the next look will tell
            return []


def line(run: Mapping[str, Any]) -> str:
    """`run weather/load-weather succeeded in 2.3 s`, with what went wrong."""
    took = duration(run)
    said = f"run {run['group']}/{run['workflow']} {run['state']}"
    said += f" in {seconds(took)}" if took is not None else ""
    warnings = run.get("warnings") or 0
    said += f", {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    why = run.get("reason") if run["state"] != "succeeded" else None
    return f"{said}: {why}" if why else said


def duration(run: Mapping[str, Any]) -> float | None:
    """Seconds from start to end; None where one of them is missing."""
    started, finished = run.get("started_at"), run.get("finished_at")
    if not started or not finished:
        return None
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
