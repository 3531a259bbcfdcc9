"""How a run's course differs from its manifest's: what is left out, and what needs approval.

Pinned when the run starts, as JSON in its header: `order` (all operations), `left_out`
(those whose results were taken over, or that do not run) and `gates` (operation ->
what approval it waits for). The header of most runs has none.

A container knows nothing of it. It adds the operation that follows, as its manifest says;
here that row becomes the one that is really next, and waits where it has to. So it works
for images in every language, and of every version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import RowMapping

from stepwell.codec import JSON
from stepwell.outcome import Settlement
from stepwell.step import Addition, Step

Course: TypeAlias = Mapping[str, Any]


def of(entry: Mapping[str, Any], left_out: Iterable[str] = ()) -> dict[str, Any] | None:
    """What is pinned for a workflow's entry; None where there is nothing to say."""
    operations = entry["operations"]
    gates = {one["name"]: one["approval"] for one in operations if one.get("approval")}
    out = sorted(left_out)
    if not gates and not out:
        return None
    return {"order": [one["name"] for one in operations], "left_out": out, "gates": gates}


def adapted(run: RowMapping, settlement: Settlement) -> Settlement:
    """A settlement whose spawned operations follow the run's own course."""
    if not settlement.additions:
        return settlement
    rows = (_adapted(run, one) for one in settlement.additions)
    return replace(settlement, additions=tuple(one for one in rows if one is not None))


def after(order: Sequence[str], left_out: Iterable[str], name: str | None) -> str | None:
    """The first operation from `name` on that runs; None if there is none."""
    if name is None or name not in order:
        return name
    out = set(left_out)
    rest = order[order.index(name) :]
    return next((one for one in rest if one not in out), None)


def gated(course: Course | None, name: str, state: Any, now: datetime) -> tuple[Any, datetime]:
    """The state of an operation's row and when it is due: at the end of its patience, where it
    waits for approval."""
    gate = None if course is None else course["gates"].get(name)
    if gate is None:
        return state, now
    until = now + timedelta(seconds=gate["within"])
    asked = {**gate, "asked_at": now.isoformat(), "until": until.isoformat()}
    kept = state if isinstance(state, dict) else {"state": state}
    return {**kept, "approval": asked}, until


def _adapted(run: RowMapping, addition: Addition) -> Addition | None:
    step, course = addition.step, run["course"]
    if not _is_operation(run, step):
        return addition
    state = _without_approval(step)
    if course is None:
        return addition if state is None else replace(addition, step=replace(step, state=state))
    name = after(course["order"], course["left_out"], step.name.rpartition("/")[2])
    if name is None:
        return None
    text = state or step.state or "null"
    value, due = gated(course, name, JSON.decode(text), step.schedule_time)
    made = f"{step.name.rpartition('/')[0]}/{name}"
    waits = due > step.schedule_time
    changed = replace(step, name=made, schedule_time=due, state=JSON.encode(value))
    said = f"Waits for approval until {due:%Y-%m-%d %H:%M:%S}Z." if waits else step.description
    return replace(addition, step=replace(changed, description=said))


def _is_operation(run: RowMapping, step: Step) -> bool:
    return step.name.startswith(f"v1/{run['group_name']}/{run['workflow']}/")


def _without_approval(step: Step) -> str | None:
    """The state without what the operation before had to wait for; None if it has none."""
    if '"approval"' not in (step.state or ""):
        return None
    state = JSON.decode(step.state or "null")
    if not isinstance(state, dict) or state.pop("approval", None) is None:
        return None
    return JSON.encode(state)
