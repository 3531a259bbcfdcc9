"""`stepwell causes`: what fails, by cause."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

import typer

from stepwell.cli.options import Limit, Reason
from stepwell.cli.session import Session, command
from stepwell.clock import now

app = typer.Typer(
    name="causes", help="Failures by cause: list, mute, unmute.", no_args_is_help=True
)

COLUMNS: Final = {
    "cause": "fingerprint",
    "runs": "runs",
    "what": "sentence",
    "first": "first_seen",
    "last": "last_seen",
    "since release": "started_after",
}

Cause = Annotated[str, typer.Argument(metavar="CAUSE", help="Its fingerprint.")]


@command(app, "list")
def list_causes(
    session: Session,
    limit: Limit = 20,
    muted: Annotated[bool, typer.Option("--muted", help="Those too that are muted.")] = False,
) -> None:
    """What failed in the last seven days, the cause seen last first."""
    found = list(session.api.items("/causes", limit, muted=muted))
    session.out.rows(found, COLUMNS, "Nothing is failing.")


@command(app, "mute")
def mute(
    session: Session,
    cause: Cause,
    reason: Annotated[str, typer.Option("--reason", help="Why nobody need look.")],
    days: Annotated[float, typer.Option("--days", min=0.01, help="For so many days.")] = 7.0,
) -> None:
    """Do not show a cause for a while."""
    body = {"until": (now() + timedelta(days=days)).isoformat(), "reason": reason}
    made = session.api.post(f"/causes/{cause}/mutes", body)
    session.out.answer(made, f"{cause} is not shown until {made['until']}")


@command(app, "unmute")
def unmute(session: Session, cause: Cause, reason: Reason = None) -> None:
    """Show a cause again."""
    session.api.delete(f"/causes/{cause}/mutes", reason=reason)
    session.out.answer({}, f"{cause} is shown again")
