"""Tokens: issue, check, revoke. A secret is high in entropy, so SHA-256 keeps it safe."""

from __future__ import annotations

import hashlib
import hmac
import secrets
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
from stepwell.ids import new_id
from stepwell.server.access import queries
from stepwell.server.access.records import IssuedToken, NewToken, Role, Token, User
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import tokens
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services
from stepwell.server.settings import write_secret

_USED_EVERY: Final = timedelta(minutes=1)
"""`last_used_at` is written at most so often."""


class TokenNotFound(NotFound):
    """No token has this id."""

    code = "token-not-found"


class TokenNameTaken(Conflict):
    """A token of that name exists, or existed: the audit log must stay clear."""

    code = "token-name-taken"


class RoleMissing(Denied):
    """The caller's role does not suffice."""

    code = "role-missing"


def issue(conn: Connection, new: NewToken, *, by: str) -> IssuedToken:
    """Make a token. The answer is the only place where its secret ever appears.

    Raises
    ------
    TokenNameTaken, InvalidInput : an expiry that has passed.
    """
    now = clock.now()
    if new.expires_at is not None and new.expires_at <= now:
        raise InvalidInput("expires_at lies in the past.", fix="Give a later instant, or none.")
    if queries.by_name(conn, new.name) is not None:
        raise TokenNameTaken(
            f"A token {new.name!r} exists, or existed.",
            why="Names are not used twice, so that the audit log stays clear.",
            fix="Choose another name.",
        )
    secret, token_id = f"sw_{secrets.token_urlsafe(32)}", new_id()
    queries.add(
        conn,
        id=token_id,
        name=new.name,
        role=new.role,
        secret_hash=hashed(secret),
        created_at=now,
        created_by=by,
        expires_at=new.expires_at,
    )
    audit.record(conn, by, "token.issue", new.name, new.reason, {"role": new.role})
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
    return User(row["name"], Role(row["role"]))


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
        audit.record(conn, by, "token.revoke", row["name"], reason)
    return Token(**_shown(queries.by_id(conn, token_id)))


def kept_admin_token(services: Services, path: Path) -> str:
    """The secret in `path`, which works as an admin; a new one where it does not (dev only)."""
    if path.exists() and _works(services, path.read_text().strip()):
        return path.read_text().strip()
    path.unlink(missing_ok=True)
    new = NewToken(name=f"dev-{secrets.token_hex(4)}", role=Role.ADMIN)
    with services.db.write() as conn:
        issued = issue(conn, new, by="stepwell dev")
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
    return same(secret, row["secret_hash"]) and alive and row["revoked_at"] is None


def _works(services: Services, secret: str) -> bool:
    try:
        return authenticate(services, secret).role is Role.ADMIN
    except Unauthenticated:
        return False


def _unknown(secret: str | None) -> Unauthenticated:
    if secret is None:
        return Unauthenticated(
            "This needs a token.",
            fix="Send it as `Authorization: Bearer sw_...`; `stepwell tokens create` makes one.",
        )
    return Unauthenticated(
        "This token is not valid.",
        why="It is unknown, expired or revoked.",
        fix="Ask an admin for a new one, or run `stepwell tokens create` on the server.",
    )


def _shown(row: queries.Row | None) -> dict[str, Any]:
    assert row is not None
    return {name: row[name] for name in Token.model_fields}
