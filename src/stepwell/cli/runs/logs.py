"""`stepwell runs logs`: what a run has written, searched on the server, or as it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from stepwell.cli.runs.commands import Id, app
from stepwell.cli.session import Session, command

_PAGE: Final = 1000
_STYLES: Final = {"warning": "yellow", "error": "red", "critical": "bold red", "debug": "dim"}


@command(app, "logs")
def logs(
    session: Session,
    run_id: Id,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the run ends.")] = False,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="TEXT", help="Lines with this text.")
    ] = None,
    context: Annotated[
        int, typer.Option("--context", "-C", min=0, max=100, help="Lines around each match.")
    ] = 0,
    operation: Annotated[str | None, typer.Option("--operation", help="Only of this one.")] = None,
    attempt: Annotated[
        int | None, typer.Option("--attempt", help="Only of this container of the run.")
    ] = None,
    level: Annotated[
        str | None, typer.Option("--level", help="So serious or more: warning, error, ...")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="INSTANT", help="From this instant on.")
    ] = None,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=1, max=10_000, help="Only the last ones.")
    ] = None,
) -> None:
    """What a run has written, in the order of its writing; also when its containers are gone.

    With --json each line is an object on a line of its own.
    """
    wanted: dict[str, Any] = {"q": grep, "operation": operation, "attempt": attempt}
    wanted |= {"level": level, "from": since}
    if follow:
        _follow(session, run_id, {**wanted, "tail": tail})
        return
    last = _pages(session, run_id, {**wanted, "context": context}, tail)
    if grep is not None:
        _tell(session, last)


def _pages(
    session: Session, run_id: str, wanted: dict[str, Any], tail: int | None
) -> dict[str, Any]:
    """Print all that fits; the last page."""
    path, cursor = f"/runs/{run_id}/logs", None
    while True:
        some = {"tail": tail} if tail is not None else {"cursor": cursor, "limit": _PAGE}
        page: dict[str, Any] = session.api.get(path, **wanted, **some)
        for line in page["items"]:
            _print(session, line)
        if tail is not None or len(page["items"]) < _PAGE:
            return page
        cursor = page["next"]


def _follow(session: Session, run_id: str, wanted: dict[str, Any]) -> None:
    for fields in session.api.stream(f"/runs/{run_id}/logs/stream", **wanted):
        event, data = fields["event"], fields["data"]
        said = json.loads(data)
        if event == "line":
            _print(session, said)
        elif event == "end":
            session.out.note(f"run {run_id} has ended: {said['state']}")
            return


def _tell(session: Session, page: Mapping[str, Any]) -> None:
    count, more = page["matches"], "" if page["complete"] else " or more"
    verb = "line matches" if count == 1 and not more else "lines match"
    session.out.note(f"{count:,}{more} {verb}")


def _print(session: Session, line: Mapping[str, Any]) -> None:
    if session.out.as_json:
        session.out.json_line(line)
        return
    at = datetime.fromisoformat(line["at"])
    where = line["operation"] or ""
    text = Text(f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {where:<12} ", style="dim")
    level = line["level"]
    style = _STYLES.get(level or "", "") if line["match"] else "dim"
    said = f"{level.upper()} {line['text']}" if level else line["text"]
    shown = Text.from_ansi(said)
    shown.stylize(style)
    session.out.line(text + shown)
