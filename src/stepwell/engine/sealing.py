"""Steps as user code writes them -> the rows to insert: encode, inherit, date, join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from stepwell.codec import Codec, limited
from stepwell.errors import InvalidInput
from stepwell.frozen import maker
from stepwell.ids import is_own
from stepwell.outcome import Fan
from stepwell.step import Addition, NewStep, OnConflict, Retention, Step

_step, _addition = maker(Step), maker(Addition)
_STANDARD: Final = Retention.STANDARD  # looked up once: before Python 3.12 that is a call
_NO_CLASSES: Final[Mapping[str, Retention]] = MappingProxyType({})


def seal(
    new: NewStep,
    codec: Codec,
    now: datetime,
    parent: Step | None = None,
    classes: Mapping[str, Retention] = _NO_CLASSES,
) -> Addition:
    """The row for `new`; flow and correlation are inherited from the step that spawned it.

    Parameters
    ----------
    now : store time, aware UTC: when it is created, and due unless it says otherwise.
    classes : step name -> how long it is kept, for steps that say nothing of it (R23).

    Raises
    ------
    NotEncodable, ValueTooLarge : the state cannot be kept in a row.
    """
    retention = new.retention
    if retention is None:
        retention = classes.get(new.name, _STANDARD)
    if new.description is not None:
        limited(new.description, f"description of {new.name}")
    step = _step(  # by place: forty names would be compared with those that it knows
        new.id,
        new.name,
        new.flow_id or (parent.flow_id if parent else new.id),
        now,
        new.schedule_time or now,
        new.queue,
        new.priority,
        new.unique_key,
        new.correlation_id or (parent.correlation_id if parent else None),
        new.search_key,
        new.description,
        parent.id if parent else None,
        None,
        retention,
        limited(codec.encode(new.state), f"state of {new.name}"),
        codec.format,
        limit_key=new.limit_key,
        limit_slots=new.limit_slots,
        rate_key=new.rate_key,
    )
    fresh = next(new.first, _step) is None and is_own(new.id)
    return _addition(step, new.on_conflict, fresh)


def seal_fan(
    fan: Fan,
    codec: Codec,
    now: datetime,
    parent: Step | None = None,
    place: UUID | None = None,
    classes: Mapping[str, Retention] = _NO_CLASSES,
) -> tuple[Addition, ...]:
    """The rows for `next`, and behind them the row for `then`, which waits for them (R28).

    Parameters
    ----------
    place : the join that `then` becomes a member of.
    classes : as for `seal`.

    Raises
    ------
    NotEncodable, ValueTooLarge : a state cannot be kept in a row.
    InvalidInput : `then` could wait for ever.
    """
    rows = tuple([seal(new, codec, now, parent, classes) for new in fan.next])
    if fan.then is None:
        return rows
    _check_members(fan.next, fan.then)
    join = seal(fan.then, codec, now, parent, classes)
    step = replace(join.step, waiting_for=len(rows), join_policy=fan.on_failure, join_id=place)
    members = [replace(row, step=replace(row.step, join_id=step.id)) for row in rows]
    return (*members, replace(join, step=step))


def of_one_flow(fan: Fan) -> Fan:
    """The same; what says nothing of its flow and correlation has those of `then`."""
    if fan.then is None:
        return fan
    flow, correlation = fan.then.flow_id or fan.then.id, fan.then.correlation_id
    members = [
        replace(
            new,
            flow_id=new.flow_id or flow,
            correlation_id=new.correlation_id or correlation,
        )
        for new in fan.next
    ]
    return replace(fan, next=tuple(members))


def _check_members(members: Sequence[NewStep], then: NewStep) -> None:
    for new in (*members, then):
        if new.on_conflict is OnConflict.IGNORE and new.unique_key is not None:
            raise InvalidInput(
                f"{new.name!r} is part of a join and has on_conflict='ignore'.",
                why="If it were left out, the join would wait for a step that is not its member.",
                fix="Use 'error' or 'replace'.",
            )
    if len({new.id for new in (*members, then)}) <= len(members):
        raise InvalidInput(
            f"The steps that {then.name!r} waits for are not all different.",
            why="The same id is the same step (R1).",
            fix="Make a new step for each of them, and one for `then`.",
        )
