"""Preview, start, follow and end an action on many runs; one piece of it at a time."""

from __future__ import annotations

import shlex
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Conflict, InvalidInput, NotFound, StepwellError, Unavailable
from stepwell.events import emit
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.bulk import actions, queries
from stepwell.server.bulk.records import Bulk, BulkPreview, BulkState, NewBulk
from stepwell.server.database.session import Database
from stepwell.server.database.tables import bulk
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.runs.service import shown
from stepwell.server.search import service as search
from stepwell.server.services import QUEUE, Services
from stepwell.step import new_step

BULK: Final = "v1/server/bulk"
MOST: Final = 100_000
"""So many runs one action may be about."""
KEPT: Final = 100
"""So many failures are kept in words."""


class BulkNotFound(NotFound):
    """No action on many runs has this id."""

    code = "bulk-not-found"


class BulkTooLarge(InvalidInput):
    """The query finds more runs than one action may be about."""

    code = "bulk-too-large"


class BulkCountChanged(Conflict):
    """The query finds another number of runs than the preview has shown."""

    code = "bulk-count-changed"


class BulkEnded(Conflict):
    """It has ended, so it cannot be cancelled."""

    code = "bulk-ended"


def preview(conn: Connection, asked: NewBulk, *, by: str) -> BulkPreview:
    """What would be done, to how many; nothing is.

    Raises
    ------
    QueryInvalid, ActionUnknown, BulkTooLarge.
    """
    actions.check(asked.action, asked.arguments)
    chosen = _chosen(asked.query, asked.ids, by)
    rows = search.newest(conn, chosen.plan(conn), 5)
    return BulkPreview(
        action=asked.action,
        total=_total(conn, chosen),
        sample=[shown(row) for row in rows],
        command=_command(asked),
        as_of=chosen.until,
    )


def start(conn: Connection, db: Database, asked: NewBulk, *, by: str) -> Bulk:
    """Begin; a step of the server goes on with it.

    Raises
    ------
    QueryInvalid, ActionUnknown, BulkTooLarge, BulkCountChanged.
    """
    actions.check(asked.action, asked.arguments)
    chosen = _chosen(asked.query, asked.ids, by)
    total, made = _total(conn, chosen), new_id()
    if asked.expected not in (None, total):
        raise BulkCountChanged(
            f"There are {total} runs now, not {asked.expected}.",
            why="Some have come, gone or changed since the preview.",
            fix="Look at the preview again.",
        )
    queries.add(
        conn,
        id=made,
        action=asked.action,
        arguments=asked.arguments,
        query=asked.query,
        ids=None if asked.ids is None else [str(one) for one in asked.ids],
        state=BulkState.RUNNING,
        total=total,
        more=False,
        done=0,
        failed=0,
        failures=[],
        rate=asked.rate,
        reason=asked.reason,
        created_by=by,
        created_at=chosen.until,
    )
    step = new_step(BULK, {"id": str(made)}, queue=QUEUE, unique_key=str(made))
    db.steps(conn).add([seal(step, JSON, clock.now())])
    told = asked.model_dump(include={"query", "ids", "arguments", "rate"}) | {"total": total}
    audit.record(conn, by, f"bulk.{asked.action}", str(made), asked.reason, after=told)
    return get(conn, made)


def _total(conn: Connection, chosen: search.Chosen) -> int:
    total, more = chosen.count(conn, MOST)
    if more:
        raise BulkTooLarge(
            f"The query finds more than {MOST:,} runs, or looks at too many.",
            fix="Narrow it, for example by since: and until:.",
        )
    return total


def _chosen(query: str | None, ids: list[UUID] | None, by: str) -> search.Chosen:
    return search.Chosen(query, ids, clock.now(), by)


def _command(asked: NewBulk) -> str:
    words = ["stepwell", "bulk", "start", asked.action]
    words += [asked.query] if asked.query is not None else []
    words += [f"--id={one}" for one in asked.ids or ()]
    for name, value in asked.arguments.items():
        told = value if isinstance(value, str) else JSON.encode(value)
        words += ["--param", f"{name}={told}"]
    return shlex.join([*words, "--reason", asked.reason])


def get(conn: Connection, bulk_id: UUID) -> Bulk:
    """One of them; raises `BulkNotFound`."""
    return _shown(_found(queries.get(conn, bulk_id), bulk_id))


def listed(conn: Connection, pages: Paging) -> Page[Bulk]:
    """All of them, newest first."""
    by = [bulk.c.created_at, bulk.c.id]
    return paged(conn, queries.listed(), pages, by=by, make=_shown)


def cancel(conn: Connection, bulk_id: UUID, reason: str | None, *, by: str) -> Bulk:
    """Stop after the piece that is under way; what is done stays done.

    Raises
    ------
    BulkNotFound, BulkEnded.
    """
    row = _found(queries.lock(conn, bulk_id), bulk_id)
    if row["state"] != BulkState.RUNNING:
        raise BulkEnded(f"It is {row['state']}.", fix="Nothing is to be done.")
    values = {"state": BulkState.CANCELLED, "finished_at": clock.now()}
    queries.change(conn, bulk_id, **values)
    told = audit.sides(row, values, "state")
    audit.record(conn, by, "bulk.stop", str(bulk_id), reason, {"done": row["done"]}, **told)
    return get(conn, bulk_id)


def go_on(services: Services, bulk_id: UUID) -> bool:
    """Do one piece, as many runs as its rate allows a second; whether there is more to do.

    A run with which it cannot be done is noted, and the others go on. The piece and how far
    it came commit together, so a server that is killed repeats nothing.
    """
    with services.db.write() as conn:
        row = queries.lock(conn, bulk_id)
        if row is None or row["state"] != BulkState.RUNNING:
            return False
        after = None if row["after_at"] is None else (row["after_at"], row["after_id"])
        chosen = search.Chosen(
            row["query"], _uuids(row["ids"]), row["created_at"], row["created_by"]
        )
        piece = chosen.piece(conn, after, row["rate"])
        failures = [one for run in piece.rows if (one := _act(conn, services, row, run))]
        values: dict[str, Any] = {
            "done": row["done"] + len(piece.rows) - len(failures),
            "failed": row["failed"] + len(failures),
            "failures": [*row["failures"], *failures][:KEPT],
        }
        if piece.after is None:
            values |= {"state": BulkState.FINISHED, "finished_at": clock.now()}
        else:
            values |= {"after_at": piece.after[0], "after_id": piece.after[1]}
        queries.change(conn, bulk_id, **values)
    if piece.after is None:
        emit("bulk.finished", bulk=bulk_id, done=values["done"], failed=values["failed"])
    return piece.after is not None


def _act(
    conn: Connection, services: Services, row: RowMapping, run: RowMapping
) -> dict[str, str] | None:
    """What went wrong; None where it worked."""
    item = actions.Item(run["id"], row["reason"], row["created_by"])
    try:
        with conn.begin_nested():
            actions.act(conn, services, row["action"], row["arguments"], item)
    except Unavailable:
        raise
    except StepwellError as error:
        return {"run_id": str(run["id"]), "code": error.code, "what": error.what}
    return None


def _uuids(ids: list[str] | None) -> list[UUID] | None:
    return None if ids is None else [UUID(one) for one in ids]


def _found(row: RowMapping | None, bulk_id: UUID) -> RowMapping:
    if row is None:
        raise BulkNotFound(f"There is no action {bulk_id}.", fix="See `stepwell bulk list`.")
    return row


def _shown(row: RowMapping) -> Bulk:
    return Bulk(**{name: row[name] for name in Bulk.model_fields})
