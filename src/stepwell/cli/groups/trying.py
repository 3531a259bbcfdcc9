"""`stepwell groups try | comments | comment`: before somebody decides."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stepwell.cli.groups.commands import Name, app, known
from stepwell.cli.groups.reviews import Discovery, WorkflowNotInReview, newest_good
from stepwell.cli.options import Reason
from stepwell.cli.parameters import Params, did_you_mean, parsed
from stepwell.cli.render import instant
from stepwell.cli.runs.commands import Wait, begun
from stepwell.cli.session import Session, command
from stepwell.cli.workflow import Apart, Named, words


@command(app, "try")
def try_once(
    session: Session,
    workflow: Named,
    apart: Apart = None,
    param: Params = None,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Its container gets the group's secrets.")
    ] = False,
    reason: Reason = None,
    discovery: Discovery = None,
    wait: Wait = False,
) -> None:
    """Run a discovered workflow once, before deciding: it counts nowhere, and its state is
    its own."""
    name, workflow = words(2, workflow, apart)
    known(session, name)
    chosen = discovery or newest_good(session.api, name)
    body = {
        "workflow": workflow,
        "parameters": parsed(param, _schema(session, chosen, workflow)),
        "with_secrets": with_secrets,
        "reason": reason,
    }
    begun(session, session.api.post(f"/groups/{name}/discoveries/{chosen}/trials", body), wait)


@command(app, "comments")
def comments(session: Session, name: Name, discovery: Discovery = None) -> None:
    """What was said about the newest discovery, oldest first."""
    known(session, name)
    chosen = discovery or newest_good(session.api, name)
    found = list(session.api.items(f"/groups/{name}/discoveries/{chosen}/comments", 1000))
    if session.out.as_json:
        session.out.json(found)
        return
    for one in found:
        session.out.line(f"{one['written_by']}, {instant(one['written_at'])}:")
        for line in one["text"].splitlines():
            session.out.line(f"  {line}")
    if not found:
        session.out.line("Nobody has said anything yet.")


@command(app, "comment")
def comment(
    session: Session,
    name: Name,
    text: Annotated[str, typer.Argument(help="What you say.")],
    discovery: Discovery = None,
) -> None:
    """Say something about the newest discovery."""
    known(session, name)
    chosen = discovery or newest_good(session.api, name)
    made = session.api.post(f"/groups/{name}/discoveries/{chosen}/comments", {"text": text})
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.line(f"said by {made['written_by']}")


def _schema(session: Session, discovery: str, workflow: str) -> dict[str, Any]:
    """The parameters of a discovered workflow, so that texts are read as what they are.

    Raises
    ------
    WorkflowNotInReview : the discovery has no such workflow.
    """
    manifest = session.api.get(f"/discoveries/{discovery}")["manifest"]
    entries = {one["name"]: one for one in manifest["workflows"]}
    if workflow not in entries:
        raise WorkflowNotInReview(
            f"Nothing called {workflow!r} was discovered.",
            fix=did_you_mean(workflow, list(entries)),
        )
    found: dict[str, Any] = entries[workflow]["parameters"]
    return found
