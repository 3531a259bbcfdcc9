"""`stepwell schedules backfill` begins one; `stepwell backfills` looks after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit, Reason
from stepwell.cli.parameters import Params, parsed
from stepwell.cli.schedules import commands as schedules
from stepwell.cli.schedules.commands import Which, found_id, place
from stepwell.cli.session import Session, command

app = typer.Typer(
    name="backfills", help="Backfills: instants that are made up for.", no_args_is_help=True
)

FIELDS: Final = {
    "id": "id",
    "schedule": "place",
    "state": "state",
    "from": "begin",
    "to": "end",
    "instants": "instants",
    "so far": "counts",
    "active": "active",
    "order": "order",
    "at once": "concurrency",
    "a minute": "per_minute",
    "because": "reason",
    "asked by": "requested_by",
    "created": "created_at",
    "expected end": "expected_end_at",
    "finished": "finished_at",
}
COLUMNS: Final = {
    "id": "id",
    "schedule": "place",
    "state": "state",
    "instants": "instants",
    "so far": "counts",
    "because": "reason",
    "created": "created_at",
}
INSTANTS: Final = {"due": "due_at", "fate": "fate", "why": "why", "run": "run_id"}

Id = Annotated[str, typer.Argument(metavar="ID", help="The backfill's id.")]


@command(schedules.app, "backfill")
def backfill(
    session: Session,
    schedule: Which,
    begin: Annotated[str, typer.Option("--from", metavar="INSTANT", help="Included.")],
    end: Annotated[str, typer.Option("--to", metavar="INSTANT", help="Not included.")],
    which: Annotated[
        str, typer.Option("--which", help="What of it: not-run, not-succeeded or all.")
    ] = "not-run",
    order: Annotated[
        str, typer.Option("--order", help="oldest-first or newest-first.")
    ] = "oldest-first",
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=100, help="At most so many at once.")
    ] = 1,
    per_minute: Annotated[
        int | None, typer.Option("--per-minute", min=1, help="At most so many begin a minute.")
    ] = None,
    param: Params = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what it would do.")] = False,
    reason: Reason = None,
) -> None:
    """Run the due instants of a span that is past; needs a --reason."""
    body: dict[str, Any] = {
        "begin": begin,
        "end": end,
        "which": which,
        "order": order,
        "concurrency": concurrency,
        "per_minute": per_minute,
        "reason": reason,
    }
    if param:
        body["parameters"] = parsed(param)
    path = f"/schedules/{found_id(session, schedule)}"
    if not preview:
        _tell(session, session.api.post(f"{path}/backfills", body))
        return
    found = session.api.post(f"{path}/backfill-previews", body)
    if session.out.as_json:
        session.out.json(found)
    session.out.line(found["text"])
    for at in found["sample"]:
        session.out.line(f"  {at}")
    if found["instants"] > len(found["sample"]):
        session.out.line(f"  ... and {found['instants'] - len(found['sample'])} more")


@command(app, "list")
def list_backfills(session: Session, limit: Limit = 20) -> None:
    """Backfills, newest first, and how far they are."""
    found = list(session.api.items("/backfills", limit))
    session.out.rows(found, COLUMNS, "Nothing was backfilled yet.", _row)


@command(app, "show")
def show(session: Session, backfill_id: Id) -> None:
    """How far a backfill is, and when it is expected to end."""
    _tell(session, session.api.get(f"/backfills/{backfill_id}"))


@command(app, "instants")
def instants(session: Session, backfill_id: Id, limit: Limit = 100) -> None:
    """What became of each instant of a backfill, newest first."""
    found = list(session.api.items(f"/backfills/{backfill_id}/instants", limit))
    session.out.rows(found, INSTANTS, "It has no instants.")


@command(app, "cancel")
def cancel(
    session: Session,
    backfill_id: Id,
    runs: Annotated[bool, typer.Option("--runs", help="Cancel the runs that go on, too.")] = False,
    reason: Reason = None,
) -> None:
    """What is planned does not run any more."""
    body = {"runs": runs, "reason": reason}
    _tell(session, session.api.post(f"/backfills/{backfill_id}/cancellations", body))


def _tell(session: Session, found: dict[str, Any]) -> None:
    session.out.record(found if session.out.as_json else _row(found), FIELDS)


def _row(found: Mapping[str, Any]) -> dict[str, Any]:
    so_far = ", ".join(f"{count} {fate}" for fate, count in found["counts"].items())
    expected = found["expected_end"]
    return {**found, "place": place(found), "counts": so_far, "expected_end_at": expected}
