"""What operators say about how many runs go on at once; `slots` does the counting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import InvalidInput, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.runs import line, queries, slots


class Kind(StrEnum):
    """What the slots are counted by."""

    POOL = "pool"
    GROUP = "group"
    WORKFLOW = "workflow"


class LimitNotFound(NotFound):
    """No operator has set this limit."""

    code = "limit-not-found"


class LimitNameInvalid(InvalidInput):
    """A name that no pool, group or workflow can have."""

    code = "limit-name-invalid"


class NewLimit(BaseModel):
    """At most so many runs at once; 0 lets none begin. A workflow is named group/workflow."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    name: str = Field(min_length=1, max_length=210, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._/-]*$")
    slots: int = Field(ge=0, le=1_000_000)
    reason: str | None = Field(default=None, max_length=1000)


class RunLimit(BaseModel):
    """A limit with its use. `declared`: a pool that workflows name and nobody has sized.

    `held` are the runs that go on, `waiting` those in line, `holders` the oldest that hold.
    """

    kind: Kind
    name: str
    slots: int
    held: int
    waiting: int
    holders: list[UUID]
    declared: bool
    reason: str | None
    changed_by: str | None
    changed_at: datetime | None


class RunLimits(BaseModel):
    """All limits, pools first."""

    items: list[RunLimit]
    as_of: datetime


_ORDER: Final = (Kind.POOL, Kind.GROUP, Kind.WORKFLOW)


def put(conn: Connection, db: Database, new: NewLimit, *, by: str) -> RunLimit:
    """Set a limit; whoever in line may go on by it is woken.

    Raises
    ------
    LimitNameInvalid : a workflow without its group, or a pool or group with a slash.
    """
    if (new.kind is Kind.WORKFLOW) != (new.name.count("/") == 1):
        raise LimitNameInvalid(
            f"{new.name!r} is no name of a {new.kind}.",
            fix="Write group/workflow for a workflow, and one word for a pool or group.",
        )
    before = queries.limit(conn, new.kind, new.name)
    values = {"slots": new.slots, "reason": new.reason}
    queries.put_limit(conn, new.kind, new.name, changed_by=by, changed_at=clock.now(), **values)
    slots.wake_next(conn, db.steps(conn))
    told = audit.sides(before, values, "slots", "reason")
    audit.record(conn, by, "run-limit.set", f"{new.kind}/{new.name}", new.reason, **told)
    return next(one for one in _all(conn) if (one.kind, one.name) == (new.kind, new.name))


def drop(
    conn: Connection, db: Database, kind: Kind, name: str, reason: str | None, *, by: str
) -> None:
    """What the source declares counts again; raises `LimitNotFound`."""
    before = queries.limit(conn, kind, name)
    if before is None:
        raise LimitNotFound(
            f"There is no limit of the {kind} {name!r}.", fix="See `stepwell pools list`."
        )
    queries.drop_limit(conn, kind, name)
    slots.wake_next(conn, db.steps(conn))
    told = audit.sides(before, None, "slots", "reason")
    audit.record(conn, by, "run-limit.remove", f"{kind}/{name}", reason, **told)


def move(conn: Connection, group: str, old: str, new: str) -> None:
    """A workflow is called something else: its limit goes along, a former one of that name goes."""
    mine = queries.limit(conn, Kind.WORKFLOW, f"{group}/{old}")
    queries.drop_limit(conn, Kind.WORKFLOW, f"{group}/{new}")
    if mine is not None:
        queries.drop_limit(conn, Kind.WORKFLOW, mine["name"])
        queries.put_limit(conn, **{**mine, "name": f"{group}/{new}"})


def listed(conn: Connection) -> RunLimits:
    """All that was set, and the pools that workflows name."""
    return RunLimits(items=sorted(_all(conn), key=_place), as_of=clock.now())


def _place(one: RunLimit) -> tuple[int, str]:
    return (_ORDER.index(one.kind), one.name)


def _all(conn: Connection) -> Iterator[RunLimit]:
    held, waiting = slots.in_use(conn), slots.in_line(conn)
    known = {(row["kind"], row["name"]): dict(row) for row in queries.limits(conn)}
    for pool in queries.declared_pools(conn):
        unset = {"slots": 1, "reason": None, "changed_by": None, "changed_at": None}
        known.setdefault(("pool", pool), {"kind": "pool", "name": pool, **unset})
    for (kind, name), row in known.items():
        key = slots.Key(kind, name)
        holders = line.holders(conn, kind, name)[: slots.SHOWN] if held[key] else []
        yield RunLimit(
            **row,
            held=held[key],
            waiting=waiting[key],
            holders=holders,
            declared=row["changed_by"] is None,
        )
