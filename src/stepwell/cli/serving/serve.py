"""`stepwell serve`, `stepwell work` and `stepwell migrate`: the server in production form."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from stepwell.cli.importing import importing
from stepwell.cli.options import STORE_HELP
from stepwell.cli.render import Output
from stepwell.cli.serving.app_target import VARIABLE
from stepwell.cli.serving.migrating import migrate_store
from stepwell.cli.serving.worker import words_for, work_here, work_in_processes
from stepwell.cli.session import Session, command
from stepwell.errors import InvalidInput, SetupError

_DATABASE: Final = "STEPWELL_DATABASE_URL"
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


def needs_server(name: str, otherwise: str = "") -> None:
    """Raise `PartMissing` unless the packages of the extra `server` are installed.

    Parameters
    ----------
    otherwise : how to do without them.
    """
    missing = [part for part in _PARTS if find_spec(part) is None]
    if missing:
        raise PartMissing(
            f"`stepwell {name}` needs {', '.join(missing)}, not installed here.",
            fix=f"Run: pip install 'stepwell[server]'. {otherwise}".rstrip(),
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
    no_engine: Annotated[
        bool, typer.Option("--no-engine", help="No engine here: another process runs `work`.")
    ] = False,
    api_only: Annotated[
        bool, typer.Option("--api-only", help="Neither engine nor pages: the API alone.")
    ] = False,
    migrate_first: Annotated[
        bool, typer.Option("--migrate", help="Create or upgrade the tables before: for one server.")
    ] = False,
) -> None:
    """Serve pages and API, and run the server's own steps, until Ctrl-C or SIGTERM.

    Every setting can also be an environment variable: STEPWELL_ and its name in
    capitals. The database must have been migrated (`stepwell migrate`, or --migrate).
    """
    needs_server("serve")
    with importing():
        from stepwell.cli.serving.hosting import host_api  # noqa: PLC0415 - needs what was just looked for

    given = _given(host=host, port=port, database_url=database, data_dir=data_dir)
    given |= {"run_ui": False} if api_only else {}
    engine = not (api_only or no_engine)
    host_api(session.out, given | _launchers(launcher), run_engine=engine, migrate=migrate_first)


def work(
    session: Session,
    app: Annotated[
        str | None,
        typer.Argument(
            metavar="MODULE:NAME",
            help="Your Engine, your Registry, or a function that makes one; "
            "without it, the server's own steps are run.",
        ),
    ] = None,
    store: Annotated[str | None, typer.Option("--store", metavar="URL", help=STORE_HELP)] = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Worker processes; dead ones are replaced.")
    ] = 1,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Steps at once in each process. Default: 8, or the sum of the shares.",
        ),
    ] = None,
    queues: Annotated[
        str | None,
        typer.Option(
            "--queues",
            metavar="A,B",
            help="Default: the queue default. A=6,B=2 gives each its share of the workers.",
        ),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port", help="For Prometheus; worker n serves on the n-th port from here."
        ),
    ] = None,
    database: Database = None,
    data_dir: DataDir = None,
    launcher: Launchers = None,
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="How images reach the API.")
    ] = None,
) -> None:
    """Run the steps of your own program, or the server's own, until Ctrl-C or SIGTERM.

    `stepwell work shop.steps:registry --store URL --processes 2` runs your handlers.
    Without MODULE:NAME it runs the server's own steps without the API, and needs the
    database, secret key and launchers of the process that serves. SIGTERM lets running
    steps end; SIGUSR1 logs every event for ten minutes, or until the next one.
    """
    server = _given(data_dir=data_dir, launcher=launcher, public_url=public_url)
    own = _given(store=store, workers=workers, queues=queues, metrics_port=metrics_port)
    if app is None:
        _refuse_with(own, "the server's own steps", "Name your program: MODULE:NAME.")
        _work_for_server(session.out, server | _given(database_url=database), processes)
        return
    _refuse_with(server, "a program of your own", "Leave it out; it is of the server.")
    named = tuple(part.strip() for part in (queues or "").split(",") if part.strip())
    where = store or database
    if processes == 1:
        work_here(session.out, app, where, workers, named, metrics_port)
        return
    words = words_for(app, workers, named, metrics_port)
    work_in_processes(session.out, words, {VARIABLE: where} if where else {}, processes)


def _work_for_server(out: Output, given: dict[str, Any], processes: int) -> None:
    needs_server("work", "Steps of your own program need no server: name MODULE:NAME.")
    with importing():
        from stepwell.cli.serving.hosting import host_engine  # noqa: PLC0415

    launchers = given.pop("launcher", None)
    if processes == 1:
        host_engine(out, given | _launchers(launchers))
        return
    names = {"STEPWELL_LAUNCHERS": ",".join(launchers)} if launchers else {}
    environment = {f"STEPWELL_{name.upper()}": str(value) for name, value in given.items()}
    work_in_processes(out, [], environment | names, processes)


def _refuse_with(given: dict[str, Any], what: str, fix: str) -> None:
    if given:
        name = next(iter(given)).replace("_", "-")
        raise InvalidInput(f"--{name} does not go with {what}.", fix=fix)


def migrate(
    session: Session,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="Only the steps' tables, in this store; else STEPWELL_STORE, where nothing "
            "names a server's database.",
        ),
    ] = None,
    database: Database = None,
    data_dir: DataDir = None,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the SQL instead of running it.")
    ] = False,
) -> None:
    """Create or upgrade the tables: those of the steps and those of the server.

    With --store or STEPWELL_STORE those of the steps alone: what a program that embeds the
    engine needs.
    """
    server = _given(database=database, data_dir=data_dir)
    if store is not None:
        _refuse_with(server, "--store", "Give one of them.")
    own = store or (None if server or os.environ.get(_DATABASE) else os.environ.get(VARIABLE))
    if own:
        migrate_store(session.out, own, print_only=print_only)
        return
    needs_server("migrate", "Steps of your own program need no server: give --store URL.")
    with importing():
        from stepwell.cli.serving.hosting import migrate_now, print_migrations  # noqa: PLC0415

    given = _given(database_url=database, data_dir=data_dir)
    (print_migrations if print_only else migrate_now)(session.out, given)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _launchers(names: list[str] | None) -> dict[str, Any]:
    return {"launchers": tuple(names)} if names else {}
