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

from typing import TYPE_CHECKING

from stepwell.lazily import lazily

if TYPE_CHECKING:
    from stepwell.workflows.approvals import Approval, Approved
    from stepwell.workflows.context import Context, Versioned
    from stepwell.workflows.decorators import operation
    from stepwell.workflows.group import WorkflowGroup
    from stepwell.workflows.targets import Targets

__getattr__ = lazily(
    __name__,
    {
        "stepwell.workflows.approvals": "Approval Approved",
        "stepwell.workflows.context": "Context Versioned",
        "stepwell.workflows.decorators": "operation",
        "stepwell.workflows.group": "WorkflowGroup",
        "stepwell.workflows.targets": "Targets",
    },
)

__all__ = [
    "Approval",
    "Approved",
    "Context",
    "Targets",
    "Versioned",
    "WorkflowGroup",
    "operation",
]
