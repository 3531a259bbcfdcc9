"""`stepwell backup` and `stepwell restore`: a copy of the database, while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stepwell.cli.serving.serve import PANEL, Database, DataDir, needs_server
from stepwell.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    command(app, "backup", remote=False, rich_help_panel=PANEL)(backup)
    command(app, "restore", remote=False, rich_help_panel=PANEL)(restore)


def backup(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Where the copy goes; it must not exist.")],
    database: Database = None,
    data_dir: DataDir = None,
) -> None:
    """Copy a SQLite database as it is at one moment; the server may go on meanwhile.

    PostgreSQL has its own tool for that, which the refusal names. The secret key and
    what lies beside the database in the data folder are to be copied after it.
    """
    needs_server("backup")
    from stepwell.cli.serving.copying import copy_out  # noqa: PLC0415 - needs what was just looked for

    made = copy_out(_given(database, data_dir), file)
    session.out.answer(made, f"{file} has {made['bytes']:,} bytes, and is whole.")


def restore(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(help="A copy; without it, what must follow `pg_restore`.")
    ] = None,
    database: Database = None,
    data_dir: DataDir = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the copy in the place of what is there.")
    ] = False,
) -> None:
    """Put a copy back, and end the sessions and links that may have ended since it was made.

    Stop every server and worker first.
    """
    needs_server("restore")
    from stepwell.cli.serving.copying import after_restore, copy_in  # noqa: PLC0415

    given = _given(database, data_dir)
    if file is not None:
        copy_in(given, file, replace=replace)
    told = after_restore(given)
    words = "Sessions and links have ended. Tokens that were revoked since are good again: "
    session.out.answer(told, words + "see `stepwell tokens list`.")


def _given(database: Any, data_dir: Any) -> dict[str, Any]:
    given = {"database_url": database, "data_dir": data_dir}
    return {name: value for name, value in given.items() if value is not None}
