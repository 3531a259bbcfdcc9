"""The tree of commands."""

from __future__ import annotations

from typing import Annotated, Final

import typer

import stepwell
from stepwell.cli import (
    audit,
    backfills,
    backups,
    bulk,
    cadence,
    calendars,
    causes,
    dev,
    discoveries,
    doctor,
    first_run,
    group_check,
    groups,
    holding,
    image,
    ledgers,
    limits,
    lineage,
    login,
    logs,
    metrics,
    notifications,
    pools,
    queues,
    rediscovery,
    reports,
    rerunning,
    retention,
    reviews,
    run,
    runs,
    schedule_labels,
    schedules,
    seconding,
    serve,
    sources,
    state,
    state_changes,
    steps,
    summary,
    targets,
    tokens,
    trying,
    ui,
    upkeep,
    users,
    views,
    watch,
    why,
    workflows,
)
from stepwell.cli.exits import MEANING

# The first module of a room has its app; the others add their commands to it.
_ROOMS: Final = (
    (groups, reviews, seconding, trying, upkeep, rediscovery, group_check),
    (image,),
    (discoveries,),
    (workflows,),
    (bulk,),
    (causes,),
    (views,),
    (sources,),
    (schedules, cadence, holding, ledgers, schedule_labels),
    (backfills,),
    (calendars,),
    (runs, logs, rerunning),
    (reports,),
    (metrics,),
    (targets,),
    (notifications,),
    (state, state_changes),
    (steps, watch, lineage),
    (queues,),
    (limits,),
    (pools,),
    (tokens,),
    (users,),
    (audit,),
    (first_run,),
    (retention,),
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
ui.register(app)
doctor.register(app)
why.register(app)
summary.register(app)
backups.register(app)
login.register(app)
for room, *_ in _ROOMS:
    app.add_typer(room.app)
