"""Whom to tell, and of what: targets, rules and mutes."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import Conflict, InvalidInput, NotFound
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import (
    notification_mutes,
    notification_rules,
    notification_targets,
)
from stepwell.server.notifications import muting, queries, sending, signing
from stepwell.server.notifications.records import (
    MadeTarget,
    Mute,
    NewMute,
    NewRule,
    NewTarget,
    Rule,
    Target,
    TargetKind,
)
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services


class TargetInvalid(InvalidInput):
    """A target's address cannot be used."""

    code = "notification-target-invalid"


class TargetExists(Conflict):
    """A target of that name is in use."""

    code = "notification-target-exists"


class TargetNotFound(NotFound):
    """No target has this name."""

    code = "notification-target-not-found"


class RuleNotFound(NotFound):
    """No rule has this id."""

    code = "notification-rule-not-found"


class MuteNotFound(NotFound):
    """The cause is not muted."""

    code = "notification-mute-not-found"


def add_target(conn: Connection, services: Services, new: NewTarget, *, by: str) -> MadeTarget:
    """Add a target; the answer has the secret of its signatures, this once.

    Raises
    ------
    TargetInvalid, TargetExists.
    """
    _check(new)
    if queries.target_named(conn, new.name) is not None:
        raise TargetExists(
            f"The target {new.name!r} is in use.", fix="Remove it first, or choose another name."
        )
    row: dict[str, Any] = {
        "id": new_id(),
        "name": new.name,
        "kind": new.kind,
        "address": {"url": new.url, "url_ref": new.url_ref, "to": new.to},
        "secret_version": 1,
        "created_at": clock.now(),
        "created_by": by,
    }
    queries.add_target(conn, **row)
    told = {"kind": new.kind, **row["address"]}
    audit.record(conn, by, "notification-target.add", new.name, new.reason, after=told)
    return _made(services, row)


def targets(conn: Connection, pages: Paging) -> Page[Target]:
    """The targets in use, by name."""
    by = [notification_targets.c.name]
    return paged(conn, queries.targets(), pages, by=by, make=_shown, newest_first=False)


def renew_secret(
    conn: Connection, services: Services, name: str, reason: str | None, *, by: str
) -> MadeTarget:
    """Another secret from now on; the one before signs nothing more."""
    row = found_target(conn, name)
    version = row["secret_version"] + 1
    queries.change_target(conn, row["id"], secret_version=version)
    audit.record(conn, by, "notification-target.renew-secret", name, reason)
    return _made(services, {**row, "secret_version": version})


def remove_target(conn: Connection, name: str, reason: str | None, *, by: str) -> Target:
    """Tell it nothing more; its rules go with it, what was sent stays in the log."""
    row = found_target(conn, name)
    queries.drop_rules(conn, target_id=row["id"])
    queries.change_target(conn, row["id"], removed_at=clock.now())
    was = {"kind": row["kind"], **row["address"]}
    audit.record(conn, by, "notification-target.remove", name, reason, before=was)
    return _shown(row)


def found_target(conn: Connection, name: str) -> RowMapping:
    """The target of that name; raises `TargetNotFound`."""
    row = queries.target_named(conn, name)
    if row is None:
        raise TargetNotFound(
            f"There is no target {name!r}.", fix="See `stepwell notifications targets list`."
        )
    return row


def add_rule(conn: Connection, new: NewRule, *, by: str) -> Rule:
    """Tell a target of some kinds from now on; raises `TargetNotFound`."""
    target = found_target(conn, new.target)
    values: dict[str, Any] = {
        "id": new_id(),
        "kinds": list(new.kinds),
        "labels": new.labels,
        "every": new.every,
        "created_at": clock.now(),
        "created_by": by,
    }
    where = {"group_name": new.group, "workflow": new.workflow}
    queries.add_rule(conn, target_id=target["id"], **where, **values)
    told = new.model_dump(mode="json", exclude={"reason"})
    audit.record(conn, by, "notification-rule.add", str(values["id"]), new.reason, after=told)
    return Rule(target=new.target, group=new.group, workflow=new.workflow, **values)


def rules(conn: Connection, pages: Paging) -> Page[Rule]:
    """All rules, newest first."""
    by = [notification_rules.c.id]
    return paged(conn, queries.rules(), pages, by=by, make=_rule)


def remove_rule(conn: Connection, rule_id: UUID, reason: str | None, *, by: str) -> None:
    """End a rule; raises `RuleNotFound`."""
    was = queries.rule(conn, rule_id)
    if was is None:
        raise RuleNotFound(
            f"There is no rule {rule_id}.", fix="See `stepwell notifications rules list`."
        )
    queries.drop_rules(conn, id=rule_id)
    told = audit.sides(was, None, "target", "kinds", "group_name", "workflow", "labels", "every")
    audit.record(conn, by, "notification-rule.remove", str(rule_id), reason, **told)


def mute(conn: Connection, new: NewMute, *, by: str) -> Mute:
    """Say nothing of a cause until then; raises `InvalidInput` for an instant that is over."""
    action = "notification.mute"
    return muting.mute(conn, new.cause, new.until, new.reason, by=by, action=action)


def mutes(conn: Connection, pages: Paging) -> Page[Mute]:
    """The mutes in force, by cause."""
    by = [notification_mutes.c.cause]
    query = queries.mutes(clock.now()).add_columns(queries.last_said().label("sentence"))
    make = lambda row: Mute(**row)  # noqa: E731
    return paged(conn, query, pages, by=by, make=make, newest_first=False)


def unmute(conn: Connection, cause: str, reason: str | None, *, by: str) -> None:
    """Speak of a cause again; raises `MuteNotFound`."""
    if not muting.unmute(conn, cause, reason, by=by, action="notification.unmute"):
        raise MuteNotFound(
            f"{cause!r} is not muted.", fix="See `stepwell notifications mutes list`."
        )


_NEEDS: Final = {
    TargetKind.WEBHOOK: "Give a URL; where it is a secret, env:NAME, a variable of the server.",
    TargetKind.SLACK: "Give env:NAME, a variable of the server: a Slack webhook's URL is a secret.",
    TargetKind.EMAIL: "Give at least one e-mail address.",
}


def _check(new: NewTarget) -> None:
    urls = [one for one in (new.url, new.url_ref) if one]
    fits = {
        TargetKind.WEBHOOK: len(urls) == 1 and not new.to,
        TargetKind.SLACK: bool(new.url_ref) and not new.url and not new.to,
        TargetKind.EMAIL: bool(new.to) and not urls,
    }
    if not fits[new.kind]:
        raise TargetInvalid(
            f"The address of the target {new.name!r} does not fit its kind, {new.kind}.",
            fix=_NEEDS[new.kind],
        )
    if new.url is not None:
        _check_url(new.url)
    for address in new.to:
        _check_address(address)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise TargetInvalid(
            f"{url!r} cannot be sent to.",
            why="It is no http or https URL with a host, or it has a password in it.",
            fix="Correct it; of a URL with a secret give env:NAME, a variable of the server.",
        )


def _check_address(address: str) -> None:
    name, at, host = address.rpartition("@")
    if not (name and at and host) or not address.isascii() or not address.isprintable():
        usable = False
    else:
        usable = not any(one in address for one in " ,;<>\"'()[]")
    if not usable:
        raise TargetInvalid(f"{address!r} is no e-mail address.", fix="Write name@host.")


def _shown(row: Any) -> Target:
    names = ("name", "kind", "created_at", "created_by")
    address = row["address"]
    shown = {name: row[name] for name in names}
    return Target(**shown, **address, warning=sending.lacking(address))


def _made(services: Services, row: Any) -> MadeTarget:
    signed = row["kind"] == TargetKind.WEBHOOK
    key = services.settings.signing_key
    secret = signing.secret_of(key, row["id"], row["secret_version"]) if signed else None
    return MadeTarget(**_shown(row).model_dump(), secret=secret)


def _rule(row: Any) -> Rule:
    values = {name: value for name, value in row.items() if name in Rule.model_fields}
    return Rule(group=row["group_name"], **values)
