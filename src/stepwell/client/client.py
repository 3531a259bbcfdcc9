"""The verbs of a server, typed. Everything else is `get`, `post` and `items` with a path."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from stepwell.client.errors import TookTooLong
from stepwell.client.records import (
    Bulk,
    BulkPreview,
    Cause,
    Count,
    Event,
    Group,
    Run,
    RunStep,
    Schedule,
    View,
    Why,
    made,
)
from stepwell.client.transport import ALL, Transport

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


class Client(Transport):
    """One server, spoken to with one token. Safe to use from several threads.

    Every method raises what the server says: `NotFound`, `Conflict`, `InvalidInput`,
    `Denied` or `Unavailable`, with the server's `code`; and `Unreachable`.
    """

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """The server of STEPWELL_URL, with the token of STEPWELL_TOKEN."""
        url = os.environ.get("STEPWELL_URL", "http://127.0.0.1:8420")
        return cls(url, os.environ.get("STEPWELL_TOKEN", "").strip(), **options)

    # -- runs ------------------------------------------------------------------

    def runs(self, query: str = "", *, limit: int = ALL) -> Iterator[Run]:
        """The runs that a query finds, newest first, page by page: `state:failed since:2h`."""
        return (made(Run, one) for one in self.items("/runs", limit, q=query))

    def count(self, query: str = "", *, exact: bool = False) -> Count:
        """How many runs a query finds: up to 10,000, or exactly, which may take long."""
        return made(Count, self.get("/runs/counts", q=query, exact=exact))

    def run(self, run_id: UUID | str) -> Run:
        """One run with its attempts."""
        return made(Run, self.get(f"/runs/{run_id}"))

    def start(
        self,
        group: str,
        workflow: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        reason: str | None = None,
        key: str | None = None,
    ) -> Run:
        """Start the released workflow.

        Parameters
        ----------
        parameters : JSON values that fit the workflow's schema.
        key : the same key again starts nothing more, for 24 hours.
        """
        body = {"parameters": dict(parameters or {}), "reason": reason}
        path = f"/workflows/{group}/{workflow}/runs"
        return made(Run, self.call("POST", path, body=body, key=key))

    def repeat(
        self,
        run_id: UUID | str,
        parameters: Mapping[str, Any] | None = None,
        *,
        reason: str | None = None,
        key: str | None = None,
    ) -> Run:
        """Start the workflow of a run again, with the same parameters or with these instead."""
        given = None if parameters is None else dict(parameters)
        body = {"parameters": given, "reason": reason}
        return made(Run, self.call("POST", f"/runs/{run_id}/repeats", body=body, key=key))

    def cancel(self, run_id: UUID | str, *, reason: str | None = None, force: bool = False) -> Run:
        """Cancel a run; by force without waiting for its container to stop."""
        body = {"reason": reason, "force": force}
        return made(Run, self.post(f"/runs/{run_id}/cancellations", body))

    def wait(self, run_id: UUID | str, *, timeout: float = 24 * 3600.0) -> Run:
        """The run when it has ended, however it did.

        Parameters
        ----------
        timeout : seconds; then `TookTooLong` is raised, and the run goes on.
        """
        end, pause = time.monotonic() + timeout, _FIRST_PAUSE
        while not (run := self.run(run_id)).ended:
            if time.monotonic() + pause >= end:
                raise TookTooLong(
                    f"The run {run_id} has not ended within {timeout:g} s.",
                    why=f"It is {run.state}.",
                    fix="Look again later.",
                )
            time.sleep(pause)
            pause = min(pause * 1.3, _LONGEST_PAUSE)
        return run

    def steps(self, run_id: UUID | str) -> Iterator[RunStep]:
        """The operations of a run with their results, in the order in which they came to be."""
        return (made(RunStep, one) for one in self.items(f"/runs/{run_id}/steps", ALL))

    def output(self, run_id: UUID | str, attempt: int | None = None) -> str:
        """What the container of an attempt has written; of the newest one by default."""
        return str(self.get(f"/runs/{run_id}/output", attempt=attempt)["text"])

    def why(self, run_id: UUID | str, step: str | None = None) -> Why:
        """Why a run waits, or one of its steps, by the operation's name or the step's id."""
        return made(Why, self.get(f"/runs/{run_id}/why", step=step))

    # -- failures, and many runs -----------------------------------------------

    def causes(self, *, since: datetime | None = None, muted: bool = False) -> Iterator[Cause]:
        """What failed, by cause, the one seen last first."""
        at = None if since is None else since.isoformat()
        return (made(Cause, one) for one in self.items("/causes", ALL, since=at, muted=muted))

    def preview_bulk(
        self,
        action: str,
        query: str | None = None,
        *,
        ids: Sequence[UUID | str] | None = None,
        reason: str,
        **arguments: Any,
    ) -> BulkPreview:
        """How many runs an action would be about, and five of them."""
        body = _bulk(action, query, ids, reason, arguments)
        return made(BulkPreview, self.post("/bulk", body, preview=True))

    def bulk(
        self,
        action: str,
        query: str | None = None,
        *,
        ids: Sequence[UUID | str] | None = None,
        reason: str,
        expected: int | None = None,
        rate: int = 20,
        key: str | None = None,
        **arguments: Any,
    ) -> Bulk:
        """Do something with all runs that a query finds, or with these.

        Parameters
        ----------
        action : 'cancel' or 'repeat'; `arguments` are its own.
        expected : the total of the preview; nothing is done if it is another one now.
        rate : how many a second at most.
        """
        body = _bulk(action, query, ids, reason, arguments) | {"rate": rate, "expected": expected}
        return made(Bulk, self.call("POST", "/bulk", body=body, key=key))

    def bulk_state(self, bulk_id: UUID | str) -> Bulk:
        """How far an action on many runs has come."""
        return made(Bulk, self.get(f"/bulk/{bulk_id}"))

    # -- groups, schedules, views ----------------------------------------------

    def groups(self) -> Iterator[Group]:
        """The workflow groups."""
        return (made(Group, one) for one in self.items("/groups", ALL))

    def schedules(
        self, *, group: str | None = None, workflow: str | None = None
    ) -> Iterator[Schedule]:
        """The schedules in force, newest first."""
        wanted = {"group": group, "workflow": workflow}
        return (made(Schedule, one) for one in self.items("/schedules", ALL, **wanted))

    def pause(self, schedule_id: UUID | str, reason: str) -> Schedule:
        """From now on due instants of a schedule are skipped."""
        return made(Schedule, self.post(f"/schedules/{schedule_id}/pauses", {"reason": reason}))

    def resume(self, schedule_id: UUID | str, reason: str | None = None) -> Schedule:
        """From now on due instants of a schedule run again."""
        return made(Schedule, self.delete(f"/schedules/{schedule_id}/pauses", reason=reason))

    def views(self, screen: str = "runs") -> list[View]:
        """The saved views of a screen, those that are built in first."""
        return [made(View, one) for one in self.get("/views", screen=screen)["items"]]

    # -- what happens ----------------------------------------------------------

    def events(self, *topics: str, last_id: str | None = None) -> Iterator[Event]:
        """What changes, while it happens: 'runs', 'schedules', ...; all topics by default.

        The server ends a stream after ten minutes; go on with the `last_id` of the last event.
        """
        for fields in self.stream("/events", last_id=last_id, topic=list(topics) or None):
            if fields["event"] != "ready":
                yield _event(fields)


def _bulk(
    action: str,
    query: str | None,
    ids: Sequence[UUID | str] | None,
    reason: str,
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "action": action,
        "query": query,
        "ids": None if ids is None else [str(one) for one in ids],
        "reason": reason,
        "arguments": dict(arguments),
    }


def _event(fields: Mapping[str, str]) -> Event:
    data = json.loads(fields.get("data", "{}"))
    return Event(
        topic=fields["event"],
        what=data.get("what", ""),
        id=data.get("id", ""),
        at=datetime.fromisoformat(data["at"]) if "at" in data else None,
        last_id=fields.get("id"),
    )
