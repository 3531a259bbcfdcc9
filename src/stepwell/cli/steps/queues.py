"""`stepwell queues`: pause and resume the queues of a store, or of a server."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Store
from stepwell.cli.session import Session, command
from stepwell.cli.steps.controlling import controls_for

app = typer.Typer(
    name="queues",
    help="Queues of a store or a server: pause, resume, list pauses.",
    no_args_is_help=True,
)

Queue = Annotated[str, typer.Argument(help="The queue's name.")]

COLUMNS: Final = {"queue": "key", "reason": "reason", "by": "changed_by", "since": "changed_at"}


def said(session: Session, key: str, what: str) -> None:
    """That it was done, for people or for programs."""
    session.out.json({"key": key, "action": what}) if session.out.as_json else print(what, key)


@command(app, "pause")
def pause(
    session: Session,
    queue: Queue,
    reason: Annotated[str, typer.Option("--reason", help="Shown to people.")],
    store: Store = None,
) -> None:
    """Let no engine claim from a queue; engines obey within a second."""
    controls_for(session, store).pause(queue, reason)
    said(session, queue, "paused")


@command(app, "resume")
def resume(
    session: Session,
    queue: Queue,
    reason: Annotated[str | None, typer.Option("--reason", help="For the audit log.")] = None,
    store: Store = None,
) -> None:
    """Let engines claim from a queue again."""
    resumed = controls_for(session, store).drop("pause", queue, reason)
    said(session, queue, "resumed" if resumed else "not paused:")


@command(app, "list")
def list_pauses(session: Session, store: Store = None) -> None:
    """The queues that are paused, with who, why and since when."""
    found: list[dict[str, Any]] = controls_for(session, store).listed("pause")
    session.out.rows(found, COLUMNS, "No queue is paused.")
