"""`stepwell groups proposals | confirm | refuse`: where two reviewers are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.groups import reviewing
from stepwell.cli.groups.commands import Name, app, known
from stepwell.cli.options import Reason
from stepwell.cli.session import Session, command
from stepwell.errors import NotFound

PROPOSALS: Final = {
    "id": "id",
    "state": "state",
    "of": "of",
    "workflows": "workflows",
    "by": "requested_by",
    "since": "requested_at",
    "ended by": "ended_by",
    "release": "release",
    "reason": "reason",
}

Proposal = Annotated[
    str | None, typer.Option("--proposal", metavar="ID", help="Default: the one that is open.")
]


class NothingProposed(NotFound):
    """No proposal of the group waits."""

    code = "nothing-proposed"


@command(app, "proposals")
def proposals(session: Session, name: Name) -> None:
    """What reviewers have proposed, newest first."""
    known(session, name)
    found = list(session.api.items(f"/groups/{name}/proposals"))
    session.out.rows(found, PROPOSALS, "Nothing was proposed.", _row)


@command(app, "confirm")
def confirm(session: Session, name: Name, proposal: Proposal = None, reason: Reason = None) -> None:
    """Put in force what another reviewer has proposed."""
    chosen = proposal or _open(session, name)
    path = f"/groups/{name}/proposals/{chosen}/confirmations"
    applied = session.api.post(path, {"reason": reason})
    if session.out.as_json:
        session.out.json(applied)
        return
    reviewing.tell_applied(session.out, name, applied)


@command(app, "refuse")
def refuse(session: Session, name: Name, proposal: Proposal = None, reason: Reason = None) -> None:
    """Refuse a proposal, or take back your own."""
    chosen = proposal or _open(session, name)
    ended = session.api.post(f"/groups/{name}/proposals/{chosen}/refusals", {"reason": reason})
    if session.out.as_json:
        session.out.json(ended)
        return
    session.out.line(f"the proposal of {ended['requested_by']} is refused; nothing changes")


def _open(session: Session, name: str) -> str:
    known(session, name)
    for found in session.api.items(f"/groups/{name}/proposals"):
        if found["state"] == "open":
            return str(found["id"])
    raise NothingProposed(
        f"No proposal waits in the group {name!r}.", fix=f"See `stepwell groups proposals {name}`."
    )


def _row(proposal: Mapping[str, Any]) -> dict[str, Any]:
    back = proposal["to_release"]
    of = f"release {back}" if back else f"discovery {proposal['discovery_id'][:8]}"
    accepted = [one["workflow"] for one in proposal["decisions"] if one["decision"] == "accept"]
    return {**proposal, "of": of, "workflows": accepted}
