"""The group `stepwell-demo`: three small workflows to see what a run looks like.

It is looked into and started like any other group, so this file imports no server.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from stepwell.workflows import Approval, Context, WorkflowGroup, operation

group = WorkflowGroup(
    "stepwell-demo",
    description="A demo: one workflow that is well, one that retries, one that asks a person.",
    tags=["demo"],
)

MOMENT = 0.4
"""Seconds: so that there is something to watch."""


@dataclass(frozen=True)
class Order:
    """Something that somebody has bought."""

    customer: str
    article: str
    pieces: int
    price: float


_ORDERS = (
    Order("Anna", "teapot", 2, 24.5),
    Order("Otto", "cup", 6, 4.9),
    Order("Anna", "saucer", 6, 2.9),
    Order("Ida", "teapot", 1, 24.5),
)


@group.workflow(
    description="Add up the orders of the day, and report them. All goes well here.",
    tags=["demo", "clean"],
    deadline=300,
)
class SumUpOrders:
    """Read, add up, report."""

    @operation
    def read_orders(self, context: Context) -> list[Order]:
        """Read the orders of the day."""
        time.sleep(MOMENT)
        context.log.info("read %d orders", len(_ORDERS))
        return list(_ORDERS)

    @operation
    def add_up(self, context: Context, read_orders: list[Order]) -> dict[str, float]:
        """Add up what each customer has spent."""
        spent: dict[str, float] = {}
        for done, order in enumerate(read_orders, 1):
            time.sleep(MOMENT / 4)
            context.progress(done, len(read_orders))
            more = order.pieces * order.price
            spent[order.customer] = round(spent.get(order.customer, 0.0) + more, 2)
        return spent

    @operation(tags=["report"])
    def report(self, context: Context, add_up: dict[str, float]) -> float:
        """Report it as a table; the result is the turnover."""
        rows = [{"customer": name, "spent": sum_} for name, sum_ in sorted(add_up.items())]
        context.report.table("turnover", rows)
        return round(sum(add_up.values()), 2)


@group.workflow(
    description="Ask a price service that fails twice before it answers: watch the retries.",
    tags=["demo", "flaky"],
    deadline=300,
)
class FetchPrices:
    """Ask, fail, ask again."""

    failures: int = 2

    @operation(retries=3)
    def ask_service(self, context: Context, failures: int) -> dict[str, float]:
        """Fail as often as the parameter says, then give the prices."""
        time.sleep(MOMENT)
        if context.attempt <= failures:
            raise ConnectionError(f"503 Service Unavailable (try {context.attempt})")
        return {order.article: order.price for order in _ORDERS}

    @operation
    def compare(self, context: Context, ask_service: dict[str, float]) -> str:
        """Name the dearest article."""
        context.report.json("prices", ask_service)
        return max(ask_service, key=lambda article: ask_service[article])


@group.workflow(
    description="Prepare a price list, and wait for a person to approve it.",
    tags=["demo", "approval"],
    deadline=2 * 24 * 3600,
)
class PublishPrices:
    """Prepare, ask, publish."""

    raise_by: float = 0.05

    @operation
    def prepare(self, context: Context, raise_by: float) -> dict[str, float]:
        """Raise all prices."""
        prices = {one.article: round(one.price * (1 + raise_by), 2) for one in _ORDERS}
        context.report.json("new prices", prices)
        return prices

    @operation(approval=Approval(within=24 * 3600, message="Publish these prices?"))
    def publish(self, context: Context, prepare: dict[str, float]) -> str:
        """Publish them, as soon as somebody has said yes."""
        who = context.approval.by if context.approval else "nobody"
        return f"{len(prepare)} prices published, approved by {who}"
