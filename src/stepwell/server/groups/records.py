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
LaunchOptions: TypeAlias = Annotated[
    dict[str, Any],
    Field(
        description="What the group asks of its launcher; it is checked by the launcher, and by "
        "its cluster. Of `kubernetes`: namespace, requests, limits, node_selector, tolerations, "
        "affinity, priority_class, pull_secrets, pull_policy, service_account, env, env_from, "
        "labels, annotations, patch, patch_type."
    ),
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
    launch_options: LaunchOptions | None = None
    reason: str | None = Field(default=None, max_length=1000)


class GroupChange(Rediscovery):
    """What an admin changes; what is left out stays. Null ends a rediscovery, or takes the
    launch options away.
    """

    model_config = ConfigDict(extra="forbid")

    image: str | None = Field(default=None, min_length=1, max_length=1000)
    environment: dict[Variable, str] | None = None
    secrets: dict[Variable, SecretReference] | None = None
    discover_with_secrets: bool | None = None
    two_person: bool | None = None
    launch_options: LaunchOptions | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Group(Rediscovery):
    """A group. `release` is the number of the current release; instants are UTC.

    `looked_at` and `look_error` are of the last look at the digest of its image.
    `two_person` is its own rule for reviews, null the server's setting. `launch_options` is
    what it asks of its launcher beyond what all groups get.

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
    two_person: bool | None = None
    launch_options: dict[str, Any] | None = None
    created_at: datetime
    created_by: str
    archived_at: datetime | None
    release_id: UUID | None
    release: int | None
    workflows: list[str]
    next_discovery_at: datetime | None
    looked_at: datetime | None
    look_error: dict[str, Any] | None
