"""`stepwell steps watch`: counts per queue and state as they change, and the newest failures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from stepwell.cli.options import Store
from stepwell.cli.render import distance, table
from stepwell.cli.session import Session, command
from stepwell.cli.steps.books import StepBook, book_for
from stepwell.cli.steps.commands import app
from stepwell.clock import now
from stepwell.stores.inspecting import STATES

WINDOW: Final = timedelta(minutes=1)
"""Done steps are counted over so long."""
SHARE: Final = 10
"""The pause is at least so many times as long as the reading took."""
_ALWAYS: Final = ("running", "due", "later", "done", "failed")
_FAILURES: Final = {"failed": "ended_at", "name": "name", "id": "id", "why": "why"}


@command(app, "watch")
def watch(
    session: Session,
    every: Annotated[
        float,
        typer.Option("--every", min=1, help="Seconds between readings; more if they are slow."),
    ] = 1.0,
    failures: Annotated[
        int, typer.Option("--failures", min=0, help="So many of the newest failures of an hour.")
    ] = 5,
    once: Annotated[bool, typer.Option("--once", help="Read once, and end.")] = False,
    store: Store = None,
) -> None:
    """Counts per queue, and the newest failures, until Ctrl-C.

    One query a second at most, which does not read history; the failures are read when
    there are new ones. With --json each reading is an object on a line of its own.
    """
    readings = Readings(book_for(session, store), failures)
    try:
        _show(session, readings.once() if once else readings.until_ctrl_c(every))
    except KeyboardInterrupt:
        pass  # the way to end it


class Readings:
    """What is seen, each time it is looked at.

    Parameters
    ----------
    failures : so many are shown.
    """

    def __init__(self, book: StepBook, failures: int) -> None:
        self._book, self._most = book, failures
        self._failed: int | None = None
        self._newest: list[dict[str, Any]] = []

    def once(self) -> Iterator[dict[str, Any]]:
        """One reading."""
        yield self._read()

    def until_ctrl_c(self, every: float) -> Iterator[dict[str, Any]]:
        """A reading after each pause, without an end."""
        while True:
            begun = time.monotonic()
            yield self._read()
            time.sleep(pause(every, time.monotonic() - begun))

    def _read(self) -> dict[str, Any]:
        at = now()
        lines = self._book.overview(at - WINDOW)
        failed = sum(line["count"] for line in lines if line["state"] == "failed")
        if failed != self._failed and self._most:
            self._failed, self._newest = failed, self._book.failures(self._most)
        return {"at": at.isoformat(), "queues": by_queue(lines), "failures": self._newest}


def pause(every: float, took: float) -> float:
    """Seconds until the next reading, after one that took so many."""
    return max(every, SHARE * took)


def by_queue(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per queue: a number for each state that any queue has, and the oldest due instant."""
    states = [
        one for one in STATES if one in _ALWAYS or any(line["state"] == one for line in lines)
    ]
    states += sorted({line["state"] for line in lines} - set(STATES))
    rows: dict[str, dict[str, Any]] = {}
    for line in lines:
        row = rows.setdefault(line["queue"], {"queue": line["queue"], **dict.fromkeys(states, 0)})
        row[line["state"]] = line["count"]
        if line["state"] == "due":
            row["oldest_due"] = line["oldest"]
    return [rows[name] for name in sorted(rows)]


def _show(session: Session, readings: Iterator[dict[str, Any]]) -> None:
    out = session.out
    if out.as_json:
        for one in readings:
            out.json_line(one)
    elif out.console.is_terminal:
        with Live(console=out.console, auto_refresh=False, transient=False) as live:
            for one in readings:
                live.update(view(one), refresh=True)
    else:
        for one in readings:
            out.console.print(view(one))


def view(reading: Mapping[str, Any]) -> Group:
    """A reading for people."""
    at = datetime.fromisoformat(reading["at"])
    parts: list[Any] = [Text(f"{at:%H:%M:%S}Z", style="dim")]
    rows = reading["queues"]
    parts.append(table(map(_row, rows), _columns(rows)) if rows else Text("No steps."))
    if reading["failures"]:
        parts += [Text(), table(map(_failure, reading["failures"]), _FAILURES)]
    return Group(*parts)


def _columns(rows: list[dict[str, Any]]) -> dict[str, str]:
    states = [name for name in rows[0] if name not in ("queue", "oldest_due")]
    headings = {"done": "done/min"}
    named = {headings.get(one, one): f"{one}_count" for one in states}
    return {"queue": "queue_name", **named, "longest due": "longest"}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    oldest = row.get("oldest_due")
    since = distance(datetime.fromisoformat(oldest) - now()) if oldest else None
    numbers = {f"{name}_count": value for name, value in row.items() if isinstance(value, int)}
    return {"queue_name": row["queue"], **numbers, "longest": since}


def _failure(step: Mapping[str, Any]) -> dict[str, Any]:
    said = (step["description"] or "").strip().splitlines()
    return {**step, "why": said[0] if said else "no description"}
