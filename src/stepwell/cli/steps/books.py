"""Where `stepwell steps` reads and writes: a store, or a server's API. Both speak JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from stepwell.cli.client import Client
from stepwell.cli.session import Session
from stepwell.cli.steps.reaching import store_or_server
from stepwell.clock import now
from stepwell.codec import JSON, as_written
from stepwell.engine import StepClient
from stepwell.engine.lineage import lineage
from stepwell.errors import InvalidInput
from stepwell.server.search import of_steps
from stepwell.step import EndedAs, Step, StepQuery, StepStatus, new_step
from stepwell.stores import open_store
from stepwell.stores.inspecting import Inspectable


def book_for(session: Session, store: str | None) -> StepBook:
    """The store that --store or STEPWELL_STORE names, or the API of the server that is known.

    Raises
    ------
    InvalidInput : both a store and a server are named, or no such store can be.
    NoServer : neither is.
    """
    found = store_or_server(session, store)
    if not isinstance(found, str):
        return ApiBook(found)
    book = StoreBook(found)
    session.until_end(book.close)
    return book


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

    def reschedule(self, step_id: UUID, at: datetime) -> None:
        """Make a ready step due at another instant."""
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

    def lineage(self, step_id: UUID, limit: int) -> dict[str, Any]:
        """The steps around one, as nodes and edges."""
        ...

    def overview(self, since: datetime) -> list[dict[str, Any]]:
        """Counts per queue and state; done steps are those that ended since an instant."""
        ...

    def failures(self, limit: int) -> list[dict[str, Any]]:
        """The steps that failed last, within the last hour."""
        ...


class StoreBook:
    """Steps in a store that this process opens itself: for programs that embed the engine."""

    def __init__(self, url: str) -> None:
        self._steps = StepClient(open_store(url))

    def close(self) -> None:
        """Give back its connections."""
        self._steps.store.close()

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

    def reschedule(self, step_id: UUID, at: datetime) -> None:
        """Make a ready step due at another instant."""
        self._steps.reschedule(step_id, at)

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

    def lineage(self, step_id: UUID, limit: int) -> dict[str, Any]:
        """The steps around one, as nodes and edges; raises `StepNotFound`."""
        found: dict[str, Any] = json.loads(JSON.encode(lineage(self._steps, step_id, limit)))
        return found

    def overview(self, since: datetime) -> list[dict[str, Any]]:
        """Counts per queue and state, or per table where the store has no overview."""
        store = self._steps.store
        if not isinstance(store, Inspectable):
            return [_line(one.value, self._table(one)) for one in _UNENDING]
        return [
            _line(line.state, line.count, line.queue, line.oldest)
            for line in store.overview(since).lines
        ]

    def _table(self, status: StepStatus) -> int:
        counts = self._steps.count(status=status)
        return counts.ready + counts.failed

    def failures(self, limit: int) -> list[dict[str, Any]]:
        """The steps that failed last, within the last hour."""
        found = self._steps.search(
            status=StepStatus.FAILED, ended_as=EndedAs.FAILED, ended_from=_an_hour_ago()
        )
        return _newest([as_json(one) for one in found], limit)


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

    def reschedule(self, step_id: UUID, at: datetime) -> None:
        """Make a ready step due at another instant."""
        self._api.post(f"/steps/{step_id}/reschedulings", {"at": at.isoformat()})

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

    def lineage(self, step_id: UUID, limit: int) -> dict[str, Any]:
        """The steps around one, as nodes and edges."""
        found: dict[str, Any] = self._api.get(f"/steps/{step_id}/lineage", limit=limit)
        return found

    def overview(self, since: datetime) -> list[dict[str, Any]]:
        """Counts per table: a server tells no queues."""
        return [_line(one.value, self.count({"status": one.value})[one]) for one in _UNENDING]

    def failures(self, limit: int) -> list[dict[str, Any]]:
        """The steps that failed last, within the last hour."""
        since = _an_hour_ago().isoformat()
        query = {"status": "failed", "ended_as": "failed", "ended_from": since}
        return _newest(list(self._api.items("/steps", 100, **query)), limit)

    def _end(self, step_id: UUID, ended_as: str, reason: str, result: Any = None) -> None:
        ending = {"ended_as": ended_as, "reason": reason, "result": result}
        self._api.post(f"/steps/{step_id}/endings", ending)


_UNENDING: Final = (StepStatus.READY, StepStatus.FAILED)
"""The tables that do not grow with all that was ever done."""


def _line(
    state: str, count: int, queue: str = "(all)", oldest: datetime | None = None
) -> dict[str, Any]:
    text = None if oldest is None else oldest.isoformat()
    return {"queue": queue, "state": state, "count": count, "oldest": text}


def _an_hour_ago() -> datetime:
    return now() - timedelta(hours=1)


def _newest(steps: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """By when they ended, and not by when they were added, as they come."""
    return sorted(steps, key=lambda one: str(one["ended_at"]), reverse=True)[:limit]


def as_json(step: Step) -> dict[str, Any]:
    """The row's fields as JSON values; state and result decoded where they are JSON."""
    row: dict[str, Any] = json.loads(JSON.encode(step))
    row["status"] = step.status.value
    formats = {"state": "state_format", "activation_args": "state_format"}
    for name, kind in {**formats, "result": "result_format"}.items():
        row[name] = as_written(row[name], row[kind])
    return row


def _query(filters: Mapping[str, Any], limit: int) -> StepQuery:
    given = dict(filters)
    given |= of_steps.fields(given.pop("q", ""), now())
    if isinstance(given.get("flow_id"), str):
        given["flow_id"] = UUID(given["flow_id"])
    if isinstance(given.get("status"), str):
        given["status"] = _status(given["status"])
    return StepQuery(**given, limit=limit)


def _status(word: str) -> StepStatus:
    try:
        return StepStatus(word)
    except ValueError as error:
        raise InvalidInput(
            f"{word!r} is not a status.", fix="Give ready, done or failed."
        ) from error
