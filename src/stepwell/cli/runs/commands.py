"""`stepwell runs`: what runs, what has run, and why it ended as it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.client import ALL
from stepwell.cli.exits import WorkFailed
from stepwell.cli.groups.commands import known
from stepwell.cli.options import Limit, OfGroup, OfWorkflow, Reason
from stepwell.cli.parameters import Params, parsed, texts
from stepwell.cli.render import named, seconds
from stepwell.cli.runs import feed, planning
from stepwell.cli.session import Session, command
from stepwell.cli.waiting import ended_run, polls
from stepwell.cli.workflow import Apart, Named, parameters_schema, words
from stepwell.client.records import ENDED
from stepwell.errors import Conflict

app = typer.Typer(
    name="runs",
    help="Runs: list, count, show, start, cancel, repeat, re-execute, approve, compare, "
    "output, logs, result.",
    no_args_is_help=True,
)

COLUMNS: Final = {
    "id": "id",
    "workflow": "workflow",
    "state": "state",
    "trigger": "trigger",
    "due": "due_at",
    "took": "duration",
    "warnings": "warnings",
    "reason": "reason",
}
FIELDS: Final = {
    "id": "id",
    "group": "group",
    "workflow": "workflow",
    "state": "state",
    "reason": "reason",
    "warnings": "warnings",
    "parameters": "parameters",
    "trigger": "trigger",
    "requested by": "requested_by",
    "due": "due_at",
    "started": "started_at",
    "finished": "finished_at",
    "waits": "waiting.sentence",
    "progress": "progress_line",
    "time": "time_line",
    "attempts": "attempt",
    "repeats": "repeat_of",
    "re-executes": "reexecution_of",
    "done instead by": "superseded_by",
    "labels": "label_line",
    "priority": "priority",
    "pool": "pool",
    "digest": "digest",
    "trial": "trial",
    "try it yourself": "reproduce",
}
OPERATIONS: Final = {
    "operation": "operation",
    "outcome": "outcome",
    "took": "duration",
    "tries": "executions",
    "description": "description",
}

Labelled = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", metavar="KEY=VALUE", help="A label; repeatable."),
]
Priority = Annotated[
    str, typer.Option("--priority", help="In line for a slot: urgent, high, normal or low.")
]
Id = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
Query = Annotated[
    str,
    typer.Argument(metavar="QUERY", help="As in 'state:failed since:2h'; see the API's reference."),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Until the run has ended; exit code 1 unless it succeeded.")
]


@command(app, "list")
def list_runs(
    session: Session,
    q: Query = "",
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    state: Annotated[str | None, typer.Option("--state", help="For example failed.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", metavar="KEY:VALUE", help="With this label; repeatable."),
    ] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Only of this pool.")] = None,
    waiting: Annotated[
        str | None, typer.Option("--waiting", help="For limit, approval, retry or due.")
    ] = None,
    limit: Limit = 20,
) -> None:
    """The runs, newest first: all, or those that a query finds."""
    query: dict[str, Any] = {"q": q, "group": group, "workflow": workflow, "state": state}
    query |= {"label": label or None, "pool": pool, "waiting": waiting}
    found = [timed(run) for run in session.api.items("/runs", limit, **query)]
    empty = "There are no such runs."
    if not found and q and not session.out.as_json:
        empty = _hint(session, query) or empty
    session.out.rows(found, COLUMNS, empty, _row)


@command(app, "count")
def count(
    session: Session,
    q: Query = "",
    exact: Annotated[bool, typer.Option("--exact", help="Count beyond 10,000.")] = False,
) -> None:
    """How many runs a query finds."""
    found = session.api.get("/runs/counts", q=q, exact=exact)
    session.out.answer(found, found["shown"])


def _hint(session: Session, query: dict[str, Any]) -> str | None:
    """Which word of the query hides the most."""
    hint = session.api.get("/runs", limit=1, **query)["hint"]
    return hint["sentence"] if hint else None


@command(app, "show")
def show(session: Session, run_id: Id) -> None:
    """One run with its operations."""
    show_run(session, session.api.get(f"/runs/{run_id}"))


@command(app, "start")
def start(
    session: Session,
    workflow: Named,
    apart: Apart = None,
    param: Params = None,
    label: Labelled = None,
    priority: Priority = "normal",
    deadline: Annotated[
        float | None, typer.Option("--deadline", help="Seconds; else the workflow's.")
    ] = None,
    reason: Reason = None,
    wait: Wait = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be started; start nothing.")
    ] = False,
) -> None:
    """Run a workflow of the release in force now."""
    group, name = words(2, workflow, apart)
    known(session, group)
    schema = parameters_schema(session.api, group, name)
    body: dict[str, Any] = {"parameters": parsed(param, schema), "reason": reason}
    body |= {"labels": texts(label), "priority": priority, "deadline": deadline}
    path = f"/workflows/{group}/{name}/runs"
    if dry_run:
        planning.show(session, session.api.post(path, body, dry_run=True))
        return
    begun(session, session.api.post(path, body), wait)


@command(app, "repeat")
def repeat(
    session: Session, run_id: Id, param: Params = None, reason: Reason = None, wait: Wait = False
) -> None:
    """Run again as a new run; with --param, those parameters are changed."""
    body: dict[str, Any] = {"reason": reason}
    if param:
        run = session.api.get(f"/runs/{run_id}")
        schema = parameters_schema(session.api, run["group"], run["workflow"])
        body["parameters"] = run["parameters"] | parsed(param, schema)
    begun(session, session.api.post(f"/runs/{run_id}/repeats", body), wait)


@command(app, "cancel")
def cancel(
    session: Session,
    run_id: Id,
    reason: Reason = None,
    force: Annotated[
        bool, typer.Option("--force", help="Do not wait for the launcher to confirm.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is cancelled.")] = False,
) -> None:
    """Stop a run."""
    run = session.api.post(f"/runs/{run_id}/cancellations", {"reason": reason, "force": force})
    run = ended_run(session.api, run_id) if wait else run
    if session.out.as_json:
        session.out.json(run)
    session.out.line(f"run {run_id} is {run['state']}")


@command(app, "output")
def output(
    session: Session,
    run_id: Id,
    attempt: Annotated[int | None, typer.Option("--attempt", help="Default: the last.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the run ends.")] = False,
) -> None:
    """What the run wrote to stdout and stderr."""
    if follow:
        _follow(session, run_id)
        return
    found = session.api.get(f"/runs/{run_id}/output", attempt=attempt)
    session.out.json(found) if session.out.as_json else session.out.written(found["text"], "")


def show_run(session: Session, run: dict[str, Any]) -> None:
    """The header and the operations."""
    steps = [outcome(one) for one in session.api.items(f"/runs/{run['id']}/steps", ALL)]
    if session.out.as_json:
        session.out.json(run | {"operations": steps})
        return
    session.out.record(run | _lines(run), FIELDS)
    session.out.line()
    session.out.rows(steps, OPERATIONS, "No operation has begun.")


def _row(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """A run in a list; one that waits says what for."""
    why = run["reason"] or (run["waiting"] or {}).get("sentence")
    return {**run, "workflow": named(run), "reason": why}


def _lines(run: dict[str, Any]) -> dict[str, str | None]:
    """What is several values, in one line each."""
    progress = run["progress"]
    told = None
    if progress is not None:
        part = progress["fraction"]
        far = f"{part:.0%}" if part is not None else f"{progress['done']:g}"
        told = f"{progress['operation']} {far} {progress['note']}".strip()
    time = ", ".join(f"{name} {seconds(one)}" for name, one in run["totals"].items())
    labels = ", ".join(f"{key}:{value}" for key, value in run["labels"].items())
    return {"progress_line": told, "time_line": time or None, "label_line": labels or None}


def timed(run: dict[str, Any]) -> dict[str, Any]:
    """The run with `duration` in seconds."""
    return run | {"duration": feed.duration(run)}


def outcome(step: dict[str, Any]) -> dict[str, Any]:
    """The operation with `outcome`: how it ended, or where it is."""
    waiting = "running" if step["claimed"] else "waiting"
    return step | {"outcome": step["ended_as"] or waiting}


def begun(session: Session, run: dict[str, Any], wait: bool) -> None:
    """That a run was started; with `wait` how it ended, and `WorkFailed` unless it succeeded."""
    if not wait:
        if session.out.as_json:
            session.out.json(run)
        session.out.line(f"run {run['id']} of {run['group']}/{run['workflow']} is {run['state']}")
        return
    session.out.note(f"run {run['id']} of {run['group']}/{run['workflow']} ...")
    ended = ended_run(session.api, run["id"])
    show_run(session, ended)
    if ended["state"] != "succeeded":
        raise WorkFailed(
            f"The run {run['id']} {_said(ended['state'])}.",
            why=ended["reason"] or "",
            fix=f"See `stepwell runs output {run['id']}`.",
        )


def _said(state: str) -> str:
    return "was cancelled" if state == "cancelled" else state


def _follow(session: Session, run_id: str) -> None:
    """Print what is new until the run has ended; a later attempt begins anew."""
    attempt, shown = 0, 0
    for _ in polls(24 * 3600.0):
        run = session.api.get(f"/runs/{run_id}")
        if run["attempt"] != attempt:
            attempt, shown = run["attempt"], 0
        text = _text(session, run_id)
        session.out.written(text[shown:], "")
        shown = len(text)
        if run["state"] in ENDED:
            return


def _text(session: Session, run_id: str) -> str:
    try:
        return str(session.api.get(f"/runs/{run_id}/output")["text"])
    except Conflict:  # no attempt has begun
        return ""
