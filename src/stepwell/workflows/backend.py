"""Where an operation's state and reports are kept: on a server, or locally.

Whatever an operation writes is staged under its claim, and committed by the
settlement that ends it well, or never (R38).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from stepwell.errors import NotFound, StepwellError, StoreUnavailable
from stepwell.events import emit
from stepwell.ids import new_id
from stepwell.step import Claim
from stepwell.stores.http import ServerLink
from stepwell.stores.patience import patiently
from stepwell.workflows.context import Facts, Versioned, Write
from stepwell.workflows.messages import Effects
from stepwell.workflows.reports import Report

SMALL: Final = 64 * 1024
"""Bytes up to which a report travels with what is said of it."""
SHOW_EVERY: Final = 1.0
"""Seconds between two posts of how far an operation is."""


class Backend(Protocol):
    """State and reports. Scopes are whole: 'group', 'workflow:w' or 'operation:w/o'."""

    def read(self, scope: str, key: str, operation: str = "") -> Versioned | None:
        """The committed entry, or None; `operation` is who reads it."""
        ...

    def keys(self, scope: str, prefix: str) -> list[str]:
        """The keys of committed entries that begin so, in order."""
        ...

    def write_now(self, claim: Claim, write: Write) -> None:
        """Commit a change at once; raises `Conflict` if the entry has another version."""
        ...

    def stage(self, claim: Claim, effects: Effects) -> None:
        """Keep what commits with the settlement of this claim."""
        ...

    def report(self, claim: Claim, report: Report) -> None:
        """Keep a report for the case that the claim is lost or ends badly, and only for it.

        One of the same name under the claim takes the place of the one before.

        Raises
        ------
        StoreUnavailable : it could not be kept now.
        """
        ...

    def keep(self, content: bytes) -> UUID:
        """Keep bytes, to be referred to by what is staged or settled; their id."""
        ...

    def fetch(self, blob_id: UUID) -> bytes:
        """The bytes again."""
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
        self._unsent: dict[str, Report] = {}

    def read(self, scope: str, key: str) -> Versioned | None:
        """The committed entry of one of this operation's scopes."""
        return self._backend.read(whole_scope(self._facts, scope), key, self._facts.operation)

    def keys(self, scope: str, prefix: str) -> list[str]:
        """The keys of one of this operation's scopes."""
        return self._backend.keys(whole_scope(self._facts, scope), prefix)

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

    def report(self, report: Report) -> None:
        """Keep it for the case that the operation fails; later, if the server is away."""
        self._unsent.pop(report.name, None)
        try:
            self._backend.report(self._claim, report)
        except StoreUnavailable:
            self._unsent[report.name] = report

    def failed(self) -> None:
        """The operation has failed: what could not be kept at once is kept now."""
        for report in self._unsent.values():
            patiently(partial(self._backend.report, self._claim, report))

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

    def read(self, scope: str, key: str, operation: str = "") -> Versioned | None:
        """The committed entry, or None; `operation` is who reads it."""
        where = {"scope": scope, "key": key, **({"operation": operation} if operation else {})}
        try:
            found = patiently(lambda: self._link.get(f"{self._path}/state", **where))
        except NotFound:
            return None
        return Versioned(found["value"], found["version"]) if found["exists"] else None

    def keys(self, scope: str, prefix: str) -> list[str]:
        """The keys of committed entries that begin so, in order."""
        found: list[str] = []
        while True:
            query = {"scope": scope, "prefix": prefix, **({"after": found[-1]} if found else {})}
            page = self._page(query)
            found += page["keys"]
            if not page["more"]:
                return found

    def _page(self, query: dict[str, str]) -> Any:
        return patiently(lambda: self._link.get(f"{self._path}/state-keys", **query))

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
            self._report(claim, report)

    def report(self, claim: Claim, report: Report) -> None:
        """Posted once; in no sample, so that nothing of it stays if all goes well."""
        self._report(claim, replace(report, every=0, on_failure=True), delays=())

    def _report(self, claim: Claim, report: Report, delays: Iterable[float] | None = None) -> None:
        blob = self._uploaded(report, delays) if len(report.content) > SMALL else None
        content = None if blob else base64.b64encode(report.content).decode()
        self._post(claim, "report", about(report), content, blob=blob, delays=delays)

    def _uploaded(self, report: Report, delays: Iterable[float] | None) -> UUID | None:
        """None on an older server, which takes it with what is said of it."""
        try:
            return self._put(report.content, delays)
        except NotFound:
            return None

    def keep(self, content: bytes) -> UUID:
        """Upload it to the run."""
        return self._put(content)

    def _put(self, content: bytes, delays: Iterable[float] | None = None) -> UUID:
        answer = patiently(lambda: self._link.post_bytes(f"{self._path}/blobs", content), delays)
        return UUID(answer["id"])

    def fetch(self, blob_id: UUID) -> bytes:
        """Download it."""
        return patiently(lambda: self._link.get_bytes(f"{self._path}/blobs/{blob_id}"))

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
        blob: UUID | None = None,
        delays: Iterable[float] | None = None,
    ) -> None:
        body = {
            "id": str(new_id()),
            "step_id": str(claim.step_id),
            "claim_no": claim.claim_no,
            "kind": kind,
            "payload": payload,
            "content": content,
            **({} if blob is None else {"blob": str(blob)}),
        }
        patiently(lambda: self._link.post(f"{self._path}/staged", body), delays)


def about(report: Report) -> dict[str, Any]:
    """What is known of a report besides its content; an older server takes what is usual."""
    named = {"name": report.name, "kind": report.kind, "media_type": report.media_type}
    keep = {"every": report.every, "on_failure": report.on_failure, "keep_days": report.keep_days}
    usual = {"every": 1, "on_failure": False, "keep_days": None}
    return named | {key: value for key, value in keep.items() if value != usual[key]}
