"""`stepwell retention`: for how long things are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.options import Reason
from stepwell.cli.render import instant
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput

app = typer.Typer(
    name="retention", help="For how long things are kept: list, preview, set.", no_args_is_help=True
)

COLUMNS: Final = {
    "kind": "kind",
    "days": "days",
    "default": "default_days",
    "by": "changed_by",
    "what": "what",
}
FIELDS: Final = {**COLUMNS, "reason": "reason"}

Kind = Annotated[str, typer.Argument(help="As `stepwell retention list` names it.")]


@command(app, "list")
def list_policies(session: Session) -> None:
    """For how long each kind of things is kept; no days is for ever."""
    session.out.rows(session.api.get("/retention")["items"], COLUMNS, "")


@command(app, "preview")
def preview(
    session: Session,
    kind: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="As if they were kept for so many days.")
    ] = None,
) -> None:
    """What the next sweeps would remove; nothing is removed."""
    found = session.api.get("/retention/preview", kind=kind or None, days=days)["items"]
    columns = {"kind": "kind", "over before": "until", "would go": "shown"}
    session.out.rows(found, columns, "", _prospect)


@command(app, "set")
def decide(
    session: Session,
    kind: Kind,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="It is kept for so many days.")
    ] = None,
    for_ever: Annotated[bool, typer.Option("--for-ever", help="It is never removed.")] = False,
    default: Annotated[
        bool, typer.Option("--default", help="Back to what the settings say.")
    ] = False,
    reason: Reason = None,
) -> None:
    """Keep a kind for longer or shorter than the settings say; needs a reason."""
    if [days is not None, for_ever, default].count(True) != 1:
        raise InvalidInput("It is not clear what to do.", fix="--days, --for-ever or --default.")
    if default:
        session.out.record(session.api.delete(f"/retention/{kind}", reason=reason), FIELDS)
        return
    body = {"days": days, "reason": reason or ""}
    session.out.record(session.api.patch(f"/retention/{kind}", body), FIELDS)


@command(app, "keep")
def keep(
    session: Session,
    run: Annotated[str, typer.Argument(help="The run's id.")],
    release: Annotated[
        bool, typer.Option("--release", help="Let the policy decide again.")
    ] = False,
    reason: Reason = None,
) -> None:
    """Keep a run whatever the policy says; needs a reason."""
    if release:
        session.out.record(session.api.delete(f"/runs/{run}/keeps", reason=reason), _MARK)
        return
    session.out.record(session.api.post(f"/runs/{run}/keeps", {"reason": reason or ""}), _MARK)


def _prospect(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """As people read it: an instant to the second, and that there may be more."""
    until = None if one["before"] is None else instant(one["before"])
    return {**one, "until": until, "shown": f"{one['count']:,}{'+' if one['more'] else ''}"}


_MARK: Final = {"run": "run_id", "reason": "reason"}
