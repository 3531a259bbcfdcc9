"""`stepwell notifications`: whom the server tells, of what, and what was sent."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from stepwell.cli.options import Limit, OfGroup, OfWorkflow, Reason
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput

app = typer.Typer(
    name="notifications",
    help="Whom the server tells, and of what: targets, rules, mutes, test, deliveries.",
    no_args_is_help=True,
)
targets = typer.Typer(name="targets", help="Whom the server can tell.", no_args_is_help=True)
rules = typer.Typer(name="rules", help="Who is told of what.", no_args_is_help=True)
mutes = typer.Typer(name="mutes", help="Causes to be silent about.", no_args_is_help=True)
for one in (targets, rules, mutes):
    app.add_typer(one)

PATIENCE: Final = 15.0
"""Seconds that `test` waits for what came of its message."""

TARGETS: Final = {
    "name": "name",
    "kind": "kind",
    "url": "url",
    "by reference": "url_ref",
    "to": "to",
    "warning": "warning",
    "created": "created_at",
    "by": "created_by",
}
RULES: Final = {
    "id": "id",
    "target": "target",
    "kinds": "kinds",
    "group": "group",
    "workflow": "workflow",
    "labels": "labels",
    "every seconds": "every",
}
MUTES: Final = {
    "cause": "cause",
    "what": "sentence",
    "until": "until_at",
    "reason": "reason",
    "by": "muted_by",
}
DELIVERIES: Final = {
    "created": "created_at",
    "target": "target",
    "kind": "kind",
    "state": "state",
    "attempts": "attempts",
    "answer": "answer",
    "next": "next_at",
    "what": "sentence",
}
OCCASIONS: Final = {
    "at": "at",
    "kind": "kind",
    "group": "group",
    "workflow": "workflow",
    "cause": "cause",
    "what": "sentence",
}

Target = Annotated[str, typer.Argument(metavar="TARGET", help="The target's name.")]


@command(targets, "list")
def list_targets(session: Session) -> None:
    """All targets; never their secrets."""
    found = list(session.api.items("/notifications/targets"))
    session.out.rows(found, TARGETS, "There are no targets.")


@command(targets, "add")
def add_target(
    session: Session,
    name: Target,
    kind: Annotated[str, typer.Option("--kind", help="webhook, slack or email.")] = "webhook",
    leads_to: Annotated[str | None, typer.Option("--to-url", help="Where a webhook leads.")] = None,
    reference: Annotated[
        str | None, typer.Option("--url-ref", help="env:NAME, where the URL is a secret.")
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option("--mail", help="An e-mail address; may be repeated.")
    ] = None,
    reason: Reason = None,
) -> None:
    """Add a target; the secret that its webhooks are signed with is printed once."""
    body = {"name": name, "kind": kind, "url": leads_to, "url_ref": reference, "to": to or []}
    made = session.api.post("/notifications/targets", {**body, "reason": reason})
    _secret(session, made, f"The target {name!r} is added.")


@command(targets, "renew-secret")
def renew_secret(session: Session, name: Target, reason: Reason = None) -> None:
    """Sign with another secret from now on; it is printed once."""
    made = session.api.post(f"/notifications/targets/{name}/secrets", {"reason": reason})
    _secret(session, made, f"The target {name!r} has another secret.")


@command(targets, "remove")
def remove_target(session: Session, name: Target, reason: Reason = None) -> None:
    """Tell a target nothing more; its rules go with it."""
    gone = session.api.delete(f"/notifications/targets/{name}", reason=reason)
    session.out.answer(gone, f"The target {name!r} is removed.")


@command(rules, "list")
def list_rules(session: Session) -> None:
    """All rules, newest first."""
    found = list(session.api.items("/notifications/rules"))
    session.out.rows(found, RULES, "There are no rules: nobody is told of anything.")


@command(rules, "add")
def add_rule(
    session: Session,
    target: Target,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="failure, recovery, late, too-long, target-missed, review-waiting or "
            "approval-waiting; may be repeated. All by default.",
        ),
    ] = None,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Only runs with it.")
    ] = None,
    every: Annotated[
        int, typer.Option("--every", help="Seconds until a cause is told again at the soonest.")
    ] = 3600,
    reason: Reason = None,
) -> None:
    """Tell a target of some kinds: of everything, or of a group, a workflow or labels only."""
    body: dict[str, Any] = {"target": target, "group": group, "workflow": workflow}
    body |= {"labels": _labels(label or []), "every": every, "reason": reason}
    made = session.api.post("/notifications/rules", {**body, **({"kinds": kind} if kind else {})})
    session.out.answer(made, f"{target} is told of {', '.join(made['kinds'])}: {made['id']}")


@command(rules, "remove")
def remove_rule(
    session: Session,
    rule: Annotated[str, typer.Argument(metavar="ID", help="The rule's id.")],
    reason: Reason = None,
) -> None:
    """End a rule."""
    session.api.delete(f"/notifications/rules/{rule}", reason=reason)
    session.out.answer({"removed": rule}, "The rule is ended.")


@command(mutes, "list")
def list_mutes(session: Session) -> None:
    """The causes of which nothing is said now."""
    found = [
        {**mute, "until_at": mute["until"]} for mute in session.api.items("/notifications/mutes")
    ]
    session.out.rows(found, MUTES, "Nothing is muted.")


@command(mutes, "add")
def mute(
    session: Session,
    cause: Annotated[str, typer.Argument(help="As in `stepwell metrics causes`.")],
    until: Annotated[str, typer.Option("--until", metavar="INSTANT", help="With its zone.")],
    reason: Annotated[str, typer.Option("--reason", help="Shown to people.")],
) -> None:
    """Say nothing of a cause until an instant."""
    body = {"cause": cause, "until": until, "reason": reason}
    made = session.api.post("/notifications/mutes", body)
    session.out.answer(made, f"Nothing is said of {cause} until {made['until']}.")


@command(mutes, "remove")
def unmute(
    session: Session,
    cause: Annotated[str, typer.Argument(help="As in `stepwell notifications mutes list`.")],
    reason: Reason = None,
) -> None:
    """Speak of a cause again."""
    session.api.delete(f"/notifications/mutes/{quote(cause, safe='/')}", reason=reason)
    session.out.answer({"removed": cause}, f"{cause} is spoken of again.")


@command(app, "test")
def send_test(session: Session, target: Target, reason: Reason = None) -> None:
    """Send a test message, and say what came of it."""
    sent = session.api.post(f"/notifications/targets/{target}/tests", {"reason": reason})
    ends = time.monotonic() + PATIENCE
    while sent["answer"] is None and time.monotonic() < ends:
        time.sleep(0.2)
        sent = session.api.get(f"/notifications/deliveries/{sent['id']}")
    said = sent["answer"] or "The server's own steps have not sent it yet."
    session.out.answer(sent, f"{target}: {sent['state']}. {said}")


@command(app, "deliveries")
def list_deliveries(
    session: Session,
    target: Annotated[str | None, typer.Option("--target", help="Only to this one.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="waiting, sent or failed.")] = None,
    limit: Limit = 20,
) -> None:
    """What was sent, or could not be, newest first."""
    asked = {"target": target, "state": state}
    found = list(session.api.items("/notifications/deliveries", limit=limit, **asked))
    session.out.rows(found, DELIVERIES, "Nothing was sent.")


@command(app, "occasions")
def list_occasions(
    session: Session,
    kind: Annotated[str | None, typer.Option("--kind", help="Only of this kind.")] = None,
    group: OfGroup = None,
    workflow: OfWorkflow = None,
    limit: Limit = 20,
) -> None:
    """What has happened that somebody may want to hear of, newest first."""
    asked = {"kind": kind, "group": group, "workflow": workflow}
    found = list(session.api.items("/notifications/occasions", limit=limit, **asked))
    session.out.rows(found, OCCASIONS, "Nothing has happened.")


def _secret(session: Session, made: dict[str, Any], sentence: str) -> None:
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.note(sentence)
    if made["warning"]:
        session.out.note(made["warning"])
    if made["secret"]:
        session.out.note("Its webhooks are signed with this secret, shown this once:")
        print(made["secret"])


def _labels(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise InvalidInput(f"{key!r} is no label.", fix="Write KEY=VALUE.")
    return {key: value for key, _, value in pairs}
