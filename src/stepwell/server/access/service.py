"""Tokens: issue, check, revoke. A secret is high in entropy, so SHA-256 keeps it safe."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StoreUnavailable,
    Unauthenticated,
)
from stepwell.given import suggestion
from stepwell.ids import new_id
from stepwell.server.access import queries
from stepwell.server.access.records import IssuedToken, NewToken, Role, Token, User
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import tokens
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services
from stepwell.server.settings import write_secret

DEVELOPMENT: Final = "stepwell dev"
"""Who has made the account and the token of the developer."""

_USED_EVERY: Final = timedelta(minutes=1)
"""`last_used_at` is written at most so often."""


class TokenNotFound(NotFound):
    """No token has this id."""

    code = "token-not-found"


class TokenNameTaken(Conflict):
    """A token of that name exists, or existed: the audit log must stay clear."""

    code = "token-name-taken"


class ReadOnly(Denied):
    """The caller's token may only read."""

    code = "read-only"


class RoleMissing(Denied):
    """The caller's role does not suffice."""

    code = "role-missing"


class OutOfGroups(Denied):
    """The token is limited to groups, and the request is not about one of them."""

    code = "out-of-groups"


def issue(conn: Connection, new: NewToken, *, by: str) -> IssuedToken:
    """Make a token. The answer is the only place where its secret ever appears.

    Raises
    ------
    TokenNameTaken, InvalidInput : an expiry that has passed.
    """
    now = clock.now()
    if new.expires_at is not None and new.expires_at <= now:
        raise InvalidInput("expires_at lies in the past.", fix="Give a later instant, or none.")
    if queries.name_taken(conn, new.name):
        raise TokenNameTaken(
            f"A token or a user {new.name!r} exists, or existed.",
            why="Names are not used twice, so that the audit log stays clear.",
            fix="Choose another name.",
        )
    asked = new.model_dump(exclude={"reason"})
    issued = _issued(conn, asked, by)
    after = {"role": new.role, "groups": new.groups, "read_only": new.read_only}
    audit.record(conn, by, "token.issue", new.name, new.reason, {"role": new.role}, after=after)
    return issued.model_copy(update={"warning": _unknown_groups(conn, new.groups or ())})


def _unknown_groups(conn: Connection, named: Iterable[str]) -> str | None:
    """What is said where a token names groups that are not registered: they may yet be."""
    known = queries.known_groups(conn)
    unknown = [name for name in named if name not in known]
    if not unknown:
        return None
    meant = "".join(f" {one}" for name in unknown if (one := suggestion(name, sorted(known))))
    return f"Not registered, and nothing to reach until then: {', '.join(unknown)}.{meant}"


def issue_at_login(
    conn: Connection, user_id: UUID, name: str, role: Role, label: str, life: timedelta
) -> IssuedToken:
    """A token that stands for a user on the command line, and ends with their password."""
    values = {
        "name": f"{name[:50]}/{label}-{secrets.token_hex(3)}",  # '/' is in no other's name
        "role": role,
        "user_id": user_id,
        "expires_at": clock.now() + life,
    }
    issued = _issued(conn, values, name)
    audit.record(conn, name, "token.issue", issued.name, None, after={"role": role})
    return issued


def _issued(conn: Connection, values: Mapping[str, Any], by: str) -> IssuedToken:
    secret, token_id = f"sw_{secrets.token_urlsafe(32)}", new_id()
    own = {"secret_hash": hashed(secret), "created_at": clock.now(), "created_by": by}
    queries.add(conn, id=token_id, **own, **values)
    return IssuedToken(secret=secret, **_shown(queries.by_id(conn, token_id)))


def authenticate(services: Services, secret: str | None) -> User:
    """The user whom a secret belongs to.

    Raises
    ------
    Unauthenticated : none given, unknown, expired or revoked; the message does not
        tell which of the last three, so that nobody can probe.
    """
    now = services.clock.now()
    with services.db.read() as conn:
        row = None if secret is None else queries.by_hash(conn, hashed(secret))
    if row is None or secret is None or not _good(row, secret, now):
        raise _unknown(secret)
    if row["last_used_at"] is None or now - row["last_used_at"] >= _USED_EVERY:
        # When it was last used is a courtesy: a busy database must not turn the caller away.
        with suppress(StoreUnavailable), services.db.write() as conn:
            queries.touch(conn, row["id"], now)
    return _speaking(row)


def _speaking(row: queries.Row) -> User:
    """Whom a token speaks for: nobody's has a name of its own, a user's is the user."""
    role, groups = Role(row["role"]), row["groups"]
    if row["user_id"] is not None and not Role(row["user_role"]).covers(role):
        role = Role(row["user_role"])
    return User(
        row["user_name"] or row["name"],
        role,
        user_id=row["user_id"],
        token_id=row["id"],
        groups=None if groups is None else tuple(groups),
        read_only=row["read_only"],
        expires_at=row["expires_at"],
    )


def person(conn: Connection, name: str) -> str:
    """Who answers for what is done under a name: the account, or who has made the token.

    One person with two tokens is one person (decision 0069).
    """
    seen: set[str] = set()
    while name not in seen and (maker := queries.maker(conn, name)) is not None:
        seen.add(name)
        name = maker
    return name


def require_change(user: User) -> User:
    """`user`, if the token may change anything at all; raises `ReadOnly`."""
    if not user.read_only:
        return user
    raise ReadOnly(
        f"The token of {user.name!r} may only read.",
        fix="Use a token that was not made with --read-only.",
    )


def require(user: User, role: Role) -> User:
    """`user`, if the role suffices; raises `RoleMissing` with what is needed."""
    if user.role.covers(role):
        return user
    raise RoleMissing(
        f"This needs the role {role}; {user.name!r} has {user.role}.",
        fix=f"Use a token of the role {role}, or ask an admin for one.",
    )


def listed(conn: Connection, pages: Paging) -> Page[Token]:
    """All tokens, newest first."""
    by = [tokens.c.id]
    return paged(conn, queries.listed(), pages, by=by, make=lambda row: Token(**_shown(row)))


def revoke(conn: Connection, token_id: UUID, reason: str | None, *, by: str) -> Token:
    """End a token at once; a second time changes nothing. Raises `TokenNotFound`."""
    row = queries.by_id(conn, token_id)
    if row is None:
        raise TokenNotFound(f"There is no token {token_id}.", fix="See `stepwell tokens list`.")
    if row["revoked_at"] is None:
        queries.revoke(conn, token_id, clock.now())
        was = {"role": row["role"], "revoked": False}
        after = {**was, "revoked": True}
        audit.record(conn, by, "token.revoke", row["name"], reason, before=was, after=after)
    return Token(**_shown(queries.by_id(conn, token_id)))


def restored(conn: Connection, *, by: str) -> dict[str, int]:
    """After a restore: what was ended since the copy was made would be good again.

    Sessions and links end; tokens of nobody in particular stay, and are counted.
    """
    ended = queries.revoke_all(conn, clock.now())
    audit.record(conn, by, "database.restore", "database", None, ended)
    return ended


def kept_admin_token(services: Services, path: Path) -> str:
    """The secret in `path`, which works as an admin; a new one where it does not (dev only)."""
    if path.exists() and _works(services, path.read_text().strip()):
        return path.read_text().strip()
    path.unlink(missing_ok=True)
    new = NewToken(name=f"dev-{secrets.token_hex(4)}", role=Role.ADMIN)
    with services.db.write() as conn:
        issued = issue(conn, new, by=DEVELOPMENT)
        write_secret(path, issued.secret)
    return issued.secret


def hashed(secret: str) -> str:
    """SHA-256 of a secret, as hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(secret: str, secret_hash: str | None) -> bool:
    """Whether a secret has this hash, in constant time."""
    return secret_hash is not None and hmac.compare_digest(hashed(secret), secret_hash)


def _good(row: queries.Row, secret: str, now: datetime) -> bool:
    alive = row["expires_at"] is None or row["expires_at"] > now
    ended = row["revoked_at"] is not None or row["user_disabled_at"] is not None
    return same(secret, row["secret_hash"]) and alive and not ended


def _works(services: Services, secret: str) -> bool:
    try:
        return authenticate(services, secret).role is Role.ADMIN
    except Unauthenticated:
        return False


def _unknown(secret: str | None) -> Unauthenticated:
    if secret is None:
        return Unauthenticated(
            "This needs a token or a login.",
            fix="Send `Authorization: Bearer sw_...`, or log in with `stepwell login`.",
        )
    return Unauthenticated(
        "This token is not valid.",
        why="It is unknown, expired or revoked.",
        fix="Ask an admin for a new one, or run `stepwell tokens create` on the server.",
    )


def _shown(row: queries.Row | None) -> dict[str, Any]:
    assert row is not None
    return {name: row[name] for name in Token.model_fields}
