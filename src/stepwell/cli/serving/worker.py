"""What `stepwell work` does: a program's own engine here, or several in processes of their own."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

import typer

from stepwell.cli.exits import Exit
from stepwell.cli.render import Output
from stepwell.cli.serving.app_target import load_engine
from stepwell.cli.serving.stopping import until_asked_to_stop, wait_for
from stepwell.cli.serving.supervisor import (
    Supervisor,
    child_index,
    hold_line,
    is_child,
    report_ready,
)
from stepwell.engine import Engine
from stepwell.errors import SetupError
from stepwell.telemetry.log import log_events, toggle_on_signal

LOG_FORMAT: Final = "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"


class MetricsUnavailable(SetupError):
    """The metrics cannot be served."""

    code = "metrics-unavailable"


def work_here(
    out: Output,
    target: str,
    store: str | None,
    workers: int | None,
    queues: Sequence[str],
    metrics_port: int | None,
) -> None:
    """Run the engine in this process until SIGTERM or SIGINT.

    Raises
    ------
    AppInvalid, NoStore, SetupError : nothing has started.
    """
    hold_line()
    engine = load_engine(target, store, workers, tuple(queues))
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    log_events()
    toggle_on_signal()
    if metrics_port is not None:
        serve_metrics(engine, metrics_port + child_index())
    spare_the_program()
    # Asked to stop from before it starts: a signal in between must not end it on the spot.
    with until_asked_to_stop() as asked, engine:
        report_ready()
        if not is_child():
            out.note(f"stepwell works for {target}; Ctrl-C stops it")
        wait_for(asked)


def spare_the_program() -> None:
    """Let the garbage collector pass over what was imported: it lives as long as the process.

    Steps are many objects that live for a moment, after which Python looks through all that
    there are: a tenth of the processor time of a handler that does nothing.
    """
    gc.collect()
    gc.freeze()


def work_in_processes(
    out: Output, words: Sequence[str], environment: Mapping[str, str], count: int
) -> None:
    """Run `stepwell work` with these words in `count` processes, until it is asked to stop.

    Raises
    ------
    typer.Exit : with the code of a worker that cannot work.
    """
    command = [sys.executable, "-m", "stepwell.cli", "work", *words]
    supervisor = Supervisor(command, {**os.environ, **environment}, count, out.note)
    code = supervisor.run()
    if code is not Exit.OK:
        raise typer.Exit(code)


def words_for(
    target: str, workers: int | None, queues: Sequence[str], metrics_port: int | None
) -> list[str]:
    """The command's words for a child; the store goes by its environment, for it has a password."""
    options = {"--workers": workers, "--metrics-port": metrics_port}
    given = [[name, str(value)] for name, value in options.items() if value is not None]
    named = [["--queues", ",".join(queues)]] if queues else []
    return [target, *(word for pair in [*given, *named] for word in pair)]


def serve_metrics(engine: Engine, port: int) -> None:
    """Serve this process's metrics, and from the first worker the store's counts too.

    Raises
    ------
    MetricsUnavailable : prometheus-client is not installed, or the port is taken.
    """
    if find_spec("prometheus_client") is None:
        raise MetricsUnavailable(
            "--metrics-port needs prometheus-client, not installed here.",
            fix="Run: pip install 'stepwell[prometheus]'",
        )
    from prometheus_client import start_http_server  # noqa: PLC0415 - as just looked for

    from stepwell.telemetry.prometheus import measure_events, measure_store  # noqa: PLC0415

    measure_events()
    if child_index() == 0:
        measure_store(engine.store)
    try:
        start_http_server(port)
    except OSError as error:
        raise MetricsUnavailable(
            f"The port {port} cannot be listened on.",
            why=str(error.strerror or error),
            fix="Give another with --metrics-port; worker n takes the n-th port from there.",
        ) from error
