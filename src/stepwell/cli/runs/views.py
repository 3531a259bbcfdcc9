"""`stepwell views`: queries under a name, private or shared."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from stepwell.cli.session import Session, command

app = typer.Typer(
    name="views", help="Saved views: list, save, remove, choose.", no_args_is_help=True
)

COLUMNS: Final = {
    "id": "key",
    "name": "name",
    "query": "query",
    "owner": "owner",
    "shared": "shared",
    "default": "default",
}


@command(app, "list")
def list_views(session: Session) -> None:
    """The views of runs: those built in, your own, and those that others share."""
    found = [
        one | {"key": one["id"] or one["builtin"]} for one in session.api.get("/views")["items"]
    ]
    session.out.rows(found, COLUMNS, "There are none.")


@command(app, "save")
def save(
    session: Session,
    name: Annotated[str, typer.Argument(help="How it is called.")],
    query: Annotated[str, typer.Argument(help="A query of runs: state:failed since:2h")],
    shared: Annotated[bool, typer.Option("--shared", help="For all users.")] = False,
) -> None:
    """Save a query as a view."""
    made = session.api.post("/views", {"name": name, "query": query, "shared": shared})
    session.out.answer(made, f"saved {made['name']}: {made['id']}")


@command(app, "remove")
def remove(
    session: Session, view: Annotated[str, typer.Argument(metavar="ID", help="See `views list`.")]
) -> None:
    """Remove a view."""
    session.api.delete(f"/views/{view}")
    session.out.answer({}, f"removed {view}")


@command(app, "choose")
def choose(
    session: Session,
    view: Annotated[str, typer.Argument(metavar="ID", help="An id, or failing, waiting, ...")],
) -> None:
    """Make a view the one that comes first for you."""
    key = "view_id" if len(view) == 36 else "builtin"
    found = session.api.put("/views/default", {key: view})
    session.out.answer(found, f"{view} comes first")
