"""R32: operations in order, values by name, and every mistake reported with a code."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any, ClassVar

import pytest
from tests.workflows.support import codes, described, problems

from stepwell.schedules import Cron
from stepwell.workflows import Context, WorkflowGroup, operation


def test_operations_run_as_written_and_take_values_by_name() -> None:
    def declare(group: WorkflowGroup) -> None:
        @group.workflow
        class Sales:
            day: date
            limit: int = 100
            _hidden: int = 1
            kept: ClassVar[int] = 2

            @operation
            def load_rows(self, day: date, ctx: Context) -> list[int]: ...  # type: ignore[empty-body]

            @operation(output="sum")
            def total(self, load_rows: list[int], limit: Any = None) -> int: ...  # type: ignore[empty-body]

            @operation
            def tell(self, sum: int) -> None: ...

    entry = described(declare).manifest.workflow("sales")
    assert [one.name for one in entry.operations] == ["load-rows", "total", "tell"]
    assert [one.order for one in entry.operations] == [1, 2, 3]
    sources = [{k: v.source for k, v in one.inputs.items()} for one in entry.operations]
    assert sources == [
        {"day": "parameter"},
        {"load_rows": "load-rows", "limit": "parameter"},
        {"sum": "total"},
    ]
    assert list(entry.parameters["properties"]) == ["day", "limit"]
    assert entry.parameters["required"] == ["day"]
    assert not entry.operation("total").inputs["limit"].required


def test_a_base_class_comes_first_unless_orders_say_otherwise() -> None:
    class Base:
        @operation(order=30)
        def close(self) -> None: ...

        @operation(order=10)
        def open(self) -> None: ...

    def declare(group: WorkflowGroup) -> None:
        @group.workflow
        class Work(Base):
            @operation(order=20)
            def use(self) -> None: ...

    entry = described(declare).manifest.workflow("work")
    assert [one.name for one in entry.operations] == ["open", "use", "close"]


def test_an_override_keeps_the_place_of_what_it_overrides() -> None:
    class Base:
        @operation
        def first(self) -> None: ...

        @operation
        def second(self) -> None: ...

    def declare(group: WorkflowGroup) -> None:
        @group.workflow
        class Work(Base):
            @operation(retries=2)
            def first(self) -> None: ...

    entry = described(declare).manifest.workflow("work")
    assert [(one.name, one.retries) for one in entry.operations] == [("first", 2), ("second", 0)]


def unbound(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self, rowz: int) -> int: ...  # type: ignore[empty-body]


def later(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self, total: int) -> int: ...  # type: ignore[empty-body]

        @operation
        def total(self) -> int: ...  # type: ignore[empty-body]


def doubled_output(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        rows: int = 1

        @operation(output="rows")
        def load(self) -> int: ...  # type: ignore[empty-body]


def ill_typed(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self) -> list[int]: ...  # type: ignore[empty-body]

        @operation
        def total(self, load: dict[str, int]) -> int: ...  # type: ignore[empty-body]


def ill_default(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        limit: int = "many"  # type: ignore[assignment]

        @operation
        def load(self) -> None: ...


def two_operations(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self) -> int: ...

        @operation  # type: ignore[no-redef]
        def load(self) -> int: ...  # noqa: F811


def two_spellings(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load_rows(self) -> None: ...

        @operation
        def loadRows(self) -> None: ...  # noqa: N802


def unknown_type(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self) -> threading.Event: ...  # type: ignore[empty-body]


def unresolved_type(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self) -> Nowhere: ...  # type: ignore[name-defined] # noqa: F821


def reserved_parameter(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        parameters: int = 1

        @operation
        def load(self) -> None: ...


def reserved_operation(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation(output="value")
        def parameter(self) -> None: ...


def no_operations(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        limit: int = 1


def no_workflows(group: WorkflowGroup) -> None: ...


def needs_arguments(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        def __init__(self, path: str) -> None: ...

        @operation
        def load(self) -> None: ...


def variadic(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self, *rows: int) -> None: ...


def generator(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        def load(self) -> Any:
            yield 1


def static(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation
        @staticmethod
        def load(rows: int = 1) -> None: ...


def bad_retries(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation(retries=-1, timeout=0)
        def load(self) -> None: ...


def mixed_order(group: WorkflowGroup) -> None:
    @group.workflow
    class W:
        @operation(order=2)
        def load(self) -> None: ...

        @operation
        def total(self) -> None: ...


def text_schedule(group: WorkflowGroup) -> None:
    @group.workflow(schedule="30 7 * * *", deadline=0)
    class W:
        @operation
        def load(self) -> None: ...


def two_workflows(group: WorkflowGroup) -> None:
    no_name = {"load": operation(lambda self: None)}
    for name in ("NightlySales", "Nightly_Sales"):
        cls = type(name, (), dict(no_name))
        cls.load.__name__ = "load"  # type: ignore[attr-defined]
        group.workflow(cls)


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (unbound, ["input-unbound"]),
        (later, ["input-unbound"]),
        (doubled_output, ["output-doubled"]),
        (ill_typed, ["type-mismatch"]),
        (ill_default, ["type-mismatch"]),
        (two_operations, ["operation-doubled"]),
        (two_spellings, ["operation-doubled"]),
        (unknown_type, ["type-unknown"]),
        (unresolved_type, ["type-unknown"]),
        (reserved_parameter, ["name-reserved"]),
        (reserved_operation, ["name-reserved"]),
        (no_operations, ["workflow-invalid"]),
        (no_workflows, ["workflow-invalid"]),
        (needs_arguments, ["workflow-invalid"]),
        (variadic, ["signature-invalid"]),
        (generator, ["signature-invalid"]),
        (static, ["signature-invalid"]),
        (bad_retries, ["option-invalid", "option-invalid"]),
        (mixed_order, ["option-invalid"]),
        (text_schedule, ["option-invalid", "option-invalid"]),
        (two_workflows, ["workflow-doubled"]),
    ],
)
def test_each_mistake_has_its_code(declare: Any, expected: list[str]) -> None:
    assert codes(declare) == expected


def test_every_mistake_says_what_is_wrong_and_how_to_fix_it() -> None:
    for one in problems(unbound) + problems(later) + problems(two_operations):
        assert one.what.endswith(".")
        assert one.why
        assert one.fix


def test_a_name_that_comes_too_late_is_told_from_one_that_does_not_exist() -> None:
    (error,) = problems(later)
    assert error.why == "The operation that gives 'total' does not run before it."
    (error,) = problems(unbound)
    assert "no parameters" in error.why


def test_doubled_operations_are_named_with_both_lines() -> None:
    (error,) = problems(two_operations)
    first, second = (two_operations.__code__.co_firstlineno + n for n in (3, 6))
    assert f"lines {first} and {second}" in error.why


def test_all_mistakes_of_a_group_are_reported_together() -> None:
    def declare(group: WorkflowGroup) -> None:
        unbound(group)
        ill_typed(group)
        unknown_type(group)

    assert codes(declare, "Shop!") == [
        "name-invalid",
        "input-unbound",
        "type-mismatch",
        "type-unknown",
        "workflow-doubled",
    ]


def test_the_servers_own_name_is_no_groups_name() -> None:
    assert codes(bound_well, "server") == ["name-reserved"]


def bound_well(group: WorkflowGroup) -> None:
    @group.workflow(schedule=Cron("30 7 * * 1-5", timezone="Europe/Oslo"))
    class W:
        """First paragraph,
        on two lines.

        Second."""

        @operation
        def load(self) -> int: ...  # type: ignore[empty-body]


def test_a_schedule_and_the_first_paragraph_of_a_docstring_are_in_the_manifest() -> None:
    entry = described(bound_well).manifest.workflow("w")
    assert entry.schedule is not None
    assert entry.schedule["expression"] == "30 7 * * 1-5"
    assert entry.description == "First paragraph, on two lines."
