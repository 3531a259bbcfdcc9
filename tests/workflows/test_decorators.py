"""What `@operation` and `@group.workflow` leave behind."""

from __future__ import annotations

from datetime import timedelta

from stepwell.workflows import WorkflowGroup, operation
from stepwell.workflows.decorators import options_of

group = WorkflowGroup("shop", tags="sales")


@group.workflow(deadline=timedelta(minutes=2))
class Sales:
    limit: int = 3
    day: str

    @operation
    def load(self) -> list[int]:
        return list(range(self.limit))

    @operation(retries=2, timeout=timedelta(seconds=5), tags=["slow"])
    def total(self, load: list[int]) -> int:
        return sum(load)

    def helper(self) -> None: ...


def test_an_operation_stays_a_method_that_a_test_can_call() -> None:
    sales = Sales(limit=4, day="today")  # type: ignore[call-arg] # mypy knows functions only
    assert sales.total(sales.load()) == 6
    assert Sales(day="today").load() == [0, 1, 2]  # type: ignore[call-arg]


def test_options_are_kept_as_given_with_durations_in_seconds() -> None:
    options = options_of(Sales.total)
    assert options is not None
    assert (options.retries, options.timeout, options.tags) == (2, 5.0, ("slow",))
    assert group.declarations[0].deadline == 120.0


def test_a_method_without_the_decorator_is_no_operation() -> None:
    assert options_of(Sales.helper) is None


def test_a_single_text_is_one_tag() -> None:
    assert group.tags == ("sales",)


def test_a_class_keeps_an_init_of_its_own() -> None:
    @group.workflow
    class Own:
        def __init__(self, start: int = 7) -> None:
            self.start = start

    assert Own().start == 7
