"""A step as user code writes it -> the row to insert: encode, inherit, date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from stepwell.codec import Codec, limited
from stepwell.step import Addition, NewStep, Retention, Step


def seal(
    new: NewStep,
    codec: Codec,
    now: datetime,
    parent: Step | None = None,
    classes: Mapping[str, Retention] = MappingProxyType({}),
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
        retention = classes.get(new.name, Retention.STANDARD)
    step = Step(
        id=new.id,
        name=new.name,
        queue=new.queue,
        priority=new.priority,
        unique_key=new.unique_key,
        flow_id=new.flow_id or (parent.flow_id if parent else new.id),
        correlation_id=new.correlation_id or (parent.correlation_id if parent else None),
        search_key=new.search_key,
        description=new.description,
        created_at=now,
        created_by_step_id=parent.id if parent else None,
        schedule_time=new.schedule_time or now,
        retention=retention,
        state=limited(codec.encode(new.state), f"state of {new.name}"),
        state_format=codec.format,
    )
    return Addition(step=step, on_conflict=new.on_conflict)
