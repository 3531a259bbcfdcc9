"""How answers look on a terminal: tables by rich, or JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from stepwell.cli.terminal import coloured, harmless
from stepwell.clock import now

STYLES: Final[dict[str, str]] = {
    "succeeded": "green",
    "done": "green",
    "ran": "green",
    "approved": "green",
    "ready": "cyan",
    "waiting": "cyan",
    "starting": "cyan",
    "running": "cyan",
    "cancelling": "yellow",
    "cancelled": "yellow",
    "skipped": "yellow",
    "missed": "yellow",
    "paused": "yellow",
    "failed": "red",
    "blocked": "red",
    "rejected": "red",
}
"""The colour of a state; the word itself is always there too."""

_NUMBERS: Final = ("count", "duration", "size", "rate", "average", "p50", "p95", "p99")

_WHOLE: Final = ("id", "_at", "due", "duration", "average", "p95", "workflow", "operation", "name")
"""Columns that are never broken, so that a value can be copied, or read at a glance."""


class _Harmless(RenderHook):
    """Of what is printed only rich's own is a command to the terminal: names, reasons and
    descriptions are whatever an image says."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """All of them, shown harmless."""
        return [_Shown(one) for one in renderables]


class _Shown:
    def __init__(self, inner: ConsoleRenderable) -> None:
        self.inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for one in console.render(self.inner, options):
            yield one if one.control else Segment(harmless(one.text), one.style)


class Output:
    """Where a command's answer goes: stdout, as a table or as JSON; notes go to stderr.

    Parameters
    ----------
    as_json : one JSON document instead of tables and sentences.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=False, width=_width())
        self.notes = Console(stderr=True, highlight=False)
        for one in (self.console, self.notes):
            one.push_render_hook(_Harmless())

    def json(self, data: Any) -> None:
        """One JSON document on stdout."""
        print(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def json_line(self, data: Any) -> None:
        """One of many JSON documents, each on a line of its own, at once."""
        print(json.dumps(data, ensure_ascii=False, default=str), flush=True)

    def answer(self, data: Any, text: str) -> None:
        """What a command was asked for: `data` as JSON, or `text` as it is, without a width."""
        self.json(data) if self.as_json else print(text)

    def written(self, text: str, end: str = "\n") -> None:
        """What an image has written, as it is; on a terminal with no command but colours."""
        print(coloured(text) if sys.stdout.isatty() else text, end=end, flush=True)

    def line(self, text: str | Text = "") -> None:
        """A sentence, unless JSON was asked for; markup is not read from data."""
        if not self.as_json:
            self.console.print(text, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A remark on stderr: progress, advice."""
        self.notes.print(text, markup=False, soft_wrap=True)

    def rows(
        self,
        data: Sequence[Mapping[str, Any]],
        columns: Mapping[str, str],
        empty: str,
        shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        """A list: JSON as it came, or a table of the named columns, or what to say of none.

        Parameters
        ----------
        columns : heading -> key, dotted for a nested value.
        empty : the sentence for an empty list.
        shown : what a row is in the table, where that is more than the row itself.
        """
        if self.as_json:
            self.json(list(data))
        elif not data:
            self.line(empty)
        else:
            self.console.print(table(data if shown is None else map(shown, data), columns))

    def record(self, data: Mapping[str, Any], fields: Mapping[str, str]) -> None:
        """One thing: a line for each of its named fields; those without a value are left out."""
        if self.as_json:
            self.json(data)
            return
        width = max(map(len, fields)) + 2
        for label, key in fields.items():
            value = lookup(data, key)
            if value not in (None, {}, []):
                self.line(Text(label.ljust(width), style="dim") + cell(key, value))


def _width() -> int | None:
    """A pipe has no width: then tables are as wide as they need, so that grep finds whole words."""
    columns = os.environ.get("COLUMNS")
    if columns and columns.isdigit():
        return int(columns)
    return None if os.isatty(1) else 200


def table(
    rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], title: str | None = None
) -> Table:
    """A rich table of rows; headings name keys."""
    made = Table(box=None, pad_edge=False, title=title, title_justify="left", header_style="bold")
    for heading, key in columns.items():
        whole = key.endswith(_WHOLE)
        made.add_column(heading, no_wrap=whole, overflow="fold", justify=_justify(key))
    for row in rows:
        made.add_row(*(cell(key, lookup(row, key)) for key in columns.values()))
    return made


def _justify(key: str) -> Any:
    return "right" if key.endswith(_NUMBERS) else "left"


def named(row: Mapping[str, Any]) -> str:
    """`group/workflow`, as commands take it."""
    return f"{row['group']}/{row['workflow']}"


def lookup(row: Any, key: str) -> Any:
    """The value of a dotted key; None where any part is missing."""
    for part in key.split("."):
        row = row.get(part) if isinstance(row, Mapping) else None
    return row


def cell(key: str, value: Any) -> Text:
    """A value as text, by what its key says it is."""
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if key.endswith(("duration", "average", "p50", "p95", "p99")):
        return Text(seconds(float(value)))
    if key.endswith("rate"):
        return Text(f"{100 * float(value):.0f} %")
    if key.endswith(("_at", "_time", "due")) and isinstance(value, str):
        return Text(instant(value))
    return Text(plain(value), style=STYLES.get(str(value), ""))


def plain(value: Any) -> str:
    """A JSON value in one line."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def seconds(amount: float) -> str:
    """A duration for people: 12 ms, 3.4 s, 5 min 10 s, 2 h 5 min."""
    if amount < 1:
        return f"{amount * 1000:.0f} ms"
    if amount < 60:
        return f"{amount:.1f} s"
    minutes, rest = divmod(int(amount), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def instant(text: str) -> str:
    """An instant in UTC; of today without the date, with how far it is away within a day."""
    try:
        when = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return text
    away = when - now()
    said = f"{when:%H:%M:%S}Z" if when.date() == now().date() else f"{when:%Y-%m-%d %H:%M:%S}Z"
    return f"{said} ({distance(away)})" if abs(away) < timedelta(days=1) else said


def distance(away: timedelta) -> str:
    """`in 5 min` or `3 s ago`."""
    amount = seconds(abs(round(away.total_seconds()))) if abs(away.total_seconds()) >= 1 else ""
    if not amount:
        return "now"
    amount = amount.replace(".0 s", " s")
    return f"in {amount}" if away > timedelta(0) else f"{amount} ago"
