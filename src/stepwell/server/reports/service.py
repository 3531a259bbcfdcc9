"""Add, list and read reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from stepwell import clock
from stepwell.errors import InvalidInput, NotFound
from stepwell.ids import new_id
from stepwell.server.blobs import service as blobs
from stepwell.server.blobs.service import BlobStore
from stepwell.server.database.tables import report_samples as samples
from stepwell.server.database.tables import reports as t
from stepwell.server.database.tables import runs
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.reports.records import Content, NewReport, Origin, Report

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one report that is not uploaded first."""
MOST: Final = 200
"""Reports of one run."""

_OF_NO_TRIAL: Final = ~exists().where(runs.c.id == t.c.run_id, runs.c.trial.is_not(None))
_SHOWN: Final = [column for column in t.c if column.name not in ("content", "blob_id")]


class ReportNotFound(NotFound):
    """No report has this id, or none that name."""

    code = "report-not-found"


class ReportRefused(InvalidInput):
    """A report without content, too large, or one too many."""

    code = "report-refused"


def check(new: NewReport, content: bytes | None) -> None:
    """Refuse what could not be kept; raises `ReportRefused`."""
    if content is None:
        raise ReportRefused(
            f"The report {new.name!r} has no content.",
            fix="Send it as base64, or upload it and send the blob's id.",
        )
    if len(content) > LARGEST:
        raise ReportRefused(
            f"The report {new.name!r} takes {len(content):,} bytes.",
            why=f"At most {LARGEST:,} bytes travel with what is said of a report.",
            fix="Upload it first, or report a sample and keep the data elsewhere.",
        )


def add(conn: Connection, new: NewReport, content: Content, origin: Origin) -> UUID | None:
    """Keep a report, in the transaction that settles its operation (R38).

    None where it is not one of the sample.

    Raises
    ------
    ReportRefused : the run has too many.
    """
    if new.every != 1 and not _sampled(conn, new, origin):
        return None
    return add_kept(conn, new, content, origin)


def add_kept(conn: Connection, new: NewReport, content: Content, origin: Origin) -> UUID:
    """Keep a report whatever the sample says: of an operation that failed."""
    _check_count(conn, origin.run_id)
    report_id, now = new_id(), clock.now()
    days = new.keep_days
    values = {
        "id": report_id,
        "group_name": origin.group,
        "workflow": origin.workflow,
        "operation": origin.operation,
        "run_id": origin.run_id,
        "step_id": origin.step_id,
        "size": content.size,
        "content": content.data,
        "blob_id": content.blob_id,
        "of_failure": origin.failed,
        "created_at": now,
        "keep_until": None if days is None else now + timedelta(days=days),
        **new.model_dump(include={"name", "kind", "media_type"}),
    }
    conn.execute(insert(t).values(**values))
    return report_id


def _sampled(conn: Connection, new: NewReport, origin: Origin) -> bool:
    """Count the report, and say whether it is the one of so many that is kept."""
    if new.every == 0:
        return False
    key = {"group_name": origin.group, "workflow": origin.workflow, "name": new.name}
    into = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    counted = into(samples).values(seen=1, **key)
    counted = counted.on_conflict_do_update(
        index_elements=list(key), set_={"seen": samples.c.seen + 1}
    )
    seen = int(conn.execute(counted.returning(samples.c.seen)).scalar_one())
    return (seen - 1) % new.every == 0


def listed(conn: Connection, pages: Paging, **equal: Any) -> Page[Report]:
    """Reports, newest first; `equal` filters by run_id, group_name, workflow, operation, name."""
    query = select(*_SHOWN)
    for name, value in equal.items():
        query = query if value is None else query.where(t.c[name] == value)
    return paged(conn, query, pages, by=[t.c.created_at, t.c.id], make=_report)


def latest(conn: Connection, group: str, workflow: str, name: str) -> Report:
    """The newest report of that name, but of no trial; raises `ReportNotFound`."""
    of = (t.c.group_name == group, t.c.workflow == workflow, t.c.name == name)
    query = (
        select(*_SHOWN)
        .where(*of, _OF_NO_TRIAL)
        .order_by(t.c.created_at.desc(), t.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise ReportNotFound(
            f"{group}/{workflow} has no report {name!r}.", fix="See GET /api/v1/reports."
        )
    return _report(row)


def get(conn: Connection, report_id: UUID) -> Report:
    """One report; raises `ReportNotFound`."""
    row = conn.execute(select(*_SHOWN).where(t.c.id == report_id)).mappings().one_or_none()
    if row is None:
        raise ReportNotFound(f"There is no report {report_id}.", fix="See GET /api/v1/reports.")
    return _report(row)


def content(conn: Connection, store: BlobStore, report_id: UUID) -> bytes:
    """The content; raises `ReportNotFound`, `BlobMissing`, `BlobStoreUnavailable`."""
    get(conn, report_id)
    query = select(t.c.content, t.c.blob_id).where(t.c.id == report_id)
    found = conn.execute(query).one()
    data: bytes = found.content if found.blob_id is None else store.get(found.blob_id)
    return data


def before(conn: Connection, report: Report) -> Report | None:
    """The report of the same name before this one."""
    of = (
        t.c.group_name == report.group,
        t.c.workflow == report.workflow,
        t.c.name == report.name,
        tuple_(t.c.created_at, t.c.id)
        < tuple_(literal(report.created_at, t.c.created_at.type), literal(report.id, t.c.id.type)),
    )
    query = select(*_SHOWN).where(*of, _OF_NO_TRIAL)
    query = query.order_by(t.c.created_at.desc(), t.c.id.desc()).limit(1)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _report(row)


def remove(conn: Connection, which: ColumnElement[bool], limit: int) -> int:
    """Remove reports and let go of their blobs; how many."""
    query = select(t.c.id, t.c.blob_id).where(which).limit(limit)
    rows = conn.execute(query).all()
    blobs.drop(conn, [row.blob_id for row in rows if row.blob_id is not None])
    if rows:
        conn.execute(delete(t).where(t.c.id.in_([row.id for row in rows])))
    return len(rows)


def is_full(conn: Connection, run_id: UUID) -> bool:
    """Whether the run keeps as many reports as it may."""
    has = conn.execute(select(func.count()).where(t.c.run_id == run_id)).scalar_one()
    return bool(has >= MOST)


def _check_count(conn: Connection, run_id: UUID) -> None:
    if is_full(conn, run_id):
        raise ReportRefused(
            f"The run {run_id} has {MOST} reports.",
            why=f"A run keeps at most {MOST}.",
            fix="Put several tables into one report.",
        )


def _report(row: RowMapping) -> Report:
    return Report(group=row["group_name"], **{k: v for k, v in row.items() if k != "group_name"})
