"""Rows in bulk, for stores that insert them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from stepwell.step import Addition, Step


def additions(template: Step, rows: Iterable[tuple[str, str]]) -> Iterator[Addition]:
    """A row like the template for each id and state; see `Transaction.load`."""
    own_flow = template.flow_id == template.id
    for text, state in rows:
        step_id = UUID(text)
        flow_id = step_id if own_flow else template.flow_id
        yield Addition(replace(template, id=step_id, flow_id=flow_id, state=state))
