"""The verbs about controls, on one connection."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.sqlite.rows import instant
from stepwell.stores.sqlite.statements import Statements


def set_control(sql: Statements, control: Control, now: datetime) -> None:
    """Insert the control, or replace the one of its kind and key."""
    values = {
        "kind": control.kind,
        "key": control.key,
        "slots": control.slots,
        "period": control.period,
        "reason": control.reason,
        "changed_by": control.changed_by,
        "now": instant(now),
        "open_at": instant(now + timedelta(seconds=control.spacing)),
    }
    sql.run("set_control", values)


def drop_control(sql: Statements, kind: ControlKind, key: str) -> bool:
    """Delete the control; False if there is none."""
    delete = "DELETE FROM stepwell_controls WHERE kind = ? AND key = ?"
    return bool(sql.execute(delete, [kind, key]).rowcount)


def controls(sql: Statements) -> list[Control]:
    """All controls, by kind and key."""
    return [_control(*row) for row in sql.run("controls", {})]


def _control(
    kind: str, key: str, slots: Any, period: Any, free_at: Any, reason: Any, by: Any, at: str
) -> Control:
    return Control(
        kind=ControlKind(kind),
        key=key,
        slots=slots,
        period=period,
        next_free_at=free_at and datetime.fromisoformat(free_at),
        reason=reason,
        changed_by=by,
        changed_at=datetime.fromisoformat(at),
    )
