"""Add, list and read reports."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, insert, select

from stepwell import clock
from stepwell.errors import InvalidInput, NotFound
from stepwell.ids import new_id
from stepwell.server.database.tables import reports as t
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.reports.records import NewReport, Origin, Report

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one report."""
MOST: Final = 200
"""Reports of one run."""

_SHOWN: Final = [column for column in t.c if column.name != "content"]


class ReportNotFound(NotFound):
    """No report has this id, or none that name."""

    code = "report-not-found"


class ReportRefused(InvalidInput):
    """A report without content, too large, or one too many."""

    code = "report-refused"


def check(new: NewReport, content: bytes | None) -> None:
    """Refuse what could not be kept; raises `ReportRefused`."""
    if content is None:
        raise ReportRefused(f"The report {new.name!r} has no content.", fix="Send it as base64.")
    if len(content) > LARGEST:
        raise ReportRefused(
            f"The report {new.name!r} takes {len(content):,} bytes.",
            why=f"At most {LARGEST:,} bytes are kept.",
            fix="Report a sample, and keep the data elsewhere.",
        )


def add(conn: Connection, new: NewReport, content: bytes, origin: Origin) -> UUID:
    """Keep a report, in the transaction that settles its operation (R38).

    Raises
    ------
    ReportRefused : no content, too large, or the run has too many.
    """
    check(new, content)
    _check_count(conn, origin.run_id)
    report_id = new_id()
    values = {
        "id": report_id,
        "group_name": origin.group,
        "workflow": origin.workflow,
        "operation": origin.operation,
        "run_id": origin.run_id,
        "step_id": origin.step_id,
        "size": len(content),
        "content": content,
        "created_at": clock.now(),
        **new.model_dump(),
    }
    conn.execute(insert(t).values(**values))
    return report_id


def listed(conn: Connection, pages: Paging, **equal: Any) -> Page[Report]:
    """Reports, newest first; `equal` filters by run_id, group_name, workflow, operation, name."""
    query = select(*_SHOWN)
    for name, value in equal.items():
        query = query if value is None else query.where(t.c[name] == value)
    return paged(conn, query, pages, by=[t.c.created_at, t.c.id], make=_report)


def latest(conn: Connection, group: str, workflow: str, name: str) -> Report:
    """The newest report of that name; raises `ReportNotFound`."""
    of = (t.c.group_name == group, t.c.workflow == workflow, t.c.name == name)
    query = select(*_SHOWN).where(*of).order_by(t.c.created_at.desc(), t.c.id.desc()).limit(1)
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


def content(conn: Connection, report_id: UUID) -> bytes:
    """The content; raises `ReportNotFound`."""
    get(conn, report_id)
    found: bytes = conn.execute(select(t.c.content).where(t.c.id == report_id)).scalar_one()
    return found


def _check_count(conn: Connection, run_id: UUID) -> None:
    has = conn.execute(select(func.count()).where(t.c.run_id == run_id)).scalar_one()
    if has >= MOST:
        raise ReportRefused(
            f"The run {run_id} has {has} reports.",
            why=f"A run keeps at most {MOST}.",
            fix="Put several tables into one report.",
        )


def _report(row: RowMapping) -> Report:
    return Report(group=row["group_name"], **{k: v for k, v in row.items() if k != "group_name"})
