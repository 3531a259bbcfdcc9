"""`stepwell schedules audit | alerts | downtimes`: whether nothing was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.exits import Exit
from stepwell.cli.options import Limit
from stepwell.cli.render import instant
from stepwell.cli.schedules.commands import app, found_id, place
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput

AUDIT: Final = {
    "proven": "proven",
    "due": "due",
    "accounted": "accounted",
    "open": "open",
    "unbroken": "unbroken",
    "entries": "entries",
    "folded": "folded",
    "by fate": "by_fate",
    "backfilled": "backfilled",
    "next due": "next_due",
    "breaks": "breaks",
    "advice": "advice",
}
ALL: Final = {
    "schedule": "place",
    "due": "due_count",
    "accounted": "accounted",
    "open": "open",
    "proven": "proven",
    "breaks": "breaks",
}
ALERTS: Final = {
    "kind": "kind",
    "since": "since_at",
    "over": "over_at",
    "what": "text",
    "run": "run_id",
}

From = Annotated[
    str | None, typer.Option("--from", metavar="INSTANT", help="Of instants from here on.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="INSTANT", help="Of instants before; now if not said.")
]


@command(app, "audit")
def audit(
    session: Session,
    schedule: Annotated[
        str | None,
        typer.Argument(metavar="SCHEDULE", help="GROUP/WORKFLOW, GROUP/WORKFLOW/NAME, or its id."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Of all schedules.")] = False,
    begin: From = None,
    end: To = None,
) -> None:
    """Prove that due = accounted: every due instant is in exactly one entry of the ledger.

    The exit code is 1 where that is not so.
    """
    if (schedule is None) != every:
        raise InvalidInput(
            "It does not say which ledger.", fix="Give a schedule, or --all for all of them."
        )
    span = {"from": begin, "to": end}
    if schedule is not None:
        path = f"/schedules/{found_id(session, schedule)}/audit"
        found = session.api.get(path, **span)
        session.out.record(found, AUDIT)
    else:
        found = session.api.get("/schedules/audit", **span)
        _tell_all(session, found)
    if not found["proven"]:
        raise typer.Exit(Exit.FAILED)


def _tell_all(session: Session, found: Mapping[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.rows(found["audits"], ALL, "There are no schedules.", _audited)
    proven = "proven" if found["proven"] else "NOT proven"
    session.out.line(
        f"{found['schedules']} schedule{'' if found['schedules'] == 1 else 's'}, "
        f"due {found['due']}, accounted {found['accounted']}, "
        f"open {found['open']}: {proven}"
    )


def _audited(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**row, "place": place(row), "due_count": row["due"]}


@command(app, "alerts")
def alerts(
    session: Session,
    still: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    limit: Limit = 20,
) -> None:
    """Ticks that were late and runs that took too long, newest first."""
    query = {"open": True} if still else {}
    found = list(session.api.items("/schedules/alerts", limit, **query))
    session.out.rows(found, ALERTS, "Nothing was late or took too long.", _alert)


def _alert(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**row, "since_at": row["since"]}


@command(app, "downtimes")
def downtimes(session: Session, limit: Limit = 20) -> None:
    """When no server ticked, and what became of the instants that were due meanwhile."""
    found = list(session.api.items("/schedules/downtimes", limit))
    if session.out.as_json:
        session.out.json(found)
        return
    for one in found:
        session.out.line(f"{instant(one['began_at'])} to {instant(one['ended_at'])}: {one['text']}")
        session.out.line(f"  {_answer(one)}")
        for mine in one["schedules"]:
            session.out.line(
                f"  {place(mine)}: {mine['missed']} missed, {mine['ran']} run after all. "
                f"{mine['policy']}"
            )
    if not found:
        session.out.line("There was always a server that ticked.")


def _answer(downtime: Mapping[str, Any]) -> str:
    if downtime["answer"] is None:
        return f"Nobody has decided: stepwell schedules answer {downtime['id']} each|latest|leave"
    return f"{downtime['answer']}, by {downtime['answered_by']}: {downtime['answer_reason']}"


@command(app, "answer")
def answer(
    session: Session,
    downtime: Annotated[str, typer.Argument(help="Its id, as `downtimes` tells it.")],
    what: Annotated[
        str,
        typer.Argument(metavar="each|latest|leave", help="Run each, the latest of each, or none."),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")],
) -> None:
    """Decide what becomes of the instants that a downtime left missed."""
    body = {"answer": what, "reason": reason}
    made = session.api.post(f"/schedules/downtimes/{downtime}/answers", body)
    if session.out.as_json:
        session.out.json(made)
        return
    for one in made["backfills"]:
        session.out.line(f"backfill {one} begins")
    for one in made["refused"]:
        session.out.line(f"schedule {one['schedule_id']}: {one['what']}")
    if not made["backfills"] and not made["refused"]:
        session.out.line("What was missed stays missed.")
