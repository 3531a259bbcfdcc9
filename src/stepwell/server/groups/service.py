"""Register, change, archive and look up groups; the environment that their images get."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final

from sqlalchemy import Connection

from stepwell import clock, schedules
from stepwell.errors import Conflict, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import groups
from stepwell.server.groups import guarding, queries
from stepwell.server.groups.records import Group, GroupChange, NewGroup
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services

OWN_NAMES: Final = guarding.OWN_NAMES


class GroupNotFound(NotFound):
    """No group has this name."""

    code = "group-not-found"


class GroupExists(Conflict):
    """A group of that name is registered."""

    code = "group-exists"


class GroupArchived(Conflict):
    """The group was archived: nothing new begins in it."""

    code = "group-archived"


class GroupNameDiffers(Conflict):
    """The image declares another group than the one that it is registered as."""

    code = "group-name-differs"


class SecretMissing(Conflict):
    """A secret reference points at nothing."""

    code = "secret-missing"


def register(
    conn: Connection, services: Services, new: NewGroup, *, by: str, stated: str | None = None
) -> Group:
    """Register a group; its image is not looked at yet, that is a discovery's work.

    Parameters
    ----------
    stated : the name that its source code seems to give it; the manifest has the last word.

    Raises
    ------
    LauncherOff : this server does not have the launcher enabled (R42).
    GroupExists : the name is taken.
    ScheduleInvalid : a rediscovery that cannot be computed.
    """
    services.launcher(new.launcher)
    _check_schedule(new.rediscover)
    name = new.name or stated or provisional_name(new.image)
    guarding.check_name(name)
    guarding.check_secrets(new.secrets)
    if queries.get(conn, name) is not None:
        raise GroupExists(
            f"The group {name!r} is registered.",
            fix="Discover it again to take up a change, or give another name.",
        )
    asked = new.model_dump(exclude={"name", "reason"})
    fixed = {"created_at": clock.now(), "created_by": by, "provisional": new.name is None}
    queries.add(conn, name=name, **asked, **fixed)
    audit.record(conn, by, "group.register", name, new.reason, after=_told(asked))
    return get(conn, name)


def change(conn: Connection, name: str, asked: GroupChange, *, by: str) -> Group:
    """Change image or environment; the next discovery and later runs see it."""
    had = active(conn, name)
    guarding.check_secrets(asked.secrets or {})
    given = asked.model_dump(exclude={"reason"}, exclude_unset=True)
    _check_schedule(given.get("rediscover"))
    values = {key: one for key, one in given.items() if one is not None or key in _MAY_END}
    if values:
        queries.change(conn, name, **values)
        told = _told(values)
        was = _told({one: getattr(had, one) for one in values})
        audit.record(conn, by, "group.change", name, asked.reason, told, before=was, after=told)
    return get(conn, name)


def archive(conn: Connection, name: str, reason: str | None, *, by: str) -> Group:
    """Nothing new begins in the group from now on; what it has written stays."""
    if get(conn, name).archived_at is None:
        queries.change(conn, name, archived_at=clock.now())
        told = {"before": {"archived": False}, "after": {"archived": True}}
        audit.record(conn, by, "group.archive", name, reason, **told)
    return get(conn, name)


def restore(conn: Connection, name: str, reason: str | None, *, by: str) -> Group:
    """Take an archived group back into use, as it was."""
    if get(conn, name).archived_at is not None:
        queries.change(conn, name, archived_at=None)
        told = {"before": {"archived": True}, "after": {"archived": False}}
        audit.record(conn, by, "group.restore", name, reason, **told)
    return get(conn, name)


def get(conn: Connection, name: str) -> Group:
    """The group; raises `GroupNotFound`."""
    row = queries.get(conn, name)
    if row is None:
        raise _not_found(name)
    return _group(conn, row)


def active(conn: Connection, name: str) -> Group:
    """The group, held against changes by others; raises `GroupArchived`, `GroupNotFound`."""
    row = queries.lock(conn, name)
    if row is None:
        raise _not_found(name)
    if row["archived_at"] is not None:
        raise GroupArchived(f"The group {name!r} is archived.", fix="Restore it first.")
    return _group(conn, row)


def rediscovered(conn: Connection) -> list[Group]:
    """The active groups that are discovered again by themselves."""
    return [_made(row, []) for row in conn.execute(queries.rediscovered()).mappings()]


def looked(conn: Connection, name: str, at: datetime, error: dict[str, Any] | None) -> None:
    """Note that the digest of the group's image was looked at, or why it could not be."""
    queries.change(conn, name, looked_at=at, look_error=error)


def listed(conn: Connection, pages: Paging, *, archived: bool = False) -> Page[Group]:
    """All groups by name; archived ones only if asked for."""
    query = queries.listed()
    query = query if archived else query.where(groups.c.archived_at.is_(None))
    by = [groups.c.name]
    found = paged(conn, query, pages, by=by, make=lambda row: row, newest_first=False)
    releases = [row["release_id"] for row in found.items if row["release_id"] is not None]
    workflows = queries.workflows(conn, releases)
    shown = [_made(row, workflows.get(row["release_id"], [])) for row in found.items]
    return pages.page(shown, found.next)


def take_name(conn: Connection, name: str, stated: str) -> None:
    """The manifest of the group `name` states the name `stated`.

    A provisional name gives way to it; a given one must be the same.

    Raises
    ------
    GroupNameDiffers, GroupExists, GroupNameReserved : nothing was changed.
    """
    row = queries.lock(conn, name)
    if row is None:
        raise _not_found(name)
    guarding.check_name(stated)
    if stated == name:
        queries.change(conn, name, provisional=False)
    elif not row["provisional"]:
        raise GroupNameDiffers(
            f"The image declares the group {stated!r}, and {name!r} is registered.",
            fix=f"Rename it in the source, or register the image as {stated!r}.",
        )
    elif queries.get(conn, stated) is not None:
        raise GroupExists(
            f"The image declares the group {stated!r}, which is registered already.",
            why="Two images cannot be one group.",
            fix="Change the image of that group, or rename this one in the source.",
        )
    else:
        queries.rename(conn, row, stated)


def launch_environment(group: Group, *, with_secrets: bool) -> dict[str, str]:
    """What the group's image gets as environment: plain values and, if asked for, secrets.

    Raises
    ------
    SecretMissing : a reference points at a variable that the server does not have.
    """
    secrets = group.secrets if with_secrets else {}
    return {**group.environment, **{name: secret(name, ref) for name, ref in secrets.items()}}


def provisional_name(image: str) -> str:
    """A name from the last part of an image: `/home/me/my_group.py` -> `my-group`."""
    last = PurePosixPath(image.split("@", maxsplit=1)[0]).name.partition(":")[0].removesuffix(".py")
    slug = re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")
    return slug if re.match(r"[a-z]", slug) else f"group-{slug}".rstrip("-")


def secret(name: str, reference: str) -> str:
    """What a reference points at; raises `SecretMissing`."""
    guarding.check_secrets({name: reference})
    variable = reference.removeprefix("env:")
    if variable not in os.environ:
        raise SecretMissing(
            f"The secret {name} is not there.",
            why=f"The server has no environment variable {variable}.",
            fix=f"Start the server with {variable}, or change the reference.",
        )
    return os.environ[variable]


def _group(conn: Connection, row: queries.Row) -> Group:
    release_id = row["release_id"]
    found = {} if release_id is None else queries.workflows(conn, [release_id])
    return _made(row, found.get(release_id, []))


def _made(row: queries.Row, workflows: list[str]) -> Group:
    active = row["rediscover"] is not None and row["archived_at"] is None
    due = schedules.from_json(row["rediscover"]).next_after(clock.now()) if active else None
    return Group(**row, workflows=workflows, next_discovery_at=due)


def _check_schedule(given: Mapping[str, Any] | None) -> None:
    if given is not None:
        schedules.from_json(given)


_MAY_END = ("rediscover", "watch_every", "launch_options")


def _told(values: Mapping[str, object]) -> dict[str, object]:
    """What the audit log shows: names of variables, not what they hold."""
    shown = dict(values)
    if "environment" in shown:
        shown["environment"] = sorted(values["environment"])  # type: ignore[call-overload]
    return shown


def _not_found(name: str) -> GroupNotFound:
    return GroupNotFound(
        f"There is no group {name!r}.", fix="See `stepwell groups list`, or register it."
    )
