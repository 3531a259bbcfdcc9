"""A kept value, as it is shown and as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from stepwell.server.differences import ValueChange

SCOPE: Final = r"^(group|workflow:[a-z][a-z0-9-]*|operation:[a-z][a-z0-9-]*/[a-z][a-z0-9-]*)$"
"""`group`, `workflow:nightly` or `operation:nightly/load`."""


Key: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
"""Any text without null characters."""


LONGEST_AUTHOR: Final = 100


class Entry(BaseModel):
    """One version of a value, with who wrote it. Instants are UTC.

    `written_by` is a person, or where there is a `run_id` the operation: `nightly/load`.

    `expires_at` in the past reads as absent, as does `deleted`: then `exists` is false.
    """

    group: str
    scope: str
    key: str
    version: int
    value: Any
    exists: bool
    deleted: bool
    run_id: UUID | None
    step_id: UUID | None
    written_by: str
    written_at: datetime
    expires_at: datetime | None


class Edit(BaseModel):
    """A value written or removed by a person.

    `expect_version` must be the version that is current, 0 where there is none, so
    that nobody overwrites what they have not seen.
    """

    model_config = ConfigDict(extra="forbid")

    value: Any = None
    delete: bool = False
    expect_version: int = Field(ge=0)
    ttl: float | None = Field(default=None, gt=0)
    reason: str = Field(min_length=1, max_length=1000)


class StateRestore(BaseModel):
    """An earlier version's value written again, as a new version."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    expect_version: int = Field(ge=0)
    ttl: float | None = Field(default=None, gt=0)
    reason: str = Field(min_length=1, max_length=1000)


class Imported(BaseModel):
    """An entry of another place: what a list of entries shows can be given as it is."""

    scope: str = Field(pattern=SCOPE, max_length=220)
    key: Key
    value: Any = None
    expires_at: AwareDatetime | None = None


class StateImport(BaseModel):
    """Entries to write; all of them, or none.

    `on_conflict` says what becomes of a key that has a value: `error` refuses the whole,
    `keep` leaves it, `replace` writes over it.
    """

    model_config = ConfigDict(extra="forbid")

    entries: list[Imported] = Field(max_length=1000)
    on_conflict: Literal["error", "keep", "replace"] = "error"
    reason: str = Field(min_length=1, max_length=1000)


class ImportResult(BaseModel):
    """How many entries were written, and how many were left as they are or had expired."""

    written: int
    left: int


class StateChange(BaseModel):
    """How one version differs from another, by default the one before it.

    `other` is 0 where there is none that is kept. A deleted version has the value null.
    """

    version: int
    other: int
    changes: list[ValueChange]
    truncated: bool


class StateReader(BaseModel):
    """An operation that has read the value, and the last run in which it did."""

    reader: str
    run_id: UUID
    read_at: datetime


class Write(BaseModel):
    """A value written or removed by an operation; `ttl` in seconds.

    `expect_version` None writes whatever is there.
    """

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(pattern=SCOPE)
    key: Key
    value: Any = None
    expect_version: int | None = Field(default=None, ge=0)
    ttl: float | None = Field(default=None, gt=0)
    delete: bool = False
    now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes: a person by name, or an operation of a run: `nightly/load`."""

    name: str
    run_id: UUID | None = None
    step_id: UUID | None = None
