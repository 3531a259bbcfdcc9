"""`stepwell queues`: pause and resume the queues of a store."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from stepwell.cli.session import Session, command
from stepwell.engine import StepClient
from stepwell.stores import open_store
from stepwell.stores.controls import ControlKind

app = typer.Typer(
    name="queues", help="Queues of a store: pause, resume, list pauses.", no_args_is_help=True
)

Store = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="STEPWELL_STORE",
        metavar="URL",
        help="sqlite:///file or postgresql://...",
    ),
]
Queue = Annotated[str, typer.Argument(help="The queue's name.")]

COLUMNS: Final = {"queue": "key", "reason": "reason", "by": "changed_by", "since": "changed_at"}


def client(store: str) -> StepClient:
    """The handle on a store of one's own."""
    return StepClient(open_store(store))


def listed(store: str, *kinds: ControlKind) -> list[dict[str, Any]]:
    """The controls of these kinds as JSON objects."""
    found = [one for one in client(store).controls() if one.kind in kinds]
    fields = ("kind", "key", "slots", "period", "reason", "changed_by", "changed_at")
    return [{name: _plain(getattr(one, name)) for name in fields} for one in found]


def said(session: Session, key: str, what: str) -> None:
    """That it was done, for people or for programs."""
    session.out.json({"key": key, "action": what}) if session.out.as_json else print(what, key)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


@command(app, "pause", remote=False)
def pause(
    session: Session,
    queue: Queue,
    store: Store,
    reason: Annotated[str, typer.Option("--reason", help="Shown to people.")],
) -> None:
    """Let no engine claim from a queue; engines obey within a second."""
    client(store).pause(queue, reason)
    said(session, queue, "paused")


@command(app, "resume", remote=False)
def resume(session: Session, queue: Queue, store: Store) -> None:
    """Let engines claim from a queue again."""
    resumed = client(store).resume(queue)
    said(session, queue, "resumed" if resumed else "not paused:")


@command(app, "list", remote=False)
def list_pauses(session: Session, store: Store) -> None:
    """The queues that are paused, with who, why and since when."""
    session.out.rows(listed(store, ControlKind.PAUSE), COLUMNS, "No queue is paused.")
