"""A report, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Kind: TypeAlias = Literal["table", "json", "markdown", "html", "text", "svg", "image", "file"]


class NewReport(BaseModel):
    """What an operation says about the content that it hands over."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    kind: Kind
    media_type: str = Field(
        max_length=100, pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which operation of which run has made it."""

    group: str
    workflow: str
    operation: str
    run_id: UUID
    step_id: UUID


class Report(BaseModel):
    """A report without its content. `size` in bytes; `created_at` is UTC."""

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
