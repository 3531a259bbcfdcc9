"""A group as a manifest: binds every workflow, and reports all mistakes together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from stepwell import schedules
from stepwell.errors import StepwellError
from stepwell.version import VERSION as SDK
from stepwell.workflows.approvals import as_entry
from stepwell.workflows.binding import bind
from stepwell.workflows.bound import Operation, Parameter, Workflow
from stepwell.workflows.complaints import Complaints, first_paragraph
from stepwell.workflows.errors import (
    GroupInvalid,
    NameReserved,
    OptionInvalid,
    WorkflowDoubled,
    WorkflowInvalid,
)
from stepwell.workflows.group import Declaration, WorkflowGroup
from stepwell.workflows.limits import check_limits
from stepwell.workflows.manifest import (
    VERSION,
    ApprovalEntry,
    GroupEntry,
    InputEntry,
    Manifest,
    OperationEntry,
    TargetsEntry,
    WorkflowEntry,
)
from stepwell.workflows.schema import Schema, adapter
from stepwell.workflows.targets import check as check_targets

SERVERS_OWN: Final = "server"
"""Step names of this group are the server's own work."""


@dataclass(frozen=True, slots=True)
class BoundGroup:
    """A group that can run: its workflows by name, and its manifest."""

    workflows: dict[str, Workflow]
    manifest: Manifest


def describe(group: WorkflowGroup, entry_point: str) -> BoundGroup:
    """The group as it will run.

    Raises
    ------
    GroupInvalid : with every mistake in its declarations.
    """
    complaints = Complaints()
    _check_group(group, complaints)
    workflows = [bind(declaration, complaints) for declaration in group.declarations]
    _check_doubles(workflows, complaints)
    check_limits(group, workflows, complaints)
    schedules = {id(one): _schedule(one.declaration, complaints) for one in workflows}
    targets = {id(one): _targets(one.declaration, complaints) for one in workflows}
    if complaints:
        raise _invalid(group, complaints)
    entries = [_workflow_entry(one, schedules[id(one)], targets[id(one)]) for one in workflows]
    made = Manifest(
        manifest_version=VERSION,
        sdk_version=SDK,
        group=_group_entry(group, entry_point),
        workflows=entries,
    )
    return BoundGroup({one.name: one for one in workflows}, made)


def _invalid(group: WorkflowGroup, complaints: Complaints) -> GroupInvalid:
    count = f"{len(complaints)} mistakes" if len(complaints) > 1 else "a mistake"
    return GroupInvalid(f"The group {group.name!r} has {count} in what it declares.", complaints)


def _check_group(group: WorkflowGroup, complaints: Complaints) -> None:
    complaints.check_name("group", group.name, group.name)
    if group.name == SERVERS_OWN:
        complaints.add(
            NameReserved,
            f"A group may not be called {SERVERS_OWN!r}.",
            why="Steps of that name are the server's own.",
            fix="Choose another name.",
        )
    if not group.declarations:
        complaints.add(
            WorkflowInvalid,
            f"The group {group.name!r} has no workflows.",
            fix="Decorate a class with @group.workflow, and import its module in the package.",
        )


def _check_doubles(workflows: list[Workflow], complaints: Complaints) -> None:
    for name, count in Counter(one.name for one in workflows).items():
        if count > 1:
            classes = [f"{o.cls.__module__}.{o.cls.__name__}" for o in workflows if o.name == name]
            complaints.add(
                WorkflowDoubled,
                f"There are {count} workflows named {name!r}.",
                why=f"The classes {', '.join(classes)}.",
                fix="Rename one of them.",
            )


def _schedule(declaration: Declaration, complaints: Complaints) -> dict[str, Any] | None:
    label = declaration.cls.__name__
    if not declaration.deadline > 0:
        complaints.add(
            OptionInvalid,
            f"The workflow {label} has deadline={declaration.deadline!r}.",
            fix="Give seconds above 0, or a timedelta.",
        )
    if declaration.schedule is None:
        return None
    try:
        return schedules.from_json(declaration.schedule.as_json()).as_json()
    except AttributeError:
        complaints.add(
            OptionInvalid,
            f"The workflow {label} has schedule={declaration.schedule!r}.",
            why="That is no schedule.",
            fix='Use Cron("30 7 * * *"), Every(minutes=15) or Once(...) of stepwell.schedules.',
        )
    except StepwellError as error:
        complaints.append(error)
    return None


def _group_entry(group: WorkflowGroup, entry_point: str) -> GroupEntry:
    return GroupEntry(
        name=group.name,
        description=group.description,
        tags=list(group.tags),
        entry_point=entry_point,
        limit=group.limit,
        owner=group.owner,
    )


def _targets(declaration: Declaration, complaints: Complaints) -> TargetsEntry | None:
    made = check_targets(declaration.cls.__name__, declaration.targets, complaints)
    return None if made is None else TargetsEntry(**made)


def _workflow_entry(
    workflow: Workflow, schedule: dict[str, Any] | None, targets: TargetsEntry | None
) -> WorkflowEntry:
    declaration = workflow.declaration
    written = declaration.description
    return WorkflowEntry(
        name=workflow.name,
        python_class=f"{workflow.cls.__module__}:{workflow.cls.__qualname__}",
        description=first_paragraph(workflow.cls) if written is None else written,
        tags=list(declaration.tags),
        deadline=declaration.deadline,
        schedule=schedule,
        owner=declaration.owner,
        targets=targets,
        parameters=_parameters_schema(workflow.parameters),
        operations=[_operation_entry(n, one) for n, one in enumerate(workflow.operations, 1)],
        limit=declaration.limit,
        pool=declaration.pool,
    )


def _parameters_schema(parameters: dict[str, Parameter]) -> Schema:
    """One object schema; pydantic gives types of the same name distinct `$defs`."""
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (one.name, "validation", adapter(one.annotation)) for one in parameters.values()
    ]
    made, shared = TypeAdapter.json_schemas(inputs)
    properties = {
        name: _with_default(made[name, "validation"], one) for name, one in parameters.items()
    }
    required = [one.name for one in parameters.values() if one.required]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **{key: value for key, value in shared.items() if key == "$defs"},
    }


def _with_default(schema: Any, parameter: Parameter) -> Schema:
    return dict(schema) if parameter.required else {**schema, "default": parameter.default}


def _operation_entry(order: int, operation: Operation) -> OperationEntry:
    options = operation.options
    return OperationEntry(
        name=operation.name,
        order=order,
        description=operation.description,
        tags=list(options.tags),
        halt_on_error=options.halt_on_error,
        retries=options.retries,
        timeout=options.timeout,
        output=operation.output,
        inputs={
            one.name: InputEntry(source=one.source, json_schema=one.schema, required=one.required)
            for one in operation.inputs
        },
        returns=operation.returns_schema,
        approval=None if options.approval is None else ApprovalEntry(**as_entry(options.approval)),
    )
