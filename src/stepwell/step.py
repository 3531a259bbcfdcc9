"""The step: one durable unit of work, and the moves it may make.

A step is a row in exactly one of three tables. It is born *ready*; an engine
claims it, runs it, and settles it: back to ready (a rerun or a retry), to
*done*, or to *failed*. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Final
from uuid import UUID

from stepwell.clock import as_utc
from stepwell.errors import InvalidInput
from stepwell.frozen import maker
from stepwell.ids import new_id


class StepStatus(StrEnum):
    """The table that a step lives in."""

    READY = "ready"
    DONE = "done"
    FAILED = "failed"


class EndedAs(StrEnum):
    """How a step ended (R6)."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def status(self) -> StepStatus:
        """The table for steps that ended so."""
        return StepStatus.DONE if self in _GOOD_ENDS else StepStatus.FAILED


_GOOD_ENDS = (EndedAs.DONE, EndedAs.SKIPPED)


class Priority(IntEnum):
    """One of four bands; a batch is filled from them 8:4:2:1, so none starves (R18)."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class OnConflict(StrEnum):
    """What adding does when a ready step of that name and unique key exists (R5).

    ``replace`` ends the existing step as cancelled, also while it executes.
    """

    ERROR = "error"
    IGNORE = "ignore"
    REPLACE = "replace"


class JoinPolicy(StrEnum):
    """What a join does when one of the steps that it waits for fails (R28).

    ``wait`` until a re-executed copy has taken the failed one's place, ``fail`` as well, or
    ``go on`` when the others have ended.
    """

    WAIT = "wait"
    FAIL = "fail"
    GO_ON = "go on"


def join_policy(word: JoinPolicy | str) -> JoinPolicy:
    """The policy of that name; raises `InvalidInput`."""
    if isinstance(word, JoinPolicy):
        return word
    try:
        return JoinPolicy(word)
    except ValueError as error:
        raise InvalidInput(
            f"{word!r} is no answer to the failure of a member.",
            fix=f"Use one of: {', '.join(JoinPolicy)}.",
        ) from error


class Retention(IntEnum):
    """How long an ended step is kept: the class of partitions it goes to (R23)."""

    SHORT = 0
    STANDARD = 1
    LONG = 2


_MADE_HERE: Final = UUID(int=0)


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
    own_id: bool = field(default=False, init=False, repr=False, compare=False)
    """Whether the id was made with the step, not given, and not used yet."""

    def __post_init__(self) -> None:
        if self.id is _MADE_HERE:
            object.__setattr__(self, "id", new_id())
            object.__setattr__(self, "own_id", True)
        if not self.name or len(self.name) > 200:
            raise InvalidInput(
                f"{self.name!r} is not a step name.",
                why="A step name has 1 to 200 characters.",
                fix="Name it after what it does, with a version: 'v1/send-invoice'.",
            )
        if self.priority.__class__ is not Priority:
            object.__setattr__(self, "priority", _priority(self.priority))
        if self.schedule_time is not None:
            object.__setattr__(self, "schedule_time", as_utc(self.schedule_time))
        if self.limit_key is not None or self.limit_slots is not None or self.rate_key is not None:
            check_limits(self.limit_key, self.limit_slots, self.rate_key)


def _priority(given: Any) -> Priority:
    try:
        return Priority(given)
    except ValueError as error:
        raise InvalidInput(
            f"{given!r} is no priority.",
            why="There are four: URGENT (0), HIGH (1), NORMAL (2) and LOW (3).",
            fix="Use for example Priority.HIGH, of stepwell.",
        ) from error


def check_limits(limit_key: str | None, limit_slots: int | None, rate_key: str | None) -> None:
    """Raise `InvalidInput` unless the keys and the number of slots can be used (R20)."""
    for key in (limit_key, rate_key):
        if key is not None and not (1 <= len(key) <= 200 and key.isprintable()):
            raise InvalidInput(
                f"{key!r} is not a key for a limit or a rate.",
                why="A key has 1 to 200 printable characters.",
                fix="Name what the steps share: 'customer-42', 'smtp'.",
            )
    if limit_slots is not None and (limit_key is None or limit_slots < 1):
        raise InvalidInput(
            f"limit_slots={limit_slots} limits nothing.",
            why="Slots are counted per limit_key, and without one nothing would ever run.",
            fix="Give limit_key too, and at least one slot.",
        )


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
    new = _new_step(
        name=name, state=state, unique_key=key, on_conflict=_policy(on_conflict), **fields
    )
    new.__post_init__()
    return new


_new_step: Final = maker(NewStep)


def _policy(word: OnConflict | str) -> OnConflict:
    if isinstance(word, OnConflict):
        return word
    try:
        return OnConflict(word)
    except ValueError as error:
        raise InvalidInput(
            f"{word!r} is no answer to a taken unique key.",
            fix=f"Use one of: {', '.join(OnConflict)}.",
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The row, as it is in the store. State, arguments and result are encoded text.

    Instants are aware UTC; `execution_duration` is in seconds.
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

    `fresh` says that the id was made during the execution that spawns the step, so that no
    row can have it, and a store need not look.
    """

    step: Step
    on_conflict: OnConflict = OnConflict.ERROR
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQuery:
    """Which steps are meant; every field that is set narrows. Newest first, paged by id.

    `after` is the id of the last step of the page before; ranges are half open. The text
    fields look in what is stored: JSON, unless a codec says otherwise. `duration_from` and
    `duration_to` are seconds.
    """

    ids: tuple[UUID, ...] | None = None
    status: StepStatus | None = None
    name: str | None = None
    name_prefix: str | None = None
    queue: str | None = None
    priority: Priority | None = None
    unique_key: str | None = None
    flow_id: UUID | None = None
    correlation_id: str | None = None
    search_key: str | None = None
    search_key_prefix: str | None = None
    limit_key: str | None = None
    rate_key: str | None = None
    correlation_id_prefix: str | None = None
    description_contains: str | None = None
    state_contains: str | None = None
    activation_args_contains: str | None = None
    result_contains: str | None = None
    state_format: str | None = None
    retention: Retention | None = None
    fingerprint: str | None = None
    created_by_step_id: UUID | None = None
    copy_of: UUID | None = None
    join_id: UUID | None = None
    executed_by: str | None = None
    ended_as: EndedAs | None = None
    claimed: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    scheduled_from: datetime | None = None
    scheduled_to: datetime | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    ended_from: datetime | None = None
    ended_to: datetime | None = None
    duration_from: float | None = None
    duration_to: float | None = None
    execution_count_from: int | None = None
    execution_count_to: int | None = None
    failure_count_from: int | None = None
    failure_count_to: int | None = None
    lost_count_from: int | None = None
    lost_count_to: int | None = None
    oldest_first: bool = False
    after: UUID | None = None
    limit: int = 100


def one_or_many(steps: NewStep | Iterable[NewStep] | None) -> tuple[NewStep, ...]:
    """What callers write as `next=`: nothing, one step or several, as a tuple."""
    if steps is None:
        return ()
    return (steps,) if isinstance(steps, NewStep) else tuple(steps)
