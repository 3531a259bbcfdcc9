"""`stepwell first-run`: how far a new server has come, and a group to try it with."""

from __future__ import annotations

from typing import Any, Final

import typer

from stepwell.cli.session import Session, command

app = typer.Typer(
    name="first-run",
    help="What a new server has and lacks; the demo group.",
    no_args_is_help=True,
)

_COLUMNS: Final = {"": "tick", "task": "task", "what is there": "seen", "how": "command"}


@command(app, "show")
def show(session: Session) -> None:
    """The checklist, as it is now."""
    _tell(session, session.api.get("/first-run"))


@command(app, "load-demo")
def load_demo(session: Session) -> None:
    """Register the demo group: a workflow that is well, one that retries, one that asks."""
    _tell(session, session.api.post("/first-run/demo", {}))


@command(app, "remove-demo")
def remove_demo(session: Session) -> None:
    """Archive the demo group, cancel its runs, and remove them when they have ended."""
    _tell(session, session.api.delete("/first-run/demo"))


def _tell(session: Session, found: dict[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [{**one, "tick": "x" if one["done"] else ""} for one in found["items"]]
    session.out.rows(rows, _COLUMNS, "")
    for fix in filter(None, (one["fix"] for one in found["items"])):
        session.out.note(fix)
    session.out.note(f"the demo group {found['demo_group']!r} is {found['demo']}")
