"""A workflow group as the server knows it, and what is needed to register one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
Variable: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
SecretReference: TypeAlias = Annotated[
    str,
    Field(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$", description="env:NAME, a server variable"),
]


class Rediscovery(BaseModel):
    """When a group is discovered again without anybody asking; both are off where null.

    `rediscover` is a schedule as in a manifest: cron or interval, with its zone. `watch_every`
    is in seconds: so often the digest of the image is looked at, and only where it has
    changed the group is discovered.
    """

    rediscover: dict[str, Any] | None = None
    watch_every: float | None = Field(default=None, ge=5, le=366 * 24 * 3600)


class NewGroup(Rediscovery):
    """What an admin registers.

    Without a name, the group takes the one that its first manifest states.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    launcher: str = "process"
    image: str = Field(min_length=1, max_length=1000)
    environment: dict[Variable, str] = {}
    secrets: dict[Variable, SecretReference] = {}
    discover_with_secrets: bool = False
    reason: str | None = Field(default=None, max_length=1000)


class GroupChange(Rediscovery):
    """What an admin changes; what is left out stays, and null ends a rediscovery."""

    model_config = ConfigDict(extra="forbid")

    image: str | None = Field(default=None, min_length=1, max_length=1000)
    environment: dict[Variable, str] | None = None
    secrets: dict[Variable, SecretReference] | None = None
    discover_with_secrets: bool | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Group(Rediscovery):
    """A group. `release` is the number of the current release; instants are UTC.

    `looked_at` and `look_error` are of the last look at the digest of its image.

    `secrets` has references, never values. `provisional` is true until the first
    manifest has named the group.
    """

    name: str
    provisional: bool
    launcher: str
    image: str
    environment: dict[str, str]
    secrets: dict[str, str]
    discover_with_secrets: bool
    created_at: datetime
    created_by: str
    archived_at: datetime | None
    release_id: UUID | None
    release: int | None
    workflows: list[str]
    next_discovery_at: datetime | None
    looked_at: datetime | None
    look_error: dict[str, Any] | None
