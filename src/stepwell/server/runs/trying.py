"""What starting a run would do: everything is checked, its launcher is asked, nothing is started.

The run is begun as `start_run` begins it, and its launch is specified as its supervisor
specifies it; neither is written, nor made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.requests import Request

from stepwell.errors import InvalidInput, StepwellError
from stepwell.launchers import amounts
from stepwell.launchers.protocol import Condition, LaunchPlan
from stepwell.server.access.records import Role, User
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.http import require, services_of
from stepwell.server.runs import launching, service
from stepwell.server.runs.observing import foresee
from stepwell.server.runs.records import NewRun
from stepwell.server.runs.wishes import Wishes
from stepwell.server.services import Services
from stepwell.server.waiting import service as waiting
from stepwell.step import Step

Operator = Annotated[User, Depends(require(Role.OPERATOR))]


class Hold(BaseModel):
    """What it would wait for: one of the codes of *why does it wait*, in words, until when."""

    code: str
    sentence: str
    changes: str


class Launch(BaseModel):
    """What would be launched, as far as its launcher says.

    `image` is exactly what would run; `requests` is what it asks for, `limits` what it may have
    at most: resource -> amount. `notes` are sentences.
    """

    image: str
    requests: dict[str, str]
    limits: dict[str, str]
    notes: list[str]


class RunPlan(BaseModel):
    """What would be started. `parameters` are complete: with their defaults.

    `sentence` says in words what would be launched; `launch` is null where it cannot be.
    `deadline` in seconds; `approvals` are the operations that will wait for a reviewer;
    `pool` and `limits` say what it may have to wait in line for. `holds` is what it would wait
    for now, the first reason first; `fails` why it would fail at once.
    """

    sentence: str
    group: str
    workflow: str
    release_id: UUID
    digest: str
    launcher: str
    launch: Launch | None
    parameters: dict[str, Any]
    operations: list[str]
    approvals: list[str]
    deadline: float
    pool: str | None
    limits: dict[str, int]
    holds: list[Hold]
    fails: str | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A run that is not written: its first attempt's header, and its first operation."""

    run: dict[str, Any]
    first: Step
    entry: dict[str, Any]
    group: Group


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the launcher said: its plan, or what ails it now, or why it never can."""

    plan: LaunchPlan | None = None
    condition: Condition | None = None
    trouble: str = ""
    fails: str | None = None


def asked(
    request: Request,
    user: Operator,
    group: str,
    workflow: str,
    body: NewRun,
    dry_run: Annotated[bool, Query(description="say what would be started; start nothing")] = False,
) -> RunPlan | None:
    """A dependency of the route that starts: the plan, where no more than that is asked for.

    It is made before the transaction of that route: a cluster may take seconds to answer.
    """
    return plan(services_of(request), group, workflow, body, user.name) if dry_run else None


def plan(services: Services, group: str, workflow: str, asked: NewRun, by: str) -> RunPlan:
    """The plan of a run.

    Raises
    ------
    GroupNotFound, GroupArchived, WorkflowNotReleased, ParametersInvalid, ValueTooLarge.
    """
    with services.db.read() as conn:
        draft = _drafted(conn, services, group, workflow, asked, by)
    answer = _answer(services, draft)
    with services.db.read() as conn:
        holds = _holds(conn, services, draft, answer)
    return _told(draft, answer, holds)


def _drafted(
    conn: Connection, services: Services, group: str, workflow: str, asked: NewRun, by: str
) -> _Draft:
    """The run as it would be written, with its first attempt open."""
    starts = service.Starts(conn, services.db)
    service.start_run(
        conn,
        services.db,
        group=group,
        workflow=workflow,
        parameters=asked.parameters,
        trigger="request",
        requested_by=by,
        wishes=Wishes(asked.labels, asked.priority, asked.deadline),
        starts=starts,
    )
    header, first = starts.draft
    release = starts.released(group, workflow)
    return _Draft(header, first, release["entry"], groups.get(conn, group))


def _answer(services: Services, draft: _Draft) -> _Answer:
    """Ask the launcher, which decides as it would for the first attempt."""
    try:
        plan = launching.plan(services, {**draft.run, "attempt": 1}, draft.group)
    except InvalidInput as error:
        return _Answer(fails=launching.not_started(error))
    except StepwellError as error:
        return _Answer(condition=getattr(error, "condition", None), trouble=str(error))
    return _Answer(plan, plan.condition)


def _holds(conn: Connection, services: Services, draft: _Draft, answer: _Answer) -> list[Hold]:
    trouble = "" if answer.condition else answer.trouble
    seen = foresee(conn, draft.run, draft.entry, draft.first, answer.condition, trouble)
    found = waiting.foreseen(conn, services, seen)
    return [Hold(code=one.code, sentence=one.sentence, changes=one.changes) for one in found]


def _told(draft: _Draft, answer: _Answer, holds: list[Hold]) -> RunPlan:
    run, entry, operations = draft.run, draft.entry, draft.entry["operations"]
    deadline = run["deadline_at"] - run["created_at"]
    return RunPlan(
        sentence=_sentence(answer),
        group=run["group_name"],
        workflow=run["workflow"],
        release_id=run["release_id"],
        digest=run["digest"],
        launcher=draft.group.launcher,
        launch=_launch(answer.plan),
        parameters={**_defaults(entry), **run["parameters"]},
        operations=[one["name"] for one in operations],
        approvals=[one["name"] for one in operations if one.get("approval")],
        deadline=deadline.total_seconds(),
        pool=run["pool"],
        limits=run["limits"] or {},
        holds=holds,
        fails=answer.fails,
    )


def _launch(plan: LaunchPlan | None) -> Launch | None:
    if plan is None:
        return None
    return Launch(
        image=plan.image,
        requests=dict(plan.requests),
        limits=dict(plan.limits),
        notes=list(plan.notes),
    )


def _sentence(answer: _Answer) -> str:
    if answer.fails is not None:
        return "Would fail at once: nothing can be launched."
    if answer.plan is None:
        return "Would start as soon as its launcher can launch it."
    plan = answer.plan
    asks = f" that asks for {_amounts(plan.requests)}" if plan.requests else ""
    most = f"{' and' if asks else ' that'} may have at most {_amounts(plan.limits)}"
    return f"Would start {plan.what}{asks}{most if plan.limits else ''}."


def _amounts(given: Mapping[str, str]) -> str:
    """`0.5 CPU, 1 GiB memory`."""
    return ", ".join(amounts.words(name, amount) for name, amount in given.items())


def _defaults(entry: Mapping[str, Any]) -> dict[str, Any]:
    properties = (entry.get("parameters") or {}).get("properties", {})
    return {name: one["default"] for name, one in properties.items() if "default" in one}
