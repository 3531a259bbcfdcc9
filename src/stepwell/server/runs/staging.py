"""What an operation writes is kept aside until its settlement is applied (R38)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import Conflict, InvalidInput
from stepwell.ids import new_id
from stepwell.server.blobs import service as blobs
from stepwell.server.blobs.service import Kind
from stepwell.server.reports import service as reports
from stepwell.server.reports.records import Content, NewReport, Origin
from stepwell.server.runs import queries, quotas, scopes
from stepwell.server.runs.judgement import operation_of
from stepwell.server.runs.records import Staged, Staging
from stepwell.server.settings import Settings
from stepwell.server.state import service as state
from stepwell.server.state.records import LONGEST_AUTHOR, Author, Write
from stepwell.step import Claim, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction
from stepwell.workflows.errors import StateConflict


class ClaimLost(Conflict):
    """The operation is not claimed any more under that number, so it can write nothing."""

    code = "claim-lost"


def stage(
    conn: Connection, tx: Transaction, run: RowMapping, asked: Staging, settings: Settings
) -> Staged:
    """Keep a write until the claim that it belongs to is settled; `now` writes at once.

    Raises
    ------
    ClaimLost : not this run's step, or not under this claim.
    InvalidInput : a payload that could not be committed later.
    RunQuotaReached : of state.
    StateConflict : with `now`, the entry has another version.
    """
    step = _claimed(tx, run, asked)
    content = _content(asked)
    payload = _checked(asked, content)
    if isinstance(payload, Write):
        quotas.check_keys(conn, settings, run["id"])
    if isinstance(payload, Write) and payload.now:
        return Staged(version=_write(conn, run, step, payload))
    staged_id = asked.id or new_id()
    if queries.is_staged(conn, staged_id):
        return Staged(id=staged_id)
    if isinstance(payload, NewReport):
        _take_place(conn, asked, payload)
    queries.stage(
        conn,
        id=staged_id,
        run_id=run["id"],
        step_id=asked.step_id,
        claim_no=asked.claim_no,
        kind=asked.kind,
        payload=payload.model_dump(mode="json"),
        content=content,
        blob_id=asked.blob,
        created_at=clock.now(),
    )
    if asked.blob is not None:
        blobs.attach(conn, asked.blob, run["id"], Kind.REPORT)
    return Staged(id=staged_id)


def claims(conn: Connection, run_id: UUID) -> set[Claim]:
    """The claims of the run that something is staged under: mostly none."""
    return queries.staged_claims(conn, run_id)


def commit(conn: Connection, run: RowMapping, step: Step, *, keep: bool) -> None:
    """Take what was staged under the step's claim; write it, or drop it."""
    for row in queries.take_staged(conn, step.id, step.claim_no):
        if row["kind"] == "report":
            _commit_report(conn, run, step, row, keep=keep)
        elif keep:
            _write(conn, run, step, Write(**row["payload"]))


def lost(conn: Connection, run: RowMapping, steps: Iterable[Step]) -> None:
    """The container has gone: whatever is still staged is of claims that were lost with it, or
    before, when its engine was silent for too long. As if they had failed (decision 092)."""
    of = {step.id: step for step in steps}
    for claim in sorted(claims(conn, run["id"]), key=lambda one: one.claim_no):
        commit(conn, run, replace(of[claim.step_id], claim_no=claim.claim_no), keep=False)


def _take_place(conn: Connection, asked: Staging, new: NewReport) -> None:
    """One that was staged under the same claim and name is no more."""
    for row in queries.staged_reports(conn, asked.step_id, asked.claim_no):
        if row["payload"]["name"] == new.name:
            blobs.drop(conn, queries.unstage(conn, row["id"]))


def _commit_report(
    conn: Connection, run: RowMapping, step: Step, row: RowMapping, *, keep: bool
) -> None:
    """Keep a report that is wanted, or let go of its blob; a trial's is in nobody's sample."""
    new = NewReport(**row["payload"])
    made, origin = None, _origin(run, step)
    if keep and run["trial"]:
        made = reports.add_kept(conn, new, _kept(conn, row), origin)
    elif keep:
        made = reports.add(conn, new, _kept(conn, row), origin)
    elif new.on_failure and not reports.is_full(conn, run["id"]):  # a failure is never refused
        made = reports.add_kept(conn, new, _kept(conn, row), replace(origin, failed=True))
    if made is None and row["blob_id"] is not None:
        blobs.drop(conn, [row["blob_id"]])


def _kept(conn: Connection, row: RowMapping) -> Content:
    if row["blob_id"] is not None:
        return Content(blobs.size(conn, row["blob_id"]), blob_id=row["blob_id"])
    return Content(len(row["content"]), row["content"])


def _claimed(tx: Transaction, run: RowMapping, asked: Staging) -> Step:
    query = StepQuery(ids=(asked.step_id,), flow_id=run["id"], status=StepStatus.READY)
    for step in tx.search(query):
        if step.claim_no == asked.claim_no and step.claimed_by is not None:
            return step
    raise ClaimLost(
        f"The step {asked.step_id} is not claimed under number {asked.claim_no}.",
        why="It has ended, or runs elsewhere by now.",
        fix="Nothing; whoever runs it now writes its own.",
    )


def _checked(asked: Staging, content: bytes | None) -> Write | NewReport:
    """The payload by its kind, so that committing it cannot fail for its form."""
    try:
        if asked.kind == "state":
            write = Write(**asked.payload)
            state.check(write)
            return write
        new = NewReport(**asked.payload)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"The payload of a staged {asked.kind} does not fit: {place}: {first['msg']}.",
            fix="See docs/reference for what it holds.",
        ) from error
    if asked.blob is None:
        reports.check(new, content)
    return new


def _content(asked: Staging) -> bytes | None:
    try:
        return None if asked.content is None else base64.b64decode(asked.content, validate=True)
    except binascii.Error as error:
        raise InvalidInput("The content is not base64.", why=f"{error}.") from error


def _write(conn: Connection, run: RowMapping, step: Step, wanted: Write) -> int:
    name = f"{run['workflow']}/{operation_of(step)}"[:LONGEST_AUTHOR]
    author = Author(name=name, run_id=run["id"], step_id=step.id)
    try:
        return scopes.write(conn, run, wanted, author)
    except state.StateChanged as error:
        raise StateConflict(error.what, why=error.why, fix=error.fix) from error


def _origin(run: RowMapping, step: Step) -> Origin:
    return Origin(
        group=run["group_name"],
        workflow=run["workflow"],
        operation=operation_of(step),
        run_id=run["id"],
        step_id=step.id,
    )


def read(conn: Connection, run: RowMapping, scope: str, key: str) -> dict[str, Any]:
    """A value as an operation reads it."""
    entry = scopes.read(conn, run, scope, key)
    if entry is None:
        return {"value": None, "version": 0, "exists": False}
    return {"value": entry.value, "version": entry.version, "exists": True}
