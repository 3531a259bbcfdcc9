"""What `serve`, `work` and `migrate` do, once it is known that the packages are there."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from stepwell.cli.render import Output
from stepwell.cli.serving.listener import Listener, bound
from stepwell.cli.serving.migrating import tell_applied
from stepwell.cli.serving.places import make_folder
from stepwell.cli.serving.printing import schema_sql
from stepwell.cli.serving.stopping import until_asked_to_stop, wait_for
from stepwell.cli.serving.supervisor import hold_line, report_ready
from stepwell.cli.serving.worker import LOG_FORMAT
from stepwell.errors import StepwellError
from stepwell.forked import fork
from stepwell.server.access import logins
from stepwell.server.access.developer import is_local
from stepwell.server.app import Server
from stepwell.server.database.session import Database
from stepwell.server.settings import Settings
from stepwell.telemetry.log import log_events, toggle_on_signal


def host_api(
    out: Output, given: Mapping[str, Any], *, run_engine: bool, migrate: bool = False
) -> None:
    """Serve until a signal asks to stop; with `migrate` bring the tables up to date before."""
    settings = Settings.from_environment(**given, run_engine=run_engine)
    if migrate:
        migrate_apart(_prepared(settings))
    held = bound(settings.host, settings.port)
    settings = replace(settings, port=held.getsockname()[1])  # 0 was any free one
    with until_asked_to_stop() as asked, closing(held), _running(settings, held) as server:
        _tell(out, settings, f"stepwell serves {settings.url}")
        tell_first(out, server)
        wait_for(asked)
        out.note("stopping ...")


def host_engine(out: Output, given: Mapping[str, Any]) -> None:
    """Run the server's steps until a signal asks to stop."""
    settings = Settings.from_environment(**given, run_api=False, run_engine=True)
    hold_line()
    with until_asked_to_stop() as asked, _running(settings):
        report_ready()
        _tell(out, settings, f"stepwell works for {settings.url}")
        wait_for(asked)
        out.note("stopping ...")


def migrate_now(out: Output, given: Mapping[str, Any]) -> None:
    """Apply what is missing, and say what that was."""
    database = Database(_prepared(Settings.from_environment(**given)).database)
    try:
        applied = database.migrate()
    finally:
        database.close()
    tell_applied(out, applied)


def migrate_apart(settings: Settings) -> None:
    """Bring the tables up to date in a process whose memory goes with it: the tools for that are
    large. What fails there fails again, and is told, where the server begins."""
    if not hasattr(os, "fork"):
        return
    sys.stdout.flush()
    sys.stderr.flush()

    def migrate() -> int:
        with contextlib.suppress(StepwellError), closing(Database(settings.database)) as database:
            database.migrate()
        return 0

    os.waitpid(fork(migrate), 0)


def print_migrations(out: Output, given: Mapping[str, Any]) -> None:
    """Print the SQL; nothing is made, no database is asked."""
    database = Database(Settings.from_environment(**given).database)
    try:
        sql = schema_sql(database)
    finally:
        database.close()
    out.answer({"sql": sql}, sql)


@contextmanager
def serving(server: Server, on: socket.socket) -> Iterator[Server]:
    """The server for the block, and before anything else of it its HTTP side on a bound socket."""
    listener = Listener(server.app, on)
    try:
        server.start(listener.start)
    except BaseException:
        listener.stop()
        raise
    try:
        yield server
    finally:
        server.end_streams()
        listener.stop()
        server.stop()


@contextmanager
def _running(settings: Settings, on: socket.socket | None = None) -> Iterator[Server]:
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    ends = [log_events(), toggle_on_signal()]
    try:
        server = Server(_prepared(settings))
        with server if on is None else serving(server, on):
            yield server
    finally:
        for end in ends:
            end()


def _prepared(settings: Settings) -> Settings:
    make_folder(settings.data_dir)
    return settings


def _tell(out: Output, settings: Settings, headline: str) -> None:
    engine = "yes" if settings.run_engine else "no: another process must run `stepwell work`"
    out.note(headline)
    out.note(f"  database   {_without_password(settings.database)}")
    out.note(f"  data       {settings.data_dir.resolve()}")
    out.note(f"  engine     {engine}")
    out.note(f"  launchers  {', '.join(settings.launchers) or 'none (see --launcher)'}")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}{at}{place}"


def tell_first(out: Output, server: Server) -> None:
    """How to make the first admin, while there is no user; on the terminal, in no log."""
    secret, settings = logins.setup_secret(server.services), server.settings
    if secret is None:
        return
    out.note("  users      none yet; make the first admin within the hour:")
    # Behind a proxy the secret stays out of addresses, and so of the proxy's log.
    local = is_local(urlsplit(settings.url).hostname)
    page = f"{settings.url}/login?setup={secret}" if local else f"{settings.url}/login"
    for way in [f"open {page}"] * settings.run_ui + [
        f"stepwell users first NAME --secret {secret}"
    ]:
        print(f"             {way}", file=sys.stderr)
