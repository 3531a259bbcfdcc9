"""Where `stepwell steps` reads and writes: a store, or a server's API. Both speak JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from stepwell.cli.client import Client
from stepwell.codec import JSON
from stepwell.engine import StepClient
from stepwell.errors import InvalidInput
from stepwell.step import Step, StepQuery, StepStatus, new_step
from stepwell.stores import open_store


class StepBook(Protocol):
    """The verbs of `stepwell steps`; steps are JSON objects with the row's fields."""

    def add(self, name: str, state: Any, fields: Mapping[str, Any]) -> str:
        """Add a step; its id."""
        ...

    def search(self, filters: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """The steps that match, newest first."""
        ...

    def get(self, step_id: UUID) -> dict[str, Any]:
        """One step, with its explanation."""
        ...

    def count(self, filters: Mapping[str, Any]) -> dict[str, int]:
        """How many match, per table."""
        ...

    def activate(self, step_id: UUID, args: Any) -> None:
        """Make a ready step due now."""
        ...

    def cancel(self, step_id: UUID, reason: str) -> None:
        """End a ready step."""
        ...

    def fail(self, step_id: UUID, reason: str) -> None:
        """End a ready step as failed."""
        ...

    def complete(self, step_id: UUID, reason: str, result: Any) -> None:
        """End a ready step as done, with a result."""
        ...

    def reexecute(self, step_id: UUID) -> str:
        """Add a copy of an ended step; its id."""
        ...


class StoreBook:
    """Steps in a store that this process opens itself: for programs that embed the engine."""

    def __init__(self, url: str) -> None:
        self._steps = StepClient(open_store(url))

    def add(self, name: str, state: Any, fields: Mapping[str, Any]) -> str:
        """Add a step; its id."""
        return str(self._steps.add(new_step(name, state, **fields)))

    def search(self, filters: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """The steps that match, newest first."""
        return [as_json(one) for one in self._steps.search(_query(filters, limit))]

    def get(self, step_id: UUID) -> dict[str, Any]:
        """One step, with its explanation; raises `StepNotFound`."""
        found = as_json(self._steps.get(step_id))
        return found | {"explanation": self._steps.explain(step_id)}

    def count(self, filters: Mapping[str, Any]) -> dict[str, int]:
        """How many match, per table."""
        counts = self._steps.count(_query(filters, 1))
        return {"ready": counts.ready, "done": counts.done, "failed": counts.failed}

    def activate(self, step_id: UUID, args: Any) -> None:
        """Make a ready step due now."""
        self._steps.activate(step_id, args)

    def cancel(self, step_id: UUID, reason: str) -> None:
        """End a ready step."""
        self._steps.cancel(step_id, reason)

    def fail(self, step_id: UUID, reason: str) -> None:
        """End a ready step as failed."""
        self._steps.fail(step_id, reason)

    def complete(self, step_id: UUID, reason: str, result: Any) -> None:
        """End a ready step as done, with a result."""
        self._steps.complete(step_id, reason, result)

    def reexecute(self, step_id: UUID) -> str:
        """Add a copy of an ended step; its id."""
        return str(self._steps.reexecute([step_id])[0])


class ApiBook:
    """Steps of a server."""

    def __init__(self, api: Client) -> None:
        self._api = api

    def add(self, name: str, state: Any, fields: Mapping[str, Any]) -> str:
        """The server adds its steps itself."""
        raise InvalidInput(
            "A step cannot be added through the server.",
            why="Its steps come from schedules and runs.",
            fix="Give --store to add to a store of your own; `stepwell runs start` starts a run.",
        )

    def search(self, filters: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """The steps that match, newest first."""
        return list(self._api.items("/steps", limit, **filters))

    def get(self, step_id: UUID) -> dict[str, Any]:
        """One step, with its explanation."""
        found: dict[str, Any] = self._api.get(f"/steps/{step_id}")
        return found

    def count(self, filters: Mapping[str, Any]) -> dict[str, int]:
        """How many match, per table."""
        counts: dict[str, int] = self._api.get("/steps/counts", **filters)
        return counts

    def activate(self, step_id: UUID, args: Any) -> None:
        """Make a ready step due now."""
        self._api.post(f"/steps/{step_id}/activations", {"args": args})

    def cancel(self, step_id: UUID, reason: str) -> None:
        """End a ready step."""
        self._end(step_id, "cancelled", reason)

    def fail(self, step_id: UUID, reason: str) -> None:
        """End a ready step as failed."""
        self._end(step_id, "failed", reason)

    def complete(self, step_id: UUID, reason: str, result: Any) -> None:
        """End a ready step as done, with a result."""
        self._end(step_id, "done", reason, result)

    def reexecute(self, step_id: UUID) -> str:
        """Add a copy of an ended step; its id."""
        return str(self._api.post(f"/steps/{step_id}/re-executions", {})["id"])

    def _end(self, step_id: UUID, ended_as: str, reason: str, result: Any = None) -> None:
        ending = {"ended_as": ended_as, "reason": reason, "result": result}
        self._api.post(f"/steps/{step_id}/endings", ending)


def as_json(step: Step) -> dict[str, Any]:
    """The row's fields as JSON values; state and result decoded where they are JSON."""
    row: dict[str, Any] = json.loads(JSON.encode(step))
    row["status"] = step.status.value
    for name in ("state", "result"):
        if row[name] is not None and row[f"{name}_format"] == JSON.format:
            row[name] = json.loads(row[name])
    return row


def _query(filters: Mapping[str, Any], limit: int) -> StepQuery:
    given = dict(filters)
    if "flow_id" in given:
        given["flow_id"] = UUID(given["flow_id"])
    if "status" in given:
        given["status"] = _status(given["status"])
    return StepQuery(**given, limit=limit)


def _status(word: str) -> StepStatus:
    try:
        return StepStatus(word)
    except ValueError as error:
        raise InvalidInput(
            f"{word!r} is not a status.", fix="Give ready, done or failed."
        ) from error
