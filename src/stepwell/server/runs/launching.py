"""Starting the container of an attempt: its name, its image, its environment."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from stepwell import clock
from stepwell.errors import StepwellError
from stepwell.launchers.protocol import (
    Condition,
    Handle,
    Launcher,
    LaunchPlan,
    LaunchSpec,
    Plannable,
)
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.runs import tokens
from stepwell.server.runs.line import Row
from stepwell.server.services import Services
from stepwell.telemetry.run_spans import VARIABLE, traceparent, wanted


def name(run_id: UUID, attempt: int) -> str:
    """The launch's name: asking for it twice starts it once."""
    return f"{run_id}-{attempt}"


def start(services: Services, run: Row, group: Group) -> Handle:
    """Start the container of the run's current attempt, unless it was started.

    Raises
    ------
    StepwellError : an `InvalidInput` cannot work later either; others may.
    """
    with services.asking(group.launcher) as launcher:
        return launcher.start(_spec(services, launcher, run, group))


def plan(services: Services, run: Row, group: Group) -> LaunchPlan:
    """What `start` would make, as far as the launcher says. Raises as `start` does."""
    launcher = services.launcher(group.launcher)
    spec = _spec(services, launcher, run, group)
    if isinstance(launcher, Plannable):
        return launcher.plan(spec)
    return LaunchPlan(what=f"1 launch by {group.launcher}", image=spec.image)


def not_started(error: StepwellError) -> str:
    """Why a run fails that cannot be started later either."""
    return f"Its container cannot be started. {error}"


def _spec(services: Services, launcher: Launcher, run: Row, group: Group) -> LaunchSpec:
    left = (run["deadline_at"] - clock.now()).total_seconds()
    return LaunchSpec(
        name=name(run["id"], run["attempt"]),
        image=launcher.locate(group.image, run["digest"]),
        mode="run",
        environment=_environment(services, run, group),
        deadline_seconds=max(left, 1.0),
        options=group.launch_options or {},
    )


def as_kept(condition: Condition | None) -> dict[str, Any] | None:
    """A condition as JSON, for the attempt's row."""
    if condition is None:
        return None
    since = None if condition.since is None else condition.since.isoformat()
    return {
        "code": condition.code,
        "details": dict(condition.details),
        "message": condition.message,
        "since": since,
    }


def kept_condition(attempt: RowMapping) -> Condition | None:
    """The condition that was seen last."""
    kept = attempt["launch_condition"]
    if kept is None:
        return None
    since = None if kept["since"] is None else datetime.fromisoformat(kept["since"])
    return Condition(
        code=kept["code"], details=kept["details"], message=kept["message"], since=since
    )


def _environment(services: Services, run: Row, group: Group) -> dict[str, str]:
    settings = services.settings
    secrets = run["trial"]["with_secrets"] if run["trial"] else True
    parent = traceparent(run["id"], "attempt", run["attempt"])
    return {
        **groups.launch_environment(group, with_secrets=secrets),
        **({VARIABLE: parent} if wanted() else {}),
        "STEPWELL_URL": settings.url_for_images,
        "STEPWELL_RUN_ID": str(run["id"]),
        "STEPWELL_TOKEN": tokens.issue(settings.signing_key, run["id"], run["attempt"]),
    }
