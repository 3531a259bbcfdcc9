"""`stepwell dev`: the whole server in one process, for one developer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stepwell.cli.groups.commands import pairs
from stepwell.cli.importing import importing
from stepwell.cli.serving.serve import PANEL, needs_server
from stepwell.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    command(app, "dev", remote=False, rich_help_panel=PANEL)(dev)


def dev(
    session: Session,
    path: Annotated[
        Path,
        typer.Argument(help="A Python file, a package, or a folder of them; else this one."),
    ] = Path(),
    data_dir: Annotated[
        Path, typer.Option("--data-dir", help="Database, kept copies, logs, token.")
    ] = Path(".stepwell"),
    port: Annotated[
        int | None, typer.Option("--port", help="Default: 8420, or a free one if that is taken.")
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve whatever is discovered, without a review.")
    ] = False,
    env: Annotated[
        list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="What the groups get.")
    ] = None,
) -> None:
    """Serve, run and reload the workflow groups under PATH, until Ctrl-C.

    Server, engine and process launcher in one process on SQLite. When a file
    changes, its group is discovered again; a broken one keeps its old release.
    """
    needs_server("dev")
    with importing():
        from stepwell.cli.serving.developing import Development  # noqa: PLC0415 - needs what was looked for

    Development(session.out, path, data_dir, port, approve=approve, environment=pairs(env)).run()
