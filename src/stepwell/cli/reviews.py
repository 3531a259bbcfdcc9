"""`stepwell groups review | approve | reject | releases | rollback`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.text import Text

from stepwell.cli import difference
from stepwell.cli.client import Client
from stepwell.cli.groups import Name, app, known, pairs
from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.render import Output
from stepwell.cli.session import Session, command
from stepwell.errors import Conflict, InvalidInput

RELEASES: Final = {
    "number": "number",
    "created": "created_at",
    "by": "created_by",
    "rollback of": "rollback_of",
    "reason": "reason",
}

Discovery = Annotated[
    str | None, typer.Option("--discovery", metavar="ID", help="Default: the newest good one.")
]
Workflows = Annotated[
    list[str] | None, typer.Argument(metavar="[WORKFLOW]...", help="Default: all that changed.")
]


class NothingToReview(Conflict):
    """The group has no discovery with a manifest."""

    code = "nothing-to-review"


class WorkflowNotInReview(InvalidInput):
    """A workflow was named that the review does not have."""

    code = "workflow-not-in-review"


@command(app, "review")
def review(session: Session, name: Name, discovery: Discovery = None) -> None:
    """Show what approving the newest discovery would change, and how to decide."""
    found = fetch(session, name, discovery)
    if session.out.as_json:
        session.out.json(found)
        return
    tell(session.out, found)
    if discovery is None:
        _tell_failed(session, name)


@command(app, "approve")
def approve(
    session: Session,
    name: Name,
    workflows: Workflows = None,
    renamed: Annotated[
        list[str] | None,
        typer.Option("--renamed", metavar="NEW=OLD", help="NEW continues OLD; NEW= is new."),
    ] = None,
    reason: Reason = None,
    discovery: Discovery = None,
) -> None:
    """Release what was discovered: all of it, or the workflows named."""
    aliases = pairs(renamed)
    named = list(dict.fromkeys([*(workflows or []), *aliases]))
    decisions = [decision(one, "accept", reason) for one in named]
    for one in decisions:
        if one["workflow"] in aliases:
            one["renamed_from"] = aliases[one["workflow"]] or None
    rest = "hold" if workflows else "accept"
    _decide(session, fetch(session, name, discovery), decisions, rest, reason)


@command(app, "reject")
def reject(
    session: Session,
    name: Name,
    workflows: Workflows = None,
    reason: Reason = None,
    discovery: Discovery = None,
) -> None:
    """Keep what is released: for all that changed, or for the workflows named."""
    decisions = [decision(one, "reject", reason) for one in workflows or []]
    rest = "hold" if workflows else "reject"
    _decide(session, fetch(session, name, discovery), decisions, rest, reason)


@command(app, "releases")
def releases(session: Session, name: Name) -> None:
    """The releases of a group, newest first."""
    known(session, name)
    found = list(session.api.items(f"/groups/{name}/releases"))
    session.out.rows(found, RELEASES, "Nothing was approved yet.")


@command(app, "rollback")
def rollback(
    session: Session,
    name: Name,
    to: Annotated[int, typer.Option("--to", metavar="NUMBER", help="An earlier release.")],
    reason: Reason = None,
) -> None:
    """Put an earlier release in force again, as a new release."""
    known(session, name)
    made = session.api.post(f"/groups/{name}/rollbacks", {"to_release": to, "reason": reason})
    if session.out.as_json:
        session.out.json(made)
    session.out.line(f"release {made['number']} of {name} is in force: it is release {to} again")


def decision(workflow: str, choice: str, reason: str | None) -> dict[str, Any]:
    """The choice for one workflow, as the API takes it."""
    return {"workflow": workflow, "decision": choice, "reason": reason}


def fetch(session: Session, name: str, discovery: str | None) -> dict[str, Any]:
    """The review of a discovery; by default of the newest one that has a manifest.

    Raises
    ------
    NothingToReview : there is none.
    """
    known(session, name)
    found: dict[str, Any] = of_newest(session.api, name, discovery)
    return found


def of_newest(api: Client, name: str, discovery: str | None = None) -> dict[str, Any]:
    """The same, for a group that is known to exist."""
    chosen = discovery or _newest_good(api, name)
    found: dict[str, Any] = api.get(f"/groups/{name}/discoveries/{chosen}/diff")
    return found


def accept_all(api: Client, found: dict[str, Any], reason: str | None) -> dict[str, Any]:
    """Accept all that a review shows."""
    return send(api, found, [], "accept", reason)


def send(
    api: Client,
    found: dict[str, Any],
    decisions: list[dict[str, Any]],
    rest: str,
    reason: str | None,
) -> dict[str, Any]:
    """Decide; refused if another release came into force since the review was made."""
    body = {
        "decisions": decisions,
        "rest": rest,
        "against_release": found["release"] or 0,
        "reason": reason,
    }
    path = f"/groups/{found['group']}/discoveries/{found['discovery_id']}/decisions"
    applied: dict[str, Any] = api.post(path, body)
    return applied


def tell(out: Output, found: dict[str, Any]) -> None:
    """The difference, what it would do to what lives, and the commands that decide."""
    against = f"release {found['release']}" if found["release"] else "nothing: no release yet"
    out.line(f"{found['group']}: discovery {found['discovery_id']} compared with {against}")
    for line in difference.lines(found):
        out.line(line)
    for effect in found["effects"]:
        out.line(Text(f"  effect: {effect['sentence']}", style="cyan"))
    for risk in found["risks"]:
        out.line(Text(f"  risk: {risk['sentence']}", style="bold red"))
    for workflow in found["workflows"]:
        if workflow.get("decided"):
            out.line(_decided(workflow))
    _tell_commands(out, found)


def tell_applied(out: Output, group: str, applied: dict[str, Any]) -> None:
    """What came of decisions."""
    if applied["changed"]:
        number = applied["release"]["number"]
        out.line(f"release {number} of {group} is in force: {_list(applied['accepted'])}")
    else:
        out.line(f"nothing changes in {group}")
    if applied["kept"]:
        out.line(f"kept as they were: {_list(applied['kept'])}")


def _decide(
    session: Session,
    found: dict[str, Any],
    decisions: list[dict[str, Any]],
    rest: str,
    reason: str | None,
) -> None:
    names = [one["workflow"] for one in found["workflows"]]
    for one in decisions:
        if one["workflow"] not in names:
            raise WorkflowNotInReview(
                f"{found['group']!r} has no workflow {one['workflow']!r} to decide about.",
                fix=did_you_mean(one["workflow"], names),
            )
    applied = send(session.api, found, decisions, rest, reason)
    if session.out.as_json:
        session.out.json(applied)
        return
    tell_applied(session.out, found["group"], applied)


def _newest_good(api: Client, name: str) -> str:
    for found in api.items(f"/groups/{name}/discoveries", 100):
        if found["state"] == "succeeded":
            return str(found["id"])
    raise NothingToReview(
        f"The group {name!r} has nothing to review.",
        why="None of its discoveries has succeeded.",
        fix=f"See `stepwell discoveries list {name}`, mend it, `stepwell groups discover {name}`.",
    )


def _tell_failed(session: Session, name: str) -> None:
    """What was found last may be broken; then the review is of what was found before it."""
    newest = session.api.get(f"/groups/{name}/discoveries", limit=1)["items"][0]
    if newest["state"] == "failed":
        what = (newest["error"] or {}).get("what", "")
        session.out.note(f"a newer discovery failed: {what}")
        session.out.note(f"  stepwell discoveries show {newest['id']}")


def _decided(workflow: dict[str, Any]) -> str:
    made = workflow["decided"]
    because = f": {made['reason']}" if made["reason"] else ""
    return (
        f"  {workflow['workflow']} was decided by {made['decided_by']}: {made['decision']}{because}"
    )


def _tell_commands(out: Output, found: dict[str, Any]) -> None:
    if not found["pending"]:
        out.line("nothing waits for a decision")
        return
    name, first = found["group"], found["pending"][0]
    commands = {f"approve {name}": "all of it"}
    if len(found["pending"]) > 1:
        commands[f"approve {name} {first}"] = "only that; the rest waits"
    commands[f"reject {name} --reason ..."] = "keep what is in force"
    width = max(map(len, commands))
    out.line(f"waiting for a decision: {_list(found['pending'])}")
    for text, meaning in commands.items():
        out.line(f"  stepwell groups {text.ljust(width)}   {meaning}")


def _list(names: list[str]) -> str:
    return ", ".join(names)
