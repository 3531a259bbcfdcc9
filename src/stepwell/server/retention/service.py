"""Sweep what was kept for long enough, a bounded number at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import InvalidInput, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.kept import KINDS
from stepwell.server.retention import queries
from stepwell.server.retention.records import Kind, Mark, NewPolicy, Policy, Prospect
from stepwell.server.runs import service as runs
from stepwell.server.services import Services
from stepwell.server.settings import Settings

AT_ONCE: Final = 500
"""So many are removed in one transaction at most."""


COUNTED: Final = 10_000
"""A preview counts no further."""


class PolicyTooShort(InvalidInput):
    """Something else needs the kind for longer."""

    code = "policy-too-short"


class KindUnknown(NotFound):
    """Nothing of that name is kept."""

    code = "kind-unknown"


@dataclass(frozen=True, slots=True)
class Removed:
    """What one pass removed; `more` says that its time was over before all was."""

    count: int
    more: bool


def kind(name: str) -> Kind:
    """The kind of that name; raises `KindUnknown`."""
    for one in KINDS:
        if one.name == name:
            return one
    raise KindUnknown(
        f"Nothing is kept under the name {name!r}.",
        fix=f"There are: {', '.join(one.name for one in KINDS)}.",
    )


def before(services: Services, one: Kind) -> datetime | None:
    """What was over before this instant may go; None where it is kept for ever."""
    with services.db.read() as conn:
        days = in_force(conn, services.settings, one).days
    return None if days is None else services.clock.now() - timedelta(days=days)


def in_force(conn: Connection, settings: Settings, one: Kind) -> Policy:
    """The policy of a kind: what somebody has decided, else what the settings say."""
    return _policy(one, settings, queries.policies(conn).get(one.name))


def policies(conn: Connection, settings: Settings) -> list[Policy]:
    """All of them, in the order in which they are swept."""
    decided = queries.policies(conn)
    return [_policy(one, settings, decided.get(one.name)) for one in KINDS]


def decide(conn: Connection, settings: Settings, name: str, asked: NewPolicy, *, by: str) -> Policy:
    """Keep a kind for longer or shorter than the settings say.

    Raises
    ------
    KindUnknown
    PolicyTooShort : something else needs it for longer.
    """
    one = kind(name)
    if asked.days is not None and asked.days < one.least:
        raise PolicyTooShort(
            f"{one.name} cannot be kept for {asked.days} days only.",
            why=f"At least {one.least} are needed.",
            fix=f"Give {one.least} or more.",
        )
    was = in_force(conn, settings, one)
    told = {"days": asked.days, "reason": asked.reason}
    queries.replace(conn, name, changed_by=by, changed_at=clock.now(), **told)
    return _told(conn, settings, one, was, asked.reason, by)


def undecide(
    conn: Connection, settings: Settings, name: str, reason: str | None, *, by: str
) -> Policy:
    """Back to what the settings say. Raises `KindUnknown`."""
    one = kind(name)
    was = in_force(conn, settings, one)
    queries.drop(conn, name)
    return _told(conn, settings, one, was, reason, by)


def prospects(
    services: Services, names: Sequence[str] = (), days: int | None = None
) -> list[Prospect]:
    """What the next sweeps would remove, or would if things were kept for so many days.

    It changes nothing. Raises `KindUnknown`.
    """
    return [_prospect(services, one, days) for one in ([kind(name) for name in names] or KINDS)]


def keep_run(conn: Connection, run_id: UUID, reason: str, *, by: str) -> Mark:
    """Keep a run whatever the policy says, until the mark is taken off again."""
    return _mark(conn, run_id, reason, "run.keep", reason, by)


def let_run_go(conn: Connection, run_id: UUID, reason: str | None, *, by: str) -> Mark:
    """Take the mark off."""
    return _mark(conn, run_id, None, "run.let-go", reason, by)


def sweep(services: Services, one: Kind, *, seconds: float) -> Removed:
    """Remove what is old, in short transactions, for so many seconds at most."""
    old, ends, removed = before(services, one), time.monotonic() + seconds, 0
    if old is None:
        return Removed(0, more=False)
    while True:
        gone = one.sweep(services, old, AT_ONCE)
        removed += gone
        if gone < AT_ONCE:
            return Removed(removed, more=False)
        if time.monotonic() >= ends:
            return Removed(removed, more=True)


def _prospect(services: Services, one: Kind, days: int | None) -> Prospect:
    if days is None:
        old = before(services, one)
    else:
        old = services.clock.now() - timedelta(days=max(days, one.least))
    count = 0 if old is None else one.count(services, old, COUNTED + 1)
    return Prospect(kind=one.name, before=old, count=min(count, COUNTED), more=count > COUNTED)


def _policy(one: Kind, settings: Settings, row: queries.Row | None) -> Policy:
    default = one.days(settings)
    fields: dict[str, Any] = {
        "kind": one.name,
        "what": one.what,
        "default_days": default,
        "least_days": one.least,
    }
    if row is None:
        return Policy(**fields, days=default)
    return Policy(**fields, **{name: row[name] for name in _DECIDED})


_DECIDED: Final = ("days", "changed_by", "changed_at", "reason")


def _told(
    conn: Connection, settings: Settings, one: Kind, was: Policy, reason: str | None, by: str
) -> Policy:
    now = in_force(conn, settings, one)
    told = {"before": {"days": was.days}, "after": {"days": now.days}}
    audit.record(conn, by, "retention.change", one.name, reason, None, **told)
    return now


def _mark(
    conn: Connection, run_id: UUID, mark: str | None, action: str, reason: str | None, by: str
) -> Mark:
    row = queries.mark(conn, run_id)
    if row is None:
        raise runs.RunNotFound(f"There is no run {run_id}.", fix="See `stepwell runs list`.")
    if row["keep_reason"] != mark:
        queries.set_mark(conn, run_id, mark)
        told = audit.sides(row, {"keep_reason": mark}, "keep_reason")
        audit.record(conn, by, action, str(run_id), reason, **told)
    return Mark(run_id=run_id, reason=mark)
