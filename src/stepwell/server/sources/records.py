"""A source of images, what was found there, and what came of a test."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.groups.records import Name, Rediscovery, SecretReference, Variable

Kind: TypeAlias = Literal["folder", "registry"]
Pattern: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]
Seconds: TypeAlias = Annotated[float, Field(ge=10, le=366 * 24 * 3600)]


class Credentials(BaseModel):
    """How to log in to a registry: references to secrets, never their values."""

    model_config = ConfigDict(extra="forbid")

    username: SecretReference
    password: SecretReference


class SourceChange(BaseModel):
    """What an admin changes; what is left out stays, and null ends scans or credentials."""

    model_config = ConfigDict(extra="forbid")

    location: str | None = Field(default=None, min_length=1, max_length=1000)
    include: list[Pattern] | None = Field(default=None, max_length=100)
    exclude: list[Pattern] | None = Field(default=None, max_length=100)
    credentials: Credentials | None = None
    launcher: str | None = None
    scan_every: Seconds | None = None
    reason: str | None = Field(default=None, max_length=1000)


class NewSource(BaseModel):
    """A folder of the server, or a registry of container images.

    Patterns are as of a shell (`*`, `?`, `[ab]`). In a folder they are held against the
    path below it; in a registry against `repository:tag`, and one without a colon means
    every tag. Nothing to include means everything. `scan_every` is in seconds.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Kind
    location: str = Field(min_length=1, max_length=1000)
    include: list[Pattern] = Field(default=[], max_length=100)
    exclude: list[Pattern] = Field(default=[], max_length=100)
    credentials: Credentials | None = None
    launcher: str | None = None
    scan_every: Seconds | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Source(BaseModel):
    """A source. Instants are UTC; `scanning` says that a scan was asked for and goes on.

    `waiting` counts the images that nobody has registered or dismissed yet, `images` all
    that are there. `scan_error` is of the last scan.
    """

    name: str
    kind: Kind
    location: str
    include: list[str]
    exclude: list[str]
    credentials: Credentials | None
    launcher: str
    scan_every: float | None
    created_at: datetime
    created_by: str
    requested_at: datetime | None
    scanned_at: datetime | None
    scan_error: dict[str, Any] | None
    scanning: bool
    images: int
    waiting: int


class ImageState(StrEnum):
    """What became of an image that a scan has found."""

    WAITING = "waiting"
    REGISTERED = "registered"
    DISMISSED = "dismissed"
    GONE = "gone"


class SourceImage(BaseModel):
    """An image that a scan has found. Nothing of it runs before an admin registers it.

    `stated_name` is what the source code calls the group, where that can be read.
    """

    id: UUID
    source: str
    image: str
    state: ImageState
    stated_name: str | None
    group: str | None
    digest: str | None
    error: dict[str, Any] | None
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    dismissed_by: str | None
    reason: str | None


class Registration(Rediscovery, BaseModel):
    """An admin's yes to an image: what else its group needs."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    environment: dict[Variable, str] = {}
    secrets: dict[Variable, SecretReference] = {}
    discover_with_secrets: bool = False
    reason: str | None = Field(default=None, max_length=1000)


class Registered(BaseModel):
    """The group that an image became, and the discovery that began with it."""

    group: str
    discovery_id: UUID


class Tested(BaseModel):
    """What a test of a source saw: some of its images, or the error. Nothing is kept of it."""

    ok: bool
    images: list[str] = []
    count: int = 0
    error: dict[str, Any] | None = None
    seconds: float
