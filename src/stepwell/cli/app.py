"""The tree of commands."""

from __future__ import annotations

from typing import Annotated, Final

import typer

import stepwell
from stepwell.cli import (
    audit,
    launchers,
    metrics,
    notifications,
    pools,
    reports,
    retention,
    run,
    sources,
    summary,
    targets,
    workflows,
)
from stepwell.cli.access import login, tokens, users
from stepwell.cli.doctor import commands as doctor
from stepwell.cli.exits import MEANING
from stepwell.cli.groups import check as group_check
from stepwell.cli.groups import commands as groups
from stepwell.cli.groups import (
    discoveries,
    image,
    pending,
    rediscovery,
    reviews,
    seconding,
    trying,
    upkeep,
)
from stepwell.cli.misuse import Commands
from stepwell.cli.runs import bulk, causes, logs, rerunning, results, views, why
from stepwell.cli.runs import commands as runs
from stepwell.cli.schedules import backfills, cadence, calendars, holding, ledgers
from stepwell.cli.schedules import commands as schedules
from stepwell.cli.schedules import labels as schedule_labels
from stepwell.cli.serving import backups, dev, first_run, serve, ui
from stepwell.cli.state import changes as state_changes
from stepwell.cli.state import commands as state
from stepwell.cli.steps import commands as steps
from stepwell.cli.steps import limits, lineage, queues, watch

# The first module of a room has its app; the others add their commands to it.
_ROOMS: Final = (
    (groups, pending, reviews, seconding, trying, upkeep, rediscovery, group_check),
    (image,),
    (discoveries,),
    (workflows,),
    (bulk,),
    (causes,),
    (views,),
    (sources,),
    (launchers,),
    (schedules, cadence, holding, ledgers, schedule_labels),
    (backfills,),
    (calendars,),
    (runs, logs, rerunning, results),
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
    cls=Commands,
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
