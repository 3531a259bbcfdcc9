"""Workflow groups: what an image declares, and what runs it inside the image.

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("weather")

@group.workflow(schedule=Cron("30 7 * * *", timezone="Europe/Oslo"))
class Collect:
    limit: int = 100

    @operation
    def rows(self) -> list[int]:
        return list(range(self.limit))

    @operation
    def report(self, rows: list[int], ctx: Context) -> None:
        ctx.report.json("rows", rows)
"""

from stepwell.workflows.approvals import Approval, Approved
from stepwell.workflows.context import Context, Versioned
from stepwell.workflows.decorators import operation
from stepwell.workflows.group import WorkflowGroup
from stepwell.workflows.targets import Targets

__all__ = [
    "Approval",
    "Approved",
    "Context",
    "Targets",
    "Versioned",
    "WorkflowGroup",
    "operation",
]
