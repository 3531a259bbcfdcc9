"""The tree of commands."""

from __future__ import annotations

from typing import Annotated, Final

import typer

import stepwell
from stepwell.cli import (
    cadence,
    dev,
    discoveries,
    doctor,
    group_check,
    groups,
    limits,
    pools,
    queues,
    rediscovery,
    reports,
    rerunning,
    reviews,
    run,
    runs,
    schedule_labels,
    schedules,
    serve,
    sources,
    state,
    steps,
    tokens,
    upkeep,
    watch,
)
from stepwell.cli import metrics as metrics_command
from stepwell.cli.exits import MEANING

# The first module of a room has its app; the others add their commands to it.
_ROOMS: Final = (
    (groups, reviews, upkeep, rediscovery, group_check),
    (discoveries,),
    (sources,),
    (schedules, cadence, schedule_labels),
    (runs, rerunning),
    (reports,),
    (state,),
    (steps, watch),
    (queues,),
    (limits,),
    (pools,),
    (tokens,),
)


def _epilog() -> str:
    codes = "; ".join(f"{code.value} {meaning}" for code, meaning in MEANING.items())
    return f"Exit codes: {codes}."


app = typer.Typer(
    name="stepwell",
    help="Durable steps in your own program, and the same steps as scheduled workflows.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_epilog(),
)


def _version(wanted: bool) -> None:
    if wanted:
        print(stepwell.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Durable steps in your own program, and the same steps as scheduled workflows."""


dev.register(app)
run.register(app)
serve.register(app)
metrics_command.register(app)
doctor.register(app)
for room, *_ in _ROOMS:
    app.add_typer(room.app)
