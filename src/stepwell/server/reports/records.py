"""A report, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.differences import ValueChange

Kind: TypeAlias = Literal[
    "table", "json", "markdown", "html", "text", "svg", "image", "plot", "file"
]


class NewReport(BaseModel):
    """What an operation says about the content that it hands over, and when it is kept.

    `every`: one of so many runs whose operation succeeds, 0 none; `on_failure`: also when
    it fails; `keep_days`: for so long, instead of as long as the server keeps reports.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    kind: Kind
    media_type: str = Field(
        max_length=100, pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$"
    )
    every: int = Field(default=1, ge=0, le=1_000_000)
    on_failure: bool = False
    keep_days: float | None = Field(default=None, gt=0, le=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which operation of which run has made it; `failed`: in an attempt that came to nothing."""

    group: str
    workflow: str
    operation: str
    run_id: UUID
    step_id: UUID
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a report, or the blob that holds them. `size` in bytes."""

    size: int
    data: bytes = b""
    blob_id: UUID | None = None


class Report(BaseModel):
    """A report without its content. `size` in bytes; instants are UTC.

    `keep_until` is None where it is kept as long as the server keeps reports.
    `of_failure`: the attempt that made it failed, ran out of time, or was killed.
    """

    id: UUID
    group: str
    workflow: str
    operation: str
    name: str
    kind: Kind
    media_type: str
    size: int
    run_id: UUID
    step_id: UUID
    created_at: datetime
    keep_until: datetime | None = None
    of_failure: bool = False


class ReportComparison(BaseModel):
    """A report and the one of the same name before it.

    `changes` tell how tables and JSON differ; `diff` is the unified diff of text. Both are
    cut at a thousand, which `truncated` says. None of them: only the bytes are compared.
    """

    report: Report
    previous: Report | None
    same: bool
    changes: list[ValueChange] = []
    diff: list[str] = []
    truncated: bool = False


class NewShare(BaseModel):
    """Who has the link sees the report without an account, until it expires.

    `latest`: the link shows the newest report of this name instead of this one.
    """

    model_config = ConfigDict(extra="forbid")

    days: float = Field(default=7, gt=0, le=366)
    latest: bool = False
    reason: str | None = Field(default=None, max_length=1000)


class NewBadge(BaseModel):
    """Who has the link sees whether the workflow's last run succeeded, until it expires."""

    model_config = ConfigDict(extra="forbid")

    days: float = Field(default=366, gt=0, le=3660)
    reason: str | None = Field(default=None, max_length=1000)


class SharedLink(BaseModel):
    """A signed link that expires."""

    url: str
    expires_at: datetime
