"""More of `stepwell runs`: do it again, answer for it, label it, compare it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.labels import labelled, shown
from stepwell.cli.options import Labels, Reason, Unlabelled
from stepwell.cli.render import seconds
from stepwell.cli.runs.commands import Id, Wait, app, begun
from stepwell.cli.session import Session, command

PLAN: Final = {"operation": "operation", "what becomes of it": "mark", "why": "why"}
OPERATIONS: Final = {
    "operation": "operation",
    "before": "before.outcome",
    "took": "before.duration",
    "after": "after.outcome",
    "took ": "after.duration",
}

Operation = Annotated[str | None, typer.Option("--operation", help="Where several wait.")]


@command(app, "reexecute")
def reexecute(
    session: Session,
    run_id: Id,
    start: Annotated[
        str | None, typer.Option("--from", metavar="OPERATION", help="From this operation on.")
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Everything; no result is taken over.")
    ] = False,
    current: Annotated[
        bool, typer.Option("--current", help="By the release in force, not by the run's own.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would be done, and start nothing.")
    ] = False,
    reason: Reason = None,
    wait: Wait = False,
) -> None:
    """Do again what failed, as a new run that takes over the results of the rest."""
    mode = "from start" if from_start else "from an operation" if start else "failed operations"
    body = {"mode": mode, "operation": start, "reason": reason}
    body["release"] = "current" if current else "same"
    path = f"/runs/{run_id}/reexecutions"
    if preview:
        _show_plan(session, session.api.post(path, body, preview=True))
        return
    begun(session, session.api.post(path, body), wait)


@command(app, "approve")
def approve(
    session: Session, run_id: Id, operation: Operation = None, reason: Reason = None
) -> None:
    """Let the operation that waits for a reviewer go on."""
    _answer(session, run_id, {"decision": "approve", "operation": operation, "reason": reason})


@command(app, "reject")
def reject(
    session: Session,
    run_id: Id,
    reason: Annotated[str, typer.Option("--reason", help="Shown to people.")],
    operation: Operation = None,
) -> None:
    """Fail the operation that waits for a reviewer."""
    _answer(session, run_id, {"decision": "reject", "operation": operation, "reason": reason})


@command(app, "label")
def label(
    session: Session,
    run_id: Id,
    labels: Labels = None,
    remove: Unlabelled = None,
    reason: Reason = None,
) -> None:
    """Set labels of a run; those that are not named stay."""
    run = session.api.get(f"/runs/{run_id}")
    body = {"labels": labelled(run["labels"], labels, remove), "reason": reason}
    made = session.api.patch(f"/runs/{run_id}", body)
    session.out.answer(made, shown(made["labels"]))


@command(app, "prioritise")
def prioritise(
    session: Session,
    run_id: Id,
    priority: Annotated[str, typer.Argument(help="urgent, high, normal or low.")],
    reason: Reason = None,
) -> None:
    """Set a run's place in line for a slot."""
    made = session.api.patch(f"/runs/{run_id}", {"priority": priority, "reason": reason})
    session.out.answer(made, f"run {run_id} has the priority {made['priority']}")


@command(app, "changes")
def changes(session: Session, run_id: Id) -> None:
    """What changed since the last success of its workflow."""
    found = session.api.get(f"/runs/{run_id}/changes")
    if session.out.as_json or found["comparison"] is None:
        session.out.answer(found, "It has never succeeded before.")
        return
    session.out.line(f"Since the run {found['last_success']}:")
    _show(session, found["comparison"])


@command(app, "compare")
def compare(
    session: Session,
    run_id: Id,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another run's id.")],
) -> None:
    """Two runs beside each other, the earlier one first."""
    found = session.api.get(f"/runs/{run_id}/compare/{other}")
    session.out.json(found) if session.out.as_json else _show(session, found)


def _show_plan(session: Session, plan: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(plan)
        return
    session.out.rows(plan["operations"], PLAN, "It has no operations.")
    release = "the run's own release" if plan["same_release"] else "another release than the run's"
    session.out.line(f"by {release}: {plan['digest']}")
    for warning in plan["warnings"]:
        session.out.line(f"note: {warning}")


def _show(session: Session, found: dict[str, Any]) -> None:
    for sentence in found["sentences"]:
        session.out.line(f"- {sentence}")
    session.out.line()
    session.out.rows(found["operations"], OPERATIONS, "They have no operations.")
    for one in found["operations"]:
        if one["slower_by"] is not None and abs(one["slower_by"]) >= 1:
            how = "slower" if one["slower_by"] > 0 else "faster"
            session.out.line(f"{one['operation']} was {seconds(abs(one['slower_by']))} {how}")


def _answer(session: Session, run_id: str, body: dict[str, Any]) -> None:
    made = session.api.post(f"/runs/{run_id}/approvals", body)
    done = "approved" if body["decision"] == "approve" else "rejected"
    session.out.answer(made, f"run {run_id} {done}; it is {made['state']}")
