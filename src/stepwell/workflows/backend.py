"""Where an operation's state and reports are kept: on a server, or locally.

Whatever an operation writes is staged under its claim, and committed by the
settlement that ends it well, or never (R38).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from stepwell.errors import NotFound, StepwellError, StoreUnavailable
from stepwell.events import emit
from stepwell.ids import new_id
from stepwell.step import Claim
from stepwell.stores.http import ServerLink
from stepwell.workflows.context import Facts, Versioned, Write
from stepwell.workflows.messages import Effects
from stepwell.workflows.reports import Report

T = TypeVar("T")

SHOW_EVERY: Final = 1.0
"""Seconds between two posts of how far an operation is."""

BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries while the server cannot be reached; the last one repeats."""


class Backend(Protocol):
    """State and reports. Scopes are whole: 'group', 'workflow:w' or 'operation:w/o'."""

    def read(self, scope: str, key: str) -> Versioned | None:
        """The committed entry, or None."""
        ...

    def write_now(self, claim: Claim, write: Write) -> None:
        """Commit a change at once; raises `Conflict` if the entry has another version."""
        ...

    def stage(self, claim: Claim, effects: Effects) -> None:
        """Keep what commits with the settlement of this claim."""
        ...

    def progress(self, claim: Claim, done: float, total: float | None, note: str) -> None:
        """Show how far the operation is, if that can be done now."""
        ...


class OperationDesk:
    """Serves the calls of one running operation; knows which scopes are its own."""

    def __init__(self, backend: Backend, claim: Claim, facts: Facts) -> None:
        self._backend = backend
        self._claim = claim
        self._facts = facts
        self._shown = -SHOW_EVERY

    def read(self, scope: str, key: str) -> Versioned | None:
        """The committed entry of one of this operation's scopes."""
        return self._backend.read(whole_scope(self._facts, scope), key)

    def write_now(self, write: Write) -> None:
        """Commit a change at once."""
        self._backend.write_now(self._claim, self._whole(write))

    def progress(self, done: float, total: float | None, note: str) -> None:
        """Emit it as an event; show it, but not more often than people look."""
        emit(
            "operation.progress",
            step=self._claim.step_id,
            operation=self._facts.operation,
            done=done,
            total=total,
            note=note,
        )
        now = time.monotonic()
        if now - self._shown >= SHOW_EVERY or done == total:
            self._shown = now
            self._backend.progress(self._claim, done, total, note)

    def stage(self, effects: Effects) -> None:
        """Keep what the operation leaves for its settlement."""
        whole = [self._whole(write) for write in effects.writes]
        self._backend.stage(self._claim, replace(effects, writes=whole))

    def _whole(self, write: Write) -> Write:
        return replace(write, scope=whole_scope(self._facts, write.scope))


def whole_scope(facts: Facts, scope: str) -> str:
    """A scope with the names of whom it belongs to."""
    match scope:
        case "workflow":
            return f"workflow:{facts.workflow}"
        case "operation":
            return f"operation:{facts.workflow}/{facts.operation}"
    return "group"


class HttpBackend:
    """State and reports on a Stepwell server. A server that is away is waited for."""

    def __init__(self, link: ServerLink, run_id: UUID) -> None:
        self._link = link
        self._path = f"/api/v1/runs/{run_id}"

    def read(self, scope: str, key: str) -> Versioned | None:
        """The committed entry, or None."""
        try:
            found = patiently(lambda: self._link.get(f"{self._path}/state", scope=scope, key=key))
        except NotFound:
            return None
        return Versioned(found["value"], found["version"]) if found["exists"] else None

    def write_now(self, claim: Claim, write: Write) -> None:
        """Commit a change at once. A swap is not sent again: it may have been applied, and
        would then be told that it came too late."""
        delays = None if write.expect_version is None else ()
        self._post(claim, "state", asdict(write), delays=delays)

    def stage(self, claim: Claim, effects: Effects) -> None:
        """Post each write and report."""
        for write in effects.writes:
            self._post(claim, "state", asdict(write))
        for report in effects.reports:
            content = base64.b64encode(report.content).decode()
            self._post(claim, "report", about(report), content)

    def progress(self, claim: Claim, done: float, total: float | None, note: str) -> None:
        """Post it once; what is lost is made good by the next."""
        place = {"step_id": str(claim.step_id), "claim_no": claim.claim_no}
        told = {"done": done, "total": total, "note": note[:500]}
        try:
            self._link.post(f"{self._path}/progress", {**place, **told})
        except StepwellError as error:
            emit("operation.progress_lost", step=claim.step_id, error=str(error))

    def _post(
        self,
        claim: Claim,
        kind: str,
        payload: dict[str, Any],
        content: str | None = None,
        *,
        delays: Iterable[float] | None = None,
    ) -> None:
        body = {
            "id": str(new_id()),
            "step_id": str(claim.step_id),
            "claim_no": claim.claim_no,
            "kind": kind,
            "payload": payload,
            "content": content,
        }
        patiently(lambda: self._link.post(f"{self._path}/staged", body), delays)


def about(report: Report) -> dict[str, str]:
    """What is known of a report besides its content."""
    return {"name": report.name, "kind": report.kind, "media_type": report.media_type}


def patiently(call: Callable[[], T], delays: Iterable[float] | None = None) -> T:
    """What `call` returns, tried again while the server cannot be reached.

    Raises
    ------
    StoreUnavailable : still not, after `delays` (seconds); by default it never gives up.
    """
    for delay in _forever() if delays is None else delays:
        try:
            return call()
        except StoreUnavailable as error:
            emit("server.away", error=str(error), retry_after=delay)
            time.sleep(delay)
    return call()


def _forever() -> Iterable[float]:
    yield from BACKOFF
    while True:
        yield BACKOFF[-1]
