"""The step: one durable unit of work, and the moves it may make.

A step is a row in exactly one of three tables. It is born *ready*; an engine
claims it, runs it, and settles it: back to ready (a rerun or a retry), to
*done*, or to *failed*. Nothing here does I/O.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stepwell import given
from stepwell.errors import InvalidInput
from stepwell.frozen import maker
from stepwell.ids import new_id
from stepwell.kinds import (
    EndedAs,
    JoinPolicy,
    OnConflict,
    Priority,
    Retention,
    StepStatus,
    join_policy,
)
from stepwell.query import StepQuery, step_query

__all__ = (
    "Addition",
    "Claim",
    "EndedAs",
    "JoinPolicy",
    "NewStep",
    "OnConflict",
    "Priority",
    "Retention",
    "Step",
    "StepQuery",
    "StepStatus",
    "check_limits",
    "check_name",
    "check_new",
    "join_policy",
    "new_step",
    "one_or_many",
    "step_query",
)


_MADE_HERE: Final = UUID(int=0)
_ONCE: Final = (None,)
_NOT_FIRST: Final[Iterator[None]] = iter(())
NAME_LENGTH: Final = 200
"""The most characters of a step's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step to be added, as user code writes it; the state is still a Python object.

    Use it through `new_step`, which takes name and state in order. Without a `retention`
    it gets the class of its name's handler, if its adder knows it, or the standard one.
    """

    name: str
    state: Any = None
    id: UUID = _MADE_HERE
    queue: str = "default"
    priority: Priority = Priority.NORMAL
    unique_key: str | None = None
    flow_id: UUID | None = None
    correlation_id: str | None = None
    search_key: str | None = None
    description: str | None = None
    schedule_time: datetime | None = None
    retention: Retention | None = None
    on_conflict: OnConflict = OnConflict.ERROR
    limit_key: str | None = None
    limit_slots: int | None = None
    rate_key: str | None = None
    first: Iterator[None] = field(default=_NOT_FIRST, init=False, repr=False, compare=False)
    """Yields once, to whoever makes the first row, if the id was made with this very object."""

    def __post_init__(self) -> None:
        if self.id is _MADE_HERE:
            object.__setattr__(self, "id", new_id())
            object.__setattr__(self, "first", iter(_ONCE))
        if not _is_plain(self):
            check_name(self.name)
            _check_queue(self.queue)
            given.normalised(self, _NEW)
        if self.limit_key is not None or self.limit_slots is not None or self.rate_key is not None:
            check_limits(self.limit_key, self.limit_slots, self.rate_key)

    def __getstate__(self) -> list[Any]:
        """For copies, pickled or not, which are the same step: one of them may be added before."""
        return [*[getattr(self, one.name) for one in dataclasses.fields(self)[:-1]], _NOT_FIRST]


def _is_plain(new: NewStep) -> bool:
    """Whether there is nothing to complain of; quick, for this is asked of each step."""
    return (
        type(new.name) is str
        and 0 < len(new.name) <= NAME_LENGTH
        and new.schedule_time is None
        and type(new.queue) is str
        and new.queue != ""
        and type(new.priority) is Priority
        and type(new.id) is UUID
        and (new.unique_key is None or type(new.unique_key) is str)
        and (new.flow_id is None or type(new.flow_id) is UUID)
        and (new.correlation_id is None or type(new.correlation_id) is str)
        and (new.search_key is None or type(new.search_key) is str)
        and (new.description is None or type(new.description) is str)
        and (new.retention is None or type(new.retention) is Retention)
        and type(new.on_conflict) is OnConflict
    )


def check_name(name: Any) -> None:
    """Raise `InvalidInput` unless steps can have this name."""
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_LENGTH:
        raise InvalidInput(
            f"{name!r} is not a step name.",
            why=f"A step name is a string of 1 to {NAME_LENGTH} characters.",
            fix="Name it after what it does, with a version: 'v1/send-invoice'.",
        )


def _check_queue(queue: Any) -> None:
    given.text("queue", queue)
    if not queue:
        raise InvalidInput("The queue has no name.", fix="Leave it out: then it is 'default'.")


_NEW: Final = {
    "id": given.identity,
    "priority": given.one_of(Priority),
    "unique_key": given.text,
    "flow_id": given.identity,
    "correlation_id": given.text,
    "search_key": given.text,
    "description": given.text,
    "schedule_time": given.instant,
    "retention": given.one_of(Retention),
    "on_conflict": given.one_of(OnConflict),
}


def check_limits(limit_key: str | None, limit_slots: int | None, rate_key: str | None) -> None:
    """Raise `InvalidInput` unless the keys and the number of slots can be used (R20)."""
    for key in (limit_key, rate_key):
        if key is not None and not _is_key(key):
            raise InvalidInput(
                f"{key!r} is not a key for a limit or a rate.",
                why="A key is a string of 1 to 200 printable characters.",
                fix="Name what the steps share: 'customer-42', 'smtp'.",
            )
    if limit_slots is not None:
        whole = "Give a whole number of slots, at least one."
        given.of_type("limit_slots", limit_slots, int, whole)
    if limit_slots is not None and (limit_key is None or limit_slots < 1):
        raise InvalidInput(
            f"limit_slots={limit_slots} limits nothing.",
            why="Slots are counted per limit_key, and without one nothing would ever run.",
            fix="Give limit_key too, and at least one slot.",
        )


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and 1 <= len(key) <= 200 and key.isprintable()


def new_step(
    name: str,
    state: Any = None,
    *,
    singleton: bool = False,
    unique_key: str | None = None,
    on_conflict: OnConflict | str = OnConflict.ERROR,
    **fields: Any,
) -> NewStep:
    """A step to add: its name, its state, and any other field of `NewStep`.

    Parameters
    ----------
    name : which handler runs it.
    state : anything that the codec can write; plain JSON by default, at most 256 KiB.
    singleton : at most one ready step of this name: the empty unique key.
    unique_key : at most one ready step of this name and key.
    on_conflict : 'error', 'ignore' or 'replace' when that one exists already.
    fields : queue, priority, flow_id, correlation_id, search_key, description,
        schedule_time (aware; not before this instant), retention, id;
        limit_key with limit_slots: at most so many steps with this key run at once, unless
        `StepClient.limit` says otherwise (1 by default); rate_key: steps with this key begin
        no faster than `StepClient.rate` says (R20).

    Raises
    ------
    InvalidInput : a name, instant or combination that cannot work.
    """
    if singleton and unique_key:
        raise InvalidInput(
            "A step is either a singleton or has a unique key.",
            fix="Leave one of them out: singleton=True is the empty unique key.",
        )
    key = "" if singleton else unique_key
    try:
        new = _new_step(name=name, state=state, unique_key=key, on_conflict=on_conflict, **fields)
    except TypeError:
        given.known("A step", fields, _FIELDS)
        raise
    new.__post_init__()
    return new


_new_step: Final = maker(NewStep)
_FIELDS: Final = {one.name for one in dataclasses.fields(NewStep) if one.init} | {"singleton"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The row, as it is in the store. State, arguments and result are encoded text.

    Instants are aware UTC; `execution_duration` is in seconds. `claim_request` marks a claim that
    is written on the row; in a handler's hands it is None where the claim is a row lock.
    """

    id: UUID
    name: str
    flow_id: UUID
    created_at: datetime
    schedule_time: datetime
    queue: str = "default"
    priority: Priority = Priority.NORMAL
    unique_key: str | None = None
    correlation_id: str | None = None
    search_key: str | None = None
    description: str | None = None
    created_by_step_id: UUID | None = None
    copy_of: UUID | None = None
    retention: Retention = Retention.STANDARD

    state: str | None = None
    state_format: str = "json"
    activation_args: str | None = None
    activation_no: int = 0
    activation_seen: int = 0

    execution_count: int = 0
    failure_count: int = 0
    lost_count: int = 0
    execution_started_at: datetime | None = None
    execution_duration: float | None = None
    executed_by: str | None = None
    result: str | None = None
    result_format: str = "json"
    ended_at: datetime | None = None
    ended_as: EndedAs | None = None

    claimed_by: UUID | None = None
    claim_no: int = 0
    claim_request: UUID | None = None
    claimed_at: datetime | None = None
    started: bool = False
    parked: bool = False

    fingerprint: str | None = None
    join_id: UUID | None = None
    join_policy: JoinPolicy | None = None
    waiting_for: int = 0
    limit_key: str | None = None
    limit_slots: int | None = None
    rate_key: str | None = None

    @property
    def status(self) -> StepStatus:
        """The table that the step is in."""
        return StepStatus.READY if self.ended_as is None else self.ended_as.status

    @property
    def ended_unseen(self) -> bool:
        """Whether it ended without having seen the arguments of its last activation (R8)."""
        return self.ended_as is not None and self.activation_no > self.activation_seen

    @property
    def claim(self) -> Claim:
        """The ownership mark that this copy of the row was read with."""
        return _claim(self.id, self.claim_no)


@dataclass(frozen=True, slots=True)
class Claim:
    """A fenced ownership mark: the step, and the number of the claim on it.

    Whatever takes a claim away without settling it raises the number, so an
    unclaimed row that still shows number n was settled under n (R13).
    """

    step_id: UUID
    claim_no: int


_claim: Final = maker(Claim)


@dataclass(frozen=True, slots=True)
class Addition:
    """A row to insert, and what to do when its unique key is taken.

    `fresh` says that this is the first row of an id that was made for it, so that no other can
    have it, and a store need not look.
    """

    step: Step
    on_conflict: OnConflict = OnConflict.ERROR
    fresh: bool = False


def one_or_many(steps: NewStep | Iterable[NewStep] | None) -> tuple[NewStep, ...]:
    """What callers write as `next=`: nothing, one step or several, as a tuple.

    Raises
    ------
    InvalidInput : something among it is no step to add.
    """
    if steps is None:
        return ()
    if isinstance(steps, NewStep):
        return (steps,)
    if not callable(getattr(steps, "__iter__", None)):
        check_new(steps)
    several = tuple(steps)
    for one in several:
        check_new(one)
    return several


def check_new(new: Any) -> None:
    """Raise `InvalidInput` unless it is a step to add."""
    if not isinstance(new, NewStep):
        fix = "Make it with new_step: new_step('v1/send-invoice', state)."
        given.of_type("A step to add", new, NewStep, fix)
