"""What the room keeps for some time only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import ColumnElement, func, select

from stepwell.server.database.tables import reports as t
from stepwell.server.reports import service
from stepwell.server.retention.records import Kind
from stepwell.server.services import Services
from stepwell.server.settings import Settings

_Old: TypeAlias = Callable[[datetime], ColumnElement[bool]]


def _kind(name: str, what: str, days: Callable[[Settings], int | None], old: _Old) -> Kind:
    def sweep(services: Services, before: datetime, limit: int) -> int:
        with services.db.write() as conn:
            return service.remove(conn, old(before), limit)

    def count(services: Services, before: datetime, limit: int) -> int:
        some = select(t.c.id).where(old(before)).limit(limit).subquery()
        with services.db.read() as conn:
            return conn.execute(select(func.count()).select_from(some)).scalar_one()

    return Kind(name, what, days, sweep, count)


def _undated(before: datetime) -> ColumnElement[bool]:
    return (t.c.created_at < before) & t.c.keep_until.is_(None)


def _dated(before: datetime) -> ColumnElement[bool]:
    return t.c.keep_until < before


KINDS: Final = (
    _kind("reports", "What operations show.", lambda one: one.keep_report_days, _undated),
    _kind(
        "dated-reports",
        "Reports of operations that say for how long they are kept, after that time.",
        lambda _: 0,
        _dated,
    ),
)
