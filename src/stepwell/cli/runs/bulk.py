"""`stepwell bulk`: one action on many runs, previewed, followed, stopped."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Limit, Reason
from stepwell.cli.parameters import parsed, texts
from stepwell.cli.render import named
from stepwell.cli.session import Session, command
from stepwell.cli.waiting import polls

app = typer.Typer(
    name="bulk", help="One action on many runs: start, list, show, cancel.", no_args_is_help=True
)

COLUMNS: Final = {
    "id": "id",
    "action": "action",
    "state": "state",
    "total": "total",
    "done": "done",
    "failed": "failed",
    "by": "created_by",
    "reason": "reason",
}
SAMPLE: Final = {"id": "id", "workflow": "workflow", "state": "state", "reason": "reason"}
FAILURES: Final = {"run": "run_id", "code": "code", "what": "what"}


@command(app, "start")
def start(
    session: Session,
    action: Annotated[str, typer.Argument(help="cancel, repeat, reexecute or label.")],
    query: Annotated[str | None, typer.Argument(help="Which runs: state:failed since:2h")] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Instead: these runs.")] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="KEY=VALUE", help="What the action takes."),
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="reexecute: everything, not only what failed.")
    ] = False,
    current: Annotated[
        bool, typer.Option("--current", help="reexecute: by the release in force.")
    ] = False,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="label: what to set; repeatable."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="For the audit log.")] = "",
    rate: Annotated[int, typer.Option("--rate", min=1, help="At most so many a second.")] = 20,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not only show what would be.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is finished.")] = False,
) -> None:
    """Do something with all runs that a query finds; without --yes only show with how many."""
    body: dict[str, Any] = {"action": action, "reason": reason or "No reason given."}
    body |= {"query": query, "ids": ids or None, "rate": rate}
    body["arguments"] = parsed(arguments) | _arguments(from_start, current, label)
    preview = session.api.post("/bulk", body, preview=True)
    if not yes:
        _preview(session, preview)
        return
    made = session.api.post("/bulk", body | {"expected": preview["total"]})
    shown = _ended(session, made["id"]) if wait else made
    if session.out.as_json:
        session.out.json(shown)
    session.out.line(_line(shown))


@command(app, "list")
def list_bulk(session: Session, limit: Limit = 20) -> None:
    """The actions, newest first."""
    session.out.rows(list(session.api.items("/bulk", limit)), COLUMNS, "There were none.")


@command(app, "show")
def show(
    session: Session,
    bulk_id: Annotated[str, typer.Argument(metavar="ID", help="As `bulk start` told it.")],
) -> None:
    """How far one has come, and with which runs it could not be done."""
    found = session.api.get(f"/bulk/{bulk_id}")
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.record(found, COLUMNS)
    session.out.line()
    session.out.rows(found["failures"], FAILURES, "It failed with none.")


@command(app, "cancel")
def cancel(
    session: Session,
    bulk_id: Annotated[str, typer.Argument(metavar="ID", help="As `bulk start` told it.")],
    reason: Reason = None,
) -> None:
    """Stop one; what is done stays done."""
    found = session.api.post(f"/bulk/{bulk_id}/cancellations", {"reason": reason})
    if session.out.as_json:
        session.out.json(found)
    session.out.line(_line(found))


def _arguments(from_start: bool, current: bool, label: list[str] | None) -> dict[str, Any]:
    """What the action takes beside the reason; what it does not take is refused by the server."""
    mode = {"mode": "from start"} if from_start else {}
    release = {"release": "current"} if current else {}
    return mode | release | ({"labels": texts(label)} if label else {})


def _preview(session: Session, preview: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(preview)
        return
    session.out.line(f"{preview['action']} would be done with {preview['total']} runs, such as")
    session.out.rows(
        preview["sample"], SAMPLE, "none.", lambda row: {**row, "workflow": named(row)}
    )
    session.out.line(f"to do it: {preview['command']} --yes")


def _ended(session: Session, bulk_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in polls(24 * 3600.0):
        found = session.api.get(f"/bulk/{bulk_id}")
        if found["state"] != "running":
            break
    return found


def _line(found: dict[str, Any]) -> str:
    so_far = f"{found['done']} of {found['total']} done, {found['failed']} failed"
    return f"{found['action']} {found['id']} is {found['state']}: {so_far}"
