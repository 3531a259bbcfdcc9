"""Whether limits, pools and approvals are declared so that they can be kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepwell.workflows.approvals import ON_TIMEOUT, Approval
from stepwell.workflows.bound import Workflow
from stepwell.workflows.complaints import Complaints
from stepwell.workflows.errors import OptionInvalid
from stepwell.workflows.group import WorkflowGroup

LONGEST_MESSAGE = 500


def check_limits(
    group: WorkflowGroup, workflows: Iterable[Workflow], complaints: Complaints
) -> None:
    """Add what is wrong to `complaints`."""
    _check_limit(f"The group {group.name!r}", group.limit, complaints)
    for one in workflows:
        where = f"The workflow {one.cls.__name__}"
        _check_limit(where, one.declaration.limit, complaints)
        if one.declaration.pool is not None:
            complaints.check_name("pool", str(one.declaration.pool), str(one.declaration.pool))
        for operation in one.operations:
            if operation.options.approval is not None:
                told = f"The operation {operation.name!r} of {one.cls.__name__}"
                _check_approval(told, operation.options.approval, one, complaints)


def _check_limit(where: str, limit: Any, complaints: Complaints) -> None:
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        complaints.add(
            OptionInvalid,
            f"{where} has limit={limit!r}.",
            fix="Give a whole number, 1 or more: so many runs go on at once.",
        )


def _check_approval(where: str, given: Any, workflow: Workflow, complaints: Complaints) -> None:
    if not isinstance(given, Approval):
        complaints.add(
            OptionInvalid,
            f"{where} has approval={given!r}.",
            fix="Write approval=Approval(within=3600).",
        )
        return
    deadline = workflow.declaration.deadline
    if not 0 < given.seconds < deadline:
        complaints.add(
            OptionInvalid,
            f"{where} waits {given.seconds:g} s for approval.",
            why=f"A run of its workflow is stopped after {deadline:g} s.",
            fix="Give within= above 0 and below deadline= of the workflow.",
        )
    if given.on_timeout not in ON_TIMEOUT or len(given.message) > LONGEST_MESSAGE:
        complaints.add(
            OptionInvalid,
            f"{where} has {given!r}.",
            fix=f"on_timeout is 'fail' or 'go on'; a message has at most {LONGEST_MESSAGE} signs.",
        )
