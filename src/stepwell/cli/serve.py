"""`stepwell serve`, `stepwell work` and `stepwell migrate`: the server in production form."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.session import Session, command
from stepwell.errors import SetupError

_PARTS: Final = ("fastapi", "uvicorn", "sqlalchemy", "alembic", "pydantic", "cronsim")


class PartMissing(SetupError):
    """Packages that this command needs are not installed."""

    code = "part-missing"


Database = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="sqlite:///file or postgresql://user:password@host/name."
    ),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Kept copies of groups, logs, secret key.")
]
Launchers = Annotated[
    list[str] | None,
    typer.Option("--launcher", help="A launcher that may start images; repeatable. Default: none."),
]


def needs_server(name: str) -> None:
    """Raise `PartMissing` unless the packages of the extra `server` are installed."""
    missing = [part for part in _PARTS if find_spec(part) is None]
    if missing:
        raise PartMissing(
            f"`stepwell {name}` needs {', '.join(missing)}, not installed here.",
            fix="Run: pip install 'stepwell[server]'",
        )


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    command(app, "serve", remote=False, rich_help_panel=PANEL)(serve)
    command(app, "work", remote=False, rich_help_panel=PANEL)(work)
    command(app, "migrate", remote=False, rich_help_panel=PANEL)(migrate)


PANEL: Final = "Server"


def serve(
    session: Session,
    host: Annotated[str | None, typer.Option("--host", help="Default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Default 8420.")] = None,
    database: Database = None,
    data_dir: DataDir = None,
    launcher: Launchers = None,
    api_only: Annotated[
        bool, typer.Option("--api-only", help="No engine here: another process runs `work`.")
    ] = False,
) -> None:
    """Serve the API and run the server's own steps, until Ctrl-C or SIGTERM.

    Every setting can also be an environment variable: STEPWELL_ and its name in
    capitals. The database must have been migrated (`stepwell migrate`).
    """
    needs_server("serve")
    from stepwell.cli.hosting import host_api  # noqa: PLC0415 - needs what was just looked for

    given = _given(host=host, port=port, database_url=database, data_dir=data_dir)
    host_api(session.out, given | _launchers(launcher), run_engine=not api_only)


def work(
    session: Session,
    database: Database = None,
    data_dir: DataDir = None,
    launcher: Launchers = None,
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="How images reach the API.")
    ] = None,
) -> None:
    """Run the server's own steps without the API, until Ctrl-C or SIGTERM.

    It needs the database, secret key and launchers of the process that serves.
    """
    needs_server("work")
    from stepwell.cli.hosting import host_engine  # noqa: PLC0415

    given = _given(database_url=database, data_dir=data_dir, public_url=public_url)
    host_engine(session.out, given | _launchers(launcher))


def migrate(
    session: Session,
    database: Database = None,
    data_dir: DataDir = None,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the SQL instead of running it.")
    ] = False,
) -> None:
    """Create or upgrade the tables: those of the steps and those of the server."""
    needs_server("migrate")
    from stepwell.cli.hosting import migrate_now, print_migrations  # noqa: PLC0415

    given = _given(database_url=database, data_dir=data_dir)
    (print_migrations if print_only else migrate_now)(session.out, given)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _launchers(names: list[str] | None) -> dict[str, Any]:
    return {"launchers": tuple(names)} if names else {}
