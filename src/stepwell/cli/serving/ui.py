"""`stepwell ui`: the pages, of a store of your own, or of the server that is known."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from stepwell.cli.client import Client
from stepwell.cli.importing import importing
from stepwell.cli.options import Store
from stepwell.cli.serving.serve import PANEL, needs_server
from stepwell.cli.session import Session, command
from stepwell.cli.steps.reaching import store_or_server
from stepwell.errors import StepwellError

_NO_LINKS = "not-development"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    command(app, "ui", rich_help_panel=PANEL)(ui)


def ui(
    session: Session,
    store: Store = None,
    actions: Annotated[
        bool, typer.Option("--actions/--read-only", help="Let steps be changed, not only seen.")
    ] = False,
    port: Annotated[
        int | None, typer.Option("--port", help="Default: 8421, or a free one if that is taken.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the browser, too.")] = False,
) -> None:
    """Show the steps of a store in the browser, until Ctrl-C; or print the way to the server.

    With --store or STEPWELL_STORE: the steps of a program that embeds the engine. It
    listens on this machine only, and prints a link that lets one browser in, once. Else: the
    address of the server's own pages; of `stepwell dev` a new link.
    """
    found = store_or_server(session, store)
    if isinstance(found, Client):
        address = _way_in(found, session.profile.url)
        if open_it:
            webbrowser.open(address)
        session.out.answer({"url": address}, address)
        return
    needs_server("ui")
    with importing():
        from stepwell.cli.serving.looking_in import look_in  # noqa: PLC0415 - needs what was looked for

    look_in(session.out, found, port, actions=actions, open_it=open_it)


def _way_in(api: Client, url: str) -> str:
    try:
        return str(api.post("/login/links", {})["url"])
    except StepwellError as error:
        if error.code != _NO_LINKS:
            raise
        return f"{url}/login"
