"""`stepwell limits`: how many steps of a key run at once, and how fast they begin (R20)."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from stepwell.cli.options import Store
from stepwell.cli.session import Session, command
from stepwell.cli.steps.controlling import controls_for
from stepwell.cli.steps.queues import said

app = typer.Typer(
    name="limits",
    help="Limits and rates of steps, per key: set, rate, drop, list.",
    no_args_is_help=True,
)

Key = Annotated[str, typer.Argument(help="The limit_key or rate_key of the steps.")]
Why = Annotated[str | None, typer.Option("--reason", help="Shown to people.")]

COLUMNS: Final = {
    "kind": "kind",
    "key": "key",
    "slots": "slots",
    "per seconds": "period",
    "reason": "reason",
    "by": "changed_by",
    "since": "changed_at",
}


@command(app, "set")
def set_limit(
    session: Session,
    key: Key,
    slots: Annotated[int, typer.Argument(help="How many run at once; 0 lets none run.")],
    store: Store = None,
    reason: Why = None,
) -> None:
    """Let at most so many steps with a limit key run at once."""
    controls_for(session, store).limit(key, slots, reason)
    said(session, key, "limited")


@command(app, "rate")
def set_rate(
    session: Session,
    key: Key,
    count: Annotated[int, typer.Argument(help="How many begin within the period.")],
    store: Store = None,
    per: Annotated[float, typer.Option("--per", help="The period in seconds.")] = 1.0,
    reason: Why = None,
) -> None:
    """Let steps with a rate key begin no faster than that."""
    controls_for(session, store).rate(key, count, per, reason)
    said(session, key, "limited")


@command(app, "drop")
def drop(session: Session, key: Key, store: Store = None) -> None:
    """Forget the limit and the rate of a key."""
    controls = controls_for(session, store)
    dropped = [controls.drop("limit", key), controls.drop("rate", key)]
    said(session, key, "dropped" if any(dropped) else "nothing to drop:")


@command(app, "list")
def list_limits(session: Session, store: Store = None) -> None:
    """All limits and rates, with who set them, and why."""
    found = controls_for(session, store).listed("limit", "rate")
    session.out.rows(found, COLUMNS, "No limits.")
