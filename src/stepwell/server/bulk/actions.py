"""What can be done with many runs. An action takes one run, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection

from stepwell.errors import InvalidInput
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Cancellation, Labels, Repeat, RunChange
from stepwell.server.runs.service import Reexecution
from stepwell.server.services import Services


class ActionUnknown(InvalidInput):
    """There is no such action, or it does not take these arguments."""

    code = "action-unknown"


@dataclass(frozen=True, slots=True)
class Item:
    """One run, why and for whom."""

    run_id: UUID
    reason: str
    by: str


class Labelling(BaseModel):
    """Labels to add."""

    model_config = ConfigDict(extra="forbid")

    labels: Labels
    reason: str | None = None


Act = Callable[[Connection, Services, Item, Any], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """An action: its arguments beside the reason, what it does, and its command."""

    body: type[BaseModel]
    act: Act


def _cancel(conn: Connection, services: Services, item: Item, asked: Cancellation) -> object:
    return runs.cancel(conn, services.db, item.run_id, asked, by=item.by)


def _label(conn: Connection, services: Services, item: Item, asked: Labelling) -> object:
    """Add labels; one that a run has already gets the new value."""
    labels = {**runs.get(conn, item.run_id).labels, **asked.labels}
    change = RunChange(labels=labels, reason=item.reason)
    return runs.change(conn, services.db, item.run_id, change, by=item.by)


def _repeat(conn: Connection, services: Services, item: Item, asked: Repeat) -> object:
    return runs.repeat(conn, services.db, item.run_id, asked, by=item.by)


def _reexecute(conn: Connection, services: Services, item: Item, asked: Reexecution) -> object:
    return runs.reexecute(conn, services.db, item.run_id, asked, by=item.by)


ACTIONS: Final[dict[str, Kind]] = {
    "cancel": Kind(Cancellation, _cancel),
    "label": Kind(Labelling, _label),
    "reexecute": Kind(Reexecution, _reexecute),
    "repeat": Kind(Repeat, _repeat),
}
"""Every action, by its name."""


def act(
    conn: Connection, services: Services, name: str, given: Mapping[str, Any], item: Item
) -> None:
    """Do it with one run; raises what the verb of that run raises."""
    kind, asked = _checked(name, {**given, "reason": item.reason})
    kind.act(conn, services, item, asked)


def check(name: str, given: Mapping[str, Any]) -> None:
    """Raises `ActionUnknown` unless the action takes these arguments."""
    _checked(name, given)


def _checked(name: str, given: Mapping[str, Any]) -> tuple[Kind, BaseModel]:
    kind = ACTIONS.get(name)
    if kind is None:
        raise ActionUnknown(
            f"There is no action {name!r}.", fix=f"There are {', '.join(sorted(ACTIONS))}."
        )
    try:
        return kind, kind.body.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        raise ActionUnknown(
            f"The arguments of {name!r} do not fit.",
            why=f"{'.'.join(map(str, first['loc']))}: {first['msg']}.",
            fix="Correct them; nothing was changed.",
        ) from error
