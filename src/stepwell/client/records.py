"""What the server answers, as dataclasses. Instants are aware UTC, durations are seconds.

`raw` is the whole answer: a newer server may say more than this version knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

from stepwell.shapes import shaped

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One container of a run, with the instants of its phases."""

    number: int
    queued_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    condition: str | None
    exit: dict[str, Any] | None
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a workflow. `attempts` is filled where one run was asked for."""

    id: UUID
    group: str
    workflow: str
    state: str
    parameters: dict[str, Any]
    trigger: str
    requested_by: str
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    warnings: int
    reason: str | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ENDED

    @property
    def attempts(self) -> list[Attempt]:
        """Its containers, oldest first."""
        return [made(Attempt, one) for one in self.raw.get("attempts", ())]


ENDED = frozenset({"succeeded", "failed", "cancelled", "skipped", "superseded"})
"""The states in which nothing more happens to a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    """One operation of a run."""

    id: UUID
    operation: str
    status: str
    ended_as: str | None
    description: str | None
    result: Any
    claimed: bool
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    executions: int
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something waits: a stable code, a sentence, since when, and what ends it."""

    code: str
    sentence: str
    since: datetime | None
    changes: str
    changes_at: datetime | None
    blocking: dict[str, Any] | None
    actions: list[dict[str, Any]]
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer to "why is it waiting?"; what does not wait has no `reason`."""

    waiting: bool
    sentence: str
    reason: Reason | None
    then_also: list[Reason]
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many runs match; `more` says that there may be more."""

    count: int
    more: bool
    shown: str
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Failed runs of one cause. `query` finds them."""

    fingerprint: str
    sentence: str
    operation: str | None
    runs: int
    first_seen: datetime
    last_seen: datetime
    newest_run: UUID
    started_after: int | None
    query: str
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPreview:
    """What an action on many runs would do."""

    action: str
    total: int
    sample: list[Run]
    command: str
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """An action on many runs, and how far it has come."""

    id: UUID
    action: str
    state: str
    total: int
    done: int
    failed: int
    failures: list[dict[str, Any]]
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved query; one that is built in has no id."""

    id: UUID | None
    builtin: str | None
    screen: str
    name: str
    owner: str | None
    shared: bool
    query: str
    columns: list[str]
    default: bool
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a workflow runs."""

    id: UUID
    group: str
    workflow: str
    name: str
    description: str
    active: bool
    next_due: datetime | None
    paused_at: datetime | None
    pause_reason: str | None
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A workflow group."""

    name: str
    launcher: str
    image: str
    archived_at: datetime | None
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something has changed; with `last_id` a stream goes on after it.

    `topic` is 'gap' where something was lost: look at everything anew.
    """

    topic: str
    what: str
    id: str
    at: datetime | None
    last_id: str | None


def made(kind: type[T], answer: Mapping[str, Any]) -> T:
    """The record of an answer; what this version does not know is in `raw` only.

    Raises
    ------
    TypeError, ValueError, KeyError : a server of another kind has answered.
    """
    make: Any = kind
    hints = get_type_hints(kind)
    values = {
        one.name: _value(answer[one.name], hints[one.name])
        for one in fields(kind)  # type: ignore[arg-type]
        if one.name != "raw"
    }
    return make(**values, raw=dict(answer))  # type: ignore[no-any-return]


def _value(value: Any, annotation: Any) -> Any:
    if annotation in (Reason | None, list[Reason], list[Run]):
        kind = Run if annotation == list[Run] else Reason
        if isinstance(value, list):
            return [made(kind, one) for one in value]
        return None if value is None else made(kind, value)
    return value if annotation is Any else shaped(value, annotation)
