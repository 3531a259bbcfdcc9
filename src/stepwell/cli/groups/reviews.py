"""`stepwell groups review | approve | reject | hold | releases | compare | rollback`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.client import Client
from stepwell.cli.groups import difference, reviewing
from stepwell.cli.groups.commands import Name, app, known, pairs
from stepwell.cli.options import Reason
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.session import Session, command
from stepwell.errors import Conflict, InvalidInput

RELEASES: Final = {
    "number": "number",
    "created": "created_at",
    "by": "created_by",
    "confirmed by": "confirmed_by",
    "rollback of": "rollback_of",
    "reason": "reason",
}

Discovery = Annotated[
    str | None, typer.Option("--discovery", metavar="ID", help="Default: the newest good one.")
]
Workflows = Annotated[
    list[str] | None, typer.Argument(metavar="WORKFLOW", help="Default: all that changed.")
]


class NothingToReview(Conflict):
    """The group has no discovery with a manifest."""

    code = "nothing-to-review"


class WorkflowNotInReview(InvalidInput):
    """A workflow was named that the review does not have."""

    code = "workflow-not-in-review"


@command(app, "review")
def review(
    session: Session,
    name: Name,
    discovery: Discovery = None,
    back_to: Annotated[
        int | None,
        typer.Option("--back-to", metavar="NUMBER", help="Review a rollback to this release."),
    ] = None,
) -> None:
    """Show what approving the newest discovery would change, and how to decide."""
    found = _of_rollback(session, name, back_to) if back_to else fetch(session, name, discovery)
    if session.out.as_json:
        session.out.json(found)
        return
    reviewing.tell(session.out, found)
    if discovery is None and not back_to:
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


@command(app, "hold")
def hold(
    session: Session,
    name: Name,
    workflows: Workflows = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="INSTANT",
            help="Not offered before it: 2026-12-24T08:00:00+01:00. Default: until decided.",
        ),
    ] = None,
    reason: Reason = None,
    discovery: Discovery = None,
) -> None:
    """Decide later: for all that changed, or for the workflows named."""
    found = fetch(session, name, discovery)
    chosen = workflows or found["pending"]
    decisions = [{**decision(one, "hold", reason), "until": until} for one in chosen]
    _check_names(found, decisions)
    applied = send(session.api, found, decisions, "hold", reason)
    if session.out.as_json:
        session.out.json(applied)
        return
    end = f"until {until}" if until else "until it is decided"
    session.out.line(f"held {end}: {reviewing.listed(list(chosen))}")


@command(app, "releases")
def releases(session: Session, name: Name) -> None:
    """The releases of a group, newest first."""
    known(session, name)
    found = list(session.api.items(f"/groups/{name}/releases"))
    session.out.rows(found, RELEASES, "Nothing was approved yet.")


@command(app, "compare")
def compare(
    session: Session,
    name: Name,
    old: Annotated[int, typer.Argument(metavar="OLD", help="The number of a release.")],
    new: Annotated[int, typer.Argument(metavar="NEW", help="The number of another one.")],
) -> None:
    """Show what one release changed of another."""
    known(session, name)
    found = session.api.get(f"/groups/{name}/releases/{new}/diff", against=old)
    if session.out.as_json:
        session.out.json(found)
        return
    session.out.line(f"{name}: release {new} compared with release {old}")
    for line in difference.lines(found):
        session.out.line(line)


@command(app, "rollback")
def rollback(
    session: Session,
    name: Name,
    to: Annotated[int, typer.Option("--to", metavar="NUMBER", help="An earlier release.")],
    workflows: Workflows = None,
    reason: Reason = None,
) -> None:
    """Put an earlier release in force again, as a new release; or the workflows named of it."""
    found = _of_rollback(session, name, to)
    decisions = [decision(one, "accept", reason) for one in workflows or []]
    _check_names(found, decisions)
    body = _body(found, decisions, "hold" if workflows else "accept", reason)
    applied = session.api.post(f"/groups/{name}/releases/{to}/decisions", body)
    if session.out.as_json:
        session.out.json(applied)
        return
    reviewing.tell_applied(session.out, name, applied)


def _of_rollback(session: Session, name: str, number: int) -> dict[str, Any]:
    known(session, name)
    found: dict[str, Any] = session.api.get(f"/groups/{name}/releases/{number}/review")
    return found


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
    chosen = discovery or newest_good(api, name)
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
    body = _body(found, decisions, rest, reason)
    path = f"/groups/{found['group']}/discoveries/{found['discovery_id']}/decisions"
    applied: dict[str, Any] = api.post(path, body)
    return applied


def _body(
    found: dict[str, Any], decisions: list[dict[str, Any]], rest: str, reason: str | None
) -> dict[str, Any]:
    against = found["release"] or 0
    return {"decisions": decisions, "rest": rest, "against_release": against, "reason": reason}


def _decide(
    session: Session,
    found: dict[str, Any],
    decisions: list[dict[str, Any]],
    rest: str,
    reason: str | None,
) -> None:
    _check_names(found, decisions)
    applied = send(session.api, found, decisions, rest, reason)
    if session.out.as_json:
        session.out.json(applied)
        return
    reviewing.tell_applied(session.out, found["group"], applied)


def _check_names(found: dict[str, Any], decisions: list[dict[str, Any]]) -> None:
    names = [one["workflow"] for one in found["workflows"]]
    for one in decisions:
        new, old = one["workflow"], one.get("renamed_from")
        if new not in names:
            turned = f"Write the new name first: --renamed {old}={new}."
            raise WorkflowNotInReview(
                f"{found['group']!r} has no workflow {new!r} to decide about.",
                fix=turned if old in names else did_you_mean(new, names),
            )


def newest_good(api: Client, name: str) -> str:
    """The id of the newest discovery that has a manifest; raises `NothingToReview`."""
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
