"""`stepwell steps`: the steps of a store of your own, or of a server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from stepwell import clock
from stepwell.cli.options import Limit, Store
from stepwell.cli.parameters import json_or_text
from stepwell.cli.session import Session, command
from stepwell.cli.steps.books import StepBook, book_for
from stepwell.errors import InvalidInput
from stepwell.step import StepStatus

app = typer.Typer(
    name="steps",
    help="Steps of a store of your own, or of a server: list, explain, retry, end by hand, watch.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "id": "id",
    "name": "name",
    "status": "status",
    "due": "schedule_time",
    "runs": "execution_count",
    "took": "execution_duration",
    "description": "description",
}

_FIELDS: Final = """
id name status ended_as queue priority unique_key flow_id correlation_id search_key created_at
schedule_time execution_count failure_count lost_count execution_duration executed_by ended_at
description explanation state activation_args result
"""
FIELDS: Final = {name.replace("_", " "): name for name in _FIELDS.split()}

JOBS: Final = {
    "execution": "number",
    "launcher": "launcher",
    "image": "image",
    "launched": "launched_at",
    "finished": "finished_at",
    "reason": "reason",
}

Id = Annotated[str, typer.Argument(metavar="ID", help="The step's id.")]
Query = Annotated[
    str,
    typer.Argument(
        metavar="QUERY",
        help="As in 'state:failed name:v1/shop/* since:2h'; see the API's reference.",
    ),
]
Why = Annotated[str, typer.Option("--reason", help="Shown to people.")]
Name = Annotated[str | None, typer.Option("--name", help="Exactly this name.")]
Prefix = Annotated[str | None, typer.Option("--prefix", help="Names that begin so.")]
Status = Annotated[str | None, typer.Option("--status", help="ready, done or failed.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Only this queue.")]
Flow = Annotated[str | None, typer.Option("--flow", help="Only this flow (a run's id is one).")]
SearchKey = Annotated[str | None, typer.Option("--search-key", help="Exactly this search key.")]


@command(app, "add")
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="Which handler runs it.")],
    state: Annotated[str | None, typer.Option("--state", help="JSON, or text.")] = None,
    queue: Annotated[str, typer.Option("--queue", help="Engines claim by queue.")] = "default",
    key: Annotated[
        str | None,
        typer.Option("--unique-key", help="At most one ready step of that name and key."),
    ] = None,
    search_key: Annotated[
        str | None, typer.Option("--search-key", help="What people look for.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="Not before: 2026-11-22T07:00Z.")] = None,
    store: Store = None,
) -> None:
    """Add a step to a store."""
    fields = {"queue": queue, "unique_key": key, "search_key": search_key}
    instant = {} if at is None else {"schedule_time": _instant(at)}
    value = None if state is None else json_or_text("--state", state)
    step_id = _book(session, store).add(name, value, fields | instant)
    session.out.answer({"id": step_id}, step_id)


@command(app, "list")
def list_steps(
    session: Session,
    q: Query = "",
    name: Name = None,
    prefix: Prefix = None,
    status: Status = None,
    queue: Queue = None,
    flow: Flow = None,
    search_key: SearchKey = None,
    limit: Limit = 50,
    store: Store = None,
) -> None:
    """The steps that match, newest first."""
    filters = _filters(q, name, prefix, status, queue, flow, search_key)
    found = _book(session, store).search(filters, limit)
    session.out.rows(found, COLUMNS, "No step matches.")


@command(app, "count")
def count(
    session: Session,
    q: Query = "",
    name: Name = None,
    prefix: Prefix = None,
    queue: Queue = None,
    flow: Flow = None,
    search_key: SearchKey = None,
    store: Store = None,
) -> None:
    """How many steps match: ready, done, failed."""
    filters = _filters(q, name, prefix, None, queue, flow, search_key)
    counts = _book(session, store).count(filters)
    session.out.record(counts, {key: key for key in ("ready", "done", "failed")})


@command(app, "show")
def show(session: Session, step_id: Id, store: Store = None) -> None:
    """All fields of one step."""
    session.out.record(_book(session, store).get(id_of(step_id)), FIELDS)


@command(app, "explain")
def explain(session: Session, step_id: Id, store: Store = None) -> None:
    """Why a step is where it is, in a sentence."""
    said = _book(session, store).get(id_of(step_id))["explanation"]
    session.out.answer({"id": step_id, "explanation": said}, said)


@command(app, "jobs")
def jobs(session: Session, step_id: Id) -> None:
    """The containers of a step that runs in containers of its own, the newest first."""
    found = session.api.get(f"/steps/{id_of(step_id)}/jobs")
    for one in found:
        one["reason"] = (one["exit"] or {}).get("reason")
    session.out.rows(found, JOBS, "It has had none.")


@command(app, "activate")
def activate(
    session: Session,
    step_id: Id,
    args: Annotated[
        str | None, typer.Option("--args", help="JSON, or text, for the handler.")
    ] = None,
    store: Store = None,
) -> None:
    """Make a ready step due now."""
    value = None if args is None else json_or_text("--args", args)
    _book(session, store).activate(id_of(step_id), value)
    _said(session, step_id, "activated")


@command(app, "reschedule")
def reschedule(
    session: Session,
    step_id: Id,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help="2026-11-22T07:00:00Z.")
    ] = None,
    after: Annotated[
        float | None, typer.Option("--in", metavar="SECONDS", min=0, help="So long from now.")
    ] = None,
    store: Store = None,
) -> None:
    """Make a ready step due at another time; if it is running, its outcome is refused."""
    if (at is None) == (after is None):
        raise InvalidInput("One of --at and --in is needed.", fix="Give --in 60, or --at INSTANT.")
    due = _instant(at) if at is not None else clock.now() + timedelta(seconds=after or 0.0)
    _book(session, store).reschedule(id_of(step_id), due)
    _said(session, step_id, f"due at {due.isoformat(timespec='seconds')}")


@command(app, "retry")
def retry(session: Session, step_id: Id, store: Store = None) -> None:
    """Run it again now: a ready step at once, an ended one as a copy, whose id is printed."""
    book = _book(session, store)
    found = book.get(id_of(step_id))
    if found["status"] != StepStatus.READY:
        copy = book.reexecute(id_of(step_id))
        session.out.answer({"id": copy}, copy)
        return
    book.activate(id_of(step_id), found["activation_args"])  # what it was told, it is told again
    session.out.answer({"id": step_id}, step_id)


@command(app, "cancel")
def cancel(session: Session, step_id: Id, reason: Why = "by hand", store: Store = None) -> None:
    """End a ready step; if it is running, its outcome is refused."""
    _book(session, store).cancel(id_of(step_id), reason)
    _said(session, step_id, "cancelled")


@command(app, "fail")
def fail(session: Session, step_id: Id, reason: Why = "by hand", store: Store = None) -> None:
    """End a ready step as failed; if it is running, its outcome is refused."""
    _book(session, store).fail(id_of(step_id), reason)
    _said(session, step_id, "failed")


@command(app, "complete")
def complete(
    session: Session,
    step_id: Id,
    result: Annotated[str | None, typer.Option("--result", help="JSON, or text.")] = None,
    reason: Why = "by hand",
    store: Store = None,
) -> None:
    """End a ready step as done, with a result; if it is running, its outcome is refused."""
    value = None if result is None else json_or_text("--result", result)
    _book(session, store).complete(id_of(step_id), reason, value)
    _said(session, step_id, "done")


@command(app, "reexecute")
def reexecute(session: Session, step_id: Id, store: Store = None) -> None:
    """Add a copy of an ended step, due now; prints the copy's id."""
    copy = _book(session, store).reexecute(id_of(step_id))
    session.out.answer({"id": copy}, copy)


def _book(session: Session, store: str | None) -> StepBook:
    return book_for(session, store)


def _filters(
    q: str,
    name: str | None,
    prefix: str | None,
    status: str | None,
    queue: str | None,
    flow: str | None,
    search_key: str | None,
) -> dict[str, Any]:
    given = {
        "q": q or None,
        "name": name,
        "name_prefix": prefix,
        "status": status,
        "queue": queue,
        "flow_id": None if flow is None else str(id_of(flow)),
        "search_key": search_key,
    }
    return {key: value for key, value in given.items() if value is not None}


def _said(session: Session, step_id: str, what: str) -> None:
    session.out.answer({"id": step_id, "what": what}, f"The step {step_id} is {what}.")


def id_of(text: str) -> UUID:
    """The id that was typed; raises `InvalidInput`."""
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is not an id.",
            why="Ids look like 019ab3c4-0000-7000-8000-000000000000.",
            fix="Copy it from `stepwell steps list` or `stepwell runs list`.",
        ) from error


def _instant(text: str) -> datetime:
    try:
        return clock.as_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is not an instant.", fix="Write it as 2026-11-22T07:00:00Z."
        ) from error
