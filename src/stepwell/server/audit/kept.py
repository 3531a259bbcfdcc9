"""Old entries of the audit log: the horizon moves, and what lies beyond it may go."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, update

from stepwell.server.audit import service
from stepwell.server.database.guards import DAYS
from stepwell.server.database.tables import audit, audit_horizon
from stepwell.server.retention.records import Kind
from stepwell.server.services import Services


def _sweep(services: Services, before: datetime, limit: int) -> int:
    old = select(audit.c.id).where(audit.c.at < before).limit(limit)
    with services.db.write() as conn:
        conn.execute(
            update(audit_horizon).where(audit_horizon.c.before < before).values(before=before)
        )
        gone = conn.execute(delete(audit).where(audit.c.id.in_(old))).rowcount
        if gone:
            told = {"removed": gone, "before": before.isoformat()}
            service.record(conn, "retention", "audit.sweep", "audit", None, told)
    return gone


def _count(services: Services, before: datetime, limit: int) -> int:
    old = select(audit.c.id).where(audit.c.at < before).limit(limit).subquery()
    with services.db.read() as conn:
        return conn.execute(select(func.count()).select_from(old)).scalar_one()


KINDS: Final = (
    Kind(
        "audit",
        "Entries of the audit log; that they went is an entry.",
        lambda settings: settings.keep_audit_days,
        _sweep,
        _count,
        least=DAYS + 1,
    ),
)
