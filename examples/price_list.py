"""A price list that is prepared by a program, approved by a person, and then published.

`docs/guides/workflow-groups.md` takes it from this file to a run that waits for a reviewer.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from stepwell.schedules import Cron
from stepwell.workflows import Approval, Context, Targets, WorkflowGroup, operation

group = WorkflowGroup(
    "price-list",
    description="What we charge from the first of the month on.",
    owner="sales@example.org",
    tags=["example", "approval"],
)

PRICES = {"lamp": 24.9, "chair": 79.0, "table": 249.0}


@group.workflow(
    schedule=Cron("0 6 1 * *", timezone="Europe/Oslo"),
    targets=Targets(success=0.9),
    deadline=timedelta(days=2),
    limit=1,
)
class PublishPrices:
    """Prepare the new list, ask a reviewer, and put it where the shop reads it."""

    folder: str = "published"
    raise_by: float = 0.02

    @operation(retries=2, timeout=60)
    def prepare(self, raise_by: float, ctx: Context) -> dict[str, float]:
        """Compute the prices, and show them beside those of the last list."""
        before = ctx.state.get("published", default=PRICES)
        prices = {name: round(price * (1 + raise_by), 2) for name, price in before.items()}
        rows = [{"what": name, "before": before[name], "now": prices[name]} for name in prices]
        ctx.report.table("new prices", rows)
        return prices

    @operation(approval=Approval(within=timedelta(hours=8), message="Publish the new prices?"))
    def publish(self, prepare: dict[str, float], folder: str, ctx: Context) -> str:
        """Write the list in one piece; to do it again changes nothing."""
        target = Path(folder) / "prices.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{ctx.run_id}")
        draft.write_text(json.dumps(prepare, indent=1))
        draft.replace(target)
        ctx.state.save("published", prepare)
        ctx.log.info("published, approved by %s", ctx.approval.by if ctx.approval else "nobody")
        return str(target)
