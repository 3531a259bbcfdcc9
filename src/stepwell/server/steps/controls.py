"""The engine's own controls, for operators who have no way to the database (R20)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from stepwell import clock
from stepwell.engine import StepClient
from stepwell.errors import InvalidInput, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.services import QUEUE
from stepwell.server.steps.service import StepProtected
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.inspecting import Inspectable

N = TypeVar("N", int, float)


class ControlNotFound(NotFound):
    """There is no pause, limit or rate of this key."""

    code = "control-not-found"


class ControlUnclear(InvalidInput):
    """A pause without a reason, or a limit or rate without its numbers."""

    code = "control-unclear"


class NewControl(BaseModel):
    """A pause of a queue, a limit of a limit key, or a rate of a rate key.

    `slots`: how many run at once, or begin within `period` seconds.
    """

    model_config = ConfigDict(extra="forbid")

    kind: ControlKind
    key: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")
    slots: int | None = Field(default=None, ge=0, le=1_000_000_000)
    period: float | None = Field(default=None, gt=0, le=366 * 86400.0)
    reason: str | None = Field(default=None, max_length=1000)


class ControlShown(BaseModel):
    """What holds, with who said so, why, and since when."""

    kind: ControlKind
    key: str
    slots: int | None
    period: float | None
    next_free_at: datetime | None
    reason: str | None
    changed_by: str | None
    changed_at: datetime | None


class Controls(BaseModel):
    """Everything that holds, by kind and key."""

    items: list[ControlShown]
    as_of: datetime


class Queues(BaseModel):
    """The queues that there are and may be paused, by name."""

    items: list[str]
    as_of: datetime


def queues(db: Database) -> Queues:
    """The queues that live engines serve, and those in which steps are."""
    store, now = db.store, clock.now()
    assert isinstance(store, Inspectable)
    served = {queue for engine in store.inspect().engines for queue in engine.queues}
    found = served | {line.queue for line in store.overview(now).lines}
    return Queues(items=sorted(found if db.bare else found - {QUEUE}), as_of=now)


def listed(conn: Connection, db: Database) -> Controls:
    """Everything that holds."""
    found = [_shown(one) for one in db.client(conn).controls()]
    return Controls(items=found, as_of=clock.now())


def put(conn: Connection, db: Database, new: NewControl, *, by: str) -> ControlShown:
    """Set a control, or change it; engines obey within about a second.

    Raises
    ------
    StepProtected : a pause of the server's own queue.
    ControlUnclear, InvalidInput : something is missing, or cannot be used.
    """
    steps = db.client(conn)
    before = _found(steps, new.kind, new.key)
    match new.kind:
        case ControlKind.PAUSE:
            _check_queue(db, new.key)
            steps.pause(new.key, new.reason or "", by=by)
        case ControlKind.LIMIT:
            steps.limit(new.key, _given(new.slots, "slots"), reason=new.reason, by=by)
        case ControlKind.RATE:
            count, per = _given(new.slots, "slots"), _given(new.period, "period")
            steps.rate(new.key, int(count), per=per, reason=new.reason, by=by)
    made = _found(steps, new.kind, new.key)
    assert made is not None
    told = {"before": _told(before), "after": _told(made)}
    audit.record(conn, by, "control.set", f"{new.kind}/{new.key}", new.reason, **told)
    return made


def drop(
    conn: Connection, db: Database, kind: ControlKind, key: str, reason: str | None, *, by: str
) -> None:
    """Forget a control; raises `ControlNotFound`."""
    steps = db.client(conn)
    verbs = {
        ControlKind.PAUSE: steps.resume,
        ControlKind.LIMIT: steps.drop_limit,
        ControlKind.RATE: steps.drop_rate,
    }
    before = _found(steps, kind, key)
    if not verbs[kind](key):
        raise ControlNotFound(f"There is no {kind} of {key!r}.", fix="See `stepwell limits list`.")
    audit.record(conn, by, "control.remove", f"{kind}/{key}", reason, before=_told(before))


def _found(steps: StepClient, kind: ControlKind, key: str) -> ControlShown | None:
    wanted = (_shown(one) for one in steps.controls() if (one.kind, one.key) == (kind, key))
    return next(wanted, None)


def _told(control: ControlShown | None) -> dict[str, Any] | None:
    return None if control is None else control.model_dump(include={"slots", "period", "reason"})


def _check_queue(db: Database, queue: str) -> None:
    if queue == QUEUE and not db.bare:
        raise StepProtected(
            f"The queue {queue!r} cannot be paused.",
            why="The server's own work is in it: schedules, runs, retention.",
            fix="Pause the schedule, or set the slots of a pool, group or workflow to 0.",
        )


def _given(number: N | None, name: str) -> N:
    if number is None:
        raise ControlUnclear(f"{name} is missing.", fix=f"Give {name}.")
    return number


def _shown(control: Control) -> ControlShown:
    return ControlShown(**{name: getattr(control, name) for name in ControlShown.model_fields})
