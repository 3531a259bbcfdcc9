"""Accounts: make, change, disable; passwords by their owners, or by a one-time link."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Conflict, Denied, InvalidInput, NotFound
from stepwell.ids import new_id
from stepwell.server.access import links, passwords, queries
from stepwell.server.access.queries import Row
from stepwell.server.access.records import (
    Account,
    InvitedUser,
    Link,
    NewUser,
    PasswordChange,
    Role,
    UserChange,
)
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import users
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.settings import Settings


class UserNotFound(NotFound):
    """No user has this id."""

    code = "user-not-found"


class UserNameTaken(Conflict):
    """A user or a token of that name exists, or existed."""

    code = "user-name-taken"


class LastAdmin(Conflict):
    """Nobody could administer the server any more."""

    code = "last-admin"


class NoPassword(Conflict):
    """The account logs in elsewhere, so it has no password here."""

    code = "no-password"


class PasswordWrong(Denied):
    """The current password that was given is not the account's."""

    code = "password-wrong"


def listed(conn: Connection, pages: Paging) -> Page[Account]:
    """All users, by name."""
    from_ = users.select()
    return paged(conn, from_, pages, by=[users.c.name], make=shown, newest_first=False)


def get(conn: Connection, user_id: UUID) -> Account:
    """One user; raises `UserNotFound`."""
    return shown(found(conn, user_id))


def invite(conn: Connection, settings: Settings, new: NewUser, *, by: str) -> InvitedUser:
    """Make an account without a password, and a link by which its owner sets one.

    Raises
    ------
    UserNameTaken
    """
    if new.subject is not None and not settings.oidc_issuer:
        raise InvalidInput("No identity provider is set.", fix="Leave the subject out.")
    issuer = settings.oidc_issuer if new.subject else None
    user_id = create(conn, new, by=by, issuer=issuer)
    link = links.for_password(conn, settings, user_id, by=by) if issuer is None else None
    return InvitedUser(**get(conn, user_id).model_dump(), link=link)


def create(
    conn: Connection,
    new: NewUser,
    *,
    by: str,
    password: str | None = None,
    issuer: str | None = None,
) -> UUID:
    """Make an account; `by` is who does it. Raises `UserNameTaken`, `PasswordWeak`."""
    name, now = new.name.lower(), clock.now()
    kept = None if password is None else passwords.hashed(password, name)
    if queries.name_taken(conn, name):
        raise name_taken(name)
    values = {"name": name, "role": new.role, "email": new.email, "created_by": by}
    values |= {"issuer": issuer, "subject": new.subject}
    user_id, changed_at = new_id(), None if kept is None else now
    own = {"password_hash": kept, "password_changed_at": changed_at, "created_at": now}
    queries.add_user(conn, id=user_id, **values, **own)
    after = {"role": new.role, "email": new.email}
    audit.record(conn, by, "user.create", name, new.reason, after=after)
    return user_id


def change(conn: Connection, user_id: UUID, asked: UserChange, *, by: str) -> Account:
    """Set role, e-mail or whether the account is disabled; a disabled one is out at once.

    Raises
    ------
    UserNotFound
    LastAdmin : no admin who can log in would be left.
    """
    admins = queries.enabled_admins(conn)
    row = found(conn, user_id)
    before = _told(row)
    values = _changes(row, asked)
    if not values:
        return shown(row)
    queries.change_user(conn, user_id, **values)
    row = found(conn, user_id)
    if admins == {user_id} and (row["role"] != Role.ADMIN or row["disabled_at"] is not None):
        raise _last(row["name"])
    if row["disabled_at"] is not None:
        queries.revoke_of_user(conn, user_id, clock.now())
    after = _told(row)
    audit.record(conn, by, "user.change", row["name"], asked.reason, before=before, after=after)
    return shown(row)


def link(
    conn: Connection, settings: Settings, user_id: UUID, reason: str | None, *, by: str
) -> Link:
    """A new link to set the password; those made before end. Raises `UserNotFound`."""
    row = found(conn, user_id)
    if row["issuer"] is not None:
        raise _elsewhere(row)
    made = links.for_password(conn, settings, user_id, by=by)
    audit.record(conn, by, "user.link", row["name"], reason)
    return made


def change_password(conn: Connection, user_id: UUID, asked: PasswordChange) -> None:
    """From the current one to a new one. All that was open with the old one ends.

    Raises
    ------
    NoPassword, PasswordWrong, PasswordWeak
    """
    row = found(conn, user_id)
    if row["issuer"] is not None or row["password_hash"] is None:
        raise _elsewhere(row)
    if not passwords.fits(row["password_hash"], asked.current.get_secret_value()):
        raise PasswordWrong(
            "The current password does not fit.", fix="Log out, and ask an admin for a link."
        )
    _set_password(conn, row, asked.new.get_secret_value(), by=row["name"])


def set_password(conn: Connection, secret: str, password: str) -> Account:
    """Set the password of the account that a one-time link is for, and use the link up.

    Raises
    ------
    LinkInvalid, PasswordWeak
    """
    used = links.used(conn, links.PASSWORD, secret)
    row = found(conn, used["user_id"])
    if row["disabled_at"] is not None or row["issuer"] is not None:
        raise links.invalid()
    _set_password(conn, row, password, by=row["name"])
    return shown(found(conn, row["id"]))


def _set_password(conn: Connection, row: Row, password: str, *, by: str) -> None:
    now, kept = clock.now(), passwords.hashed(password, row["name"])
    queries.change_user(conn, row["id"], password_hash=kept, password_changed_at=now)
    queries.revoke_of_user(conn, row["id"], now)
    audit.record(conn, by, "user.password", row["name"])


def found(conn: Connection, user_id: UUID) -> Row:
    """The row, locked; raises `UserNotFound`."""
    row = queries.user(conn, user_id)
    if row is None:
        raise _unknown(str(user_id))
    return row


def shown(row: Row) -> Account:
    """A row as a record."""
    login = "oidc" if row["issuer"] else "password" if row["password_hash"] else "none yet"
    fields = {name: row[name] for name in Account.model_fields if name != "login"}
    return Account(login=login, **fields)


def name_taken(name: str) -> UserNameTaken:
    """The error for a name that somebody has, or has had."""
    return UserNameTaken(
        f"A user or a token {name!r} exists, or existed.",
        why="Names are not used twice, so that the audit log stays clear.",
        fix="Choose another name, or change that user.",
    )


_TOLD: Final = ("role", "email")


def _told(row: Row) -> dict[str, Any]:
    return {**{name: row[name] for name in _TOLD}, "disabled": row["disabled_at"] is not None}


def _changes(row: Row, asked: UserChange) -> dict[str, Any]:
    given = asked.model_dump(exclude={"reason", "disabled"}, exclude_none=True)
    values = {name: value for name, value in given.items() if row[name] != value}
    if asked.disabled is not None and asked.disabled != (row["disabled_at"] is not None):
        values["disabled_at"] = clock.now() if asked.disabled else None
    return values


def _unknown(name: str) -> UserNotFound:
    return UserNotFound(f"There is no user {name}.", fix="See `stepwell users list`.")


def _last(name: str) -> LastAdmin:
    return LastAdmin(
        f"{name!r} is the only admin who can log in.",
        why="Nobody could manage users any more.",
        fix="Make somebody else an admin first.",
    )


def _elsewhere(row: Row) -> NoPassword:
    return NoPassword(
        f"{row['name']!r} has no password here.",
        why="The account logs in with the identity provider."
        if row["issuer"]
        else "None was set yet.",
        fix="Change it there." if row["issuer"] else "Ask an admin for a link to set one.",
    )
