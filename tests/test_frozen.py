"""Instances made fast are instances like all others, on this Python."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from stepwell.frozen import changer, maker, reader, setter
from stepwell.ids import new_id
from stepwell.outcome import Settlement
from stepwell.step import Addition, Claim, Step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Point:
    """With a default and a factory."""

    x: int
    y: int = 2
    more: list[int] = field(default_factory=list)


def values(kind: type) -> dict[str, Any]:
    """What its constructor cannot do without."""
    step_id = new_id()
    needed: dict[type, dict[str, Any]] = {
        Claim: {"step_id": step_id, "claim_no": 1},
        Step: {
            "id": step_id,
            "name": "v1/x",
            "flow_id": step_id,
            "created_at": NOW,
            "schedule_time": NOW,
        },
        Settlement: {
            "claim": Claim(step_id, 1),
            "ended_as": None,
            "description": None,
            "activation_seen": 0,
            "failure_count": 0,
            "execution_started_at": NOW,
            "execution_duration": 0.5,
            "executed_by": "me",
        },
    }
    step = Step(**needed[Step])
    return needed.get(kind, {"step": step} if kind is Addition else {"x": 1})


@pytest.fixture(params=[Point, Claim, Step, Addition, Settlement])
def kind(request: pytest.FixtureRequest) -> Any:
    """A frozen class of which many instances are made."""
    return request.param


def test_a_made_instance_equals_one_that_was_constructed(kind: Any) -> None:
    given = values(kind)
    made, constructed = maker(kind)(**given), kind(**given)
    assert type(made) is kind
    assert made == constructed
    assert repr(made) == repr(constructed)
    assert asdict(made) == asdict(constructed)
    if kind is not Point:
        assert hash(made) == hash(constructed)
        assert {made: 1}[constructed] == 1


def test_a_made_instance_cannot_be_changed(kind: Any) -> None:
    made = maker(kind)(**values(kind))
    name = fields(kind)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(made, name, None)
    with pytest.raises(FrozenInstanceError):
        delattr(made, name)
    assert not hasattr(made, "__dict__")


def test_a_made_instance_can_be_replaced_and_copied(kind: Any) -> None:
    made = maker(kind)(**values(kind))
    """Copying goes by way of the same protocol as pickling."""
    assert copy.deepcopy(made) == copy.copy(made) == made == replace(made)
    assert type(copy.deepcopy(made)) is type(replace(made)) is kind


def test_fields_may_be_given_in_their_order_and_each_instance_has_its_own_defaults() -> None:
    make = maker(Point)
    assert make(1, 3) == Point(1, 3)
    assert make(1).y == 2
    assert make(1).more is not make(1).more


def test_a_field_that_is_missing_or_unknown_is_an_error() -> None:
    with pytest.raises(TypeError):
        maker(Point)()
    with pytest.raises(TypeError):
        maker(Point)(x=1, z=2)


def test_a_changed_copy_is_what_replace_makes() -> None:
    point = Point(1, more=[3])
    changed = changer(Point)(point, y=5)
    assert changed == replace(point, y=5)
    assert (type(changed), point.y) == (Point, 2)
    with pytest.raises(FrozenInstanceError):
        changed.x = 7  # type: ignore[misc]


def test_a_copy_cannot_be_given_a_field_that_the_class_has_not() -> None:
    with pytest.raises(AttributeError):
        changer(Point)(Point(1), z=5)


def test_fields_of_an_instance_that_nobody_else_sees_are_set_in_place() -> None:
    point = Point(1)
    setter(Point, "y", "x")(point, 5, 4)
    assert (point.x, point.y) == (4, 5)
    with pytest.raises(FrozenInstanceError):
        point.x = 7  # type: ignore[misc]


def test_a_field_that_the_class_has_not_or_a_value_too_few_is_an_error() -> None:
    with pytest.raises(KeyError):
        setter(Point, "z")
    with pytest.raises(TypeError, match="missing"):
        setter(Point, "x", "y")(Point(1), 5)


def test_a_row_becomes_an_instance_and_what_is_null_is_not_read() -> None:
    """Its columns stand in any order, among others."""
    read = reader(Point, ("size", "more", "y", "x", "place"), {"x": int, "y": int, "place": int})
    point = read(("big", [3], None, "1", "here"))
    assert point == Point(1, None, [3])  # type: ignore[arg-type]
    with pytest.raises(FrozenInstanceError):
        point.x = 7  # type: ignore[misc]


def test_a_row_with_a_value_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        reader(Point, ("x", "y", "more"), {})((1, 2))
