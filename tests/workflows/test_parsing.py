"""Parameters as a person gives them, text included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from tests.workflows.support import described

from stepwell.workflows import WorkflowGroup, operation
from stepwell.workflows.bound import Workflow
from stepwell.workflows.errors import ParametersInvalid
from stepwell.workflows.parsing import parse


@dataclass
class Range:
    first: date
    days: int


def declare(group: WorkflowGroup) -> None:
    @group.workflow
    class Sales:
        day: date
        limit: int = 100
        names: list[str] = ["a"]  # noqa: RUF012
        some: Range | None = None
        anything: Any = None
        exact: bool = False

        @operation
        def load(self) -> None: ...


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    return described(declare).workflows["sales"]


def test_defaults_are_filled_in(workflow: Workflow) -> None:
    assert parse(workflow, {"day": "2026-01-31"}) == {
        "day": "2026-01-31",
        "limit": 100,
        "names": ["a"],
        "some": None,
        "anything": None,
        "exact": False,
    }


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("limit", "5", 5),
        ("limit", 5, 5),
        ("names", '["x", "y"]', ["x", "y"]),
        ("some", '{"first": "2026-01-01", "days": 3}', {"first": "2026-01-01", "days": 3}),
        ("some", "null", None),
        ("anything", "5", "5"),
        ("exact", "true", True),
        ("exact", "no", False),
    ],
)
def test_a_text_is_read_as_the_type_or_as_json(
    workflow: Workflow, name: str, given: Any, read: Any
) -> None:
    assert parse(workflow, {"day": "2026-01-31", name: given})[name] == read


def test_every_problem_is_told_with_its_code(workflow: Workflow) -> None:
    with pytest.raises(ParametersInvalid) as caught:
        parse(workflow, {"limit": "many", "nmaes": "[]"})
    codes = sorted(one.code for one in caught.value.problems)
    assert codes == ["parameter-invalid", "parameter-missing", "parameter-unknown"]
    assert "given 'many'" in str(caught.value)
    assert all(one.fix for one in caught.value.problems)
