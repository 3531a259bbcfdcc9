"""Sessions of browsers: a row each, known by the hash of a secret in a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import NotFound, StoreUnavailable, Unauthenticated
from stepwell.ids import new_id
from stepwell.server.access import queries
from stepwell.server.access.records import How, LoginSession, Origin, Role, User
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import sessions
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.services import Services

_USED_EVERY: Final = timedelta(minutes=1)


class SessionNotFound(NotFound):
    """No session of the caller's has this id."""

    code = "session-not-found"


class SessionEnded(Unauthenticated):
    """The cookie's session is over, or was never one."""

    code = "session-ended"


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session: the secret for the cookie, and for how many seconds it may live."""

    secret: str
    seconds: int
    user: User


def begin(
    conn: Connection, services: Services, account: queries.Row, how: How, origin: Origin
) -> Begun:
    """Open a session for an account that has just shown who it is."""
    secret, now, session_id = secrets.token_urlsafe(32), clock.now(), new_id()
    life = services.settings.session_life
    ends = now + timedelta(seconds=life)
    agent = origin.agent and origin.agent[:200].replace("\0", "")
    queries.add_session(
        conn,
        id=session_id,
        secret_hash=_hashed(secret),
        user_id=account["id"],
        how=how,
        created_at=now,
        last_used_at=now,
        expires_at=ends,
        address=origin.address,
        agent=agent,
    )
    queries.change_user(conn, account["id"], last_login_at=now)
    audit.record(conn, account["name"], "session.begin", account["name"], None, {"how": how})
    user = _user(account["name"], account["role"], how, account["id"], session_id, ends)
    return Begun(secret, int(life), user)


def holder(services: Services, secret: str) -> User:
    """The user whose session a cookie is of.

    Raises
    ------
    SessionEnded : unknown, revoked, too old, unused for too long, or of a disabled account.
    """
    now, idle = services.clock.now(), timedelta(seconds=services.settings.session_idle)
    with services.db.read() as conn:
        row = queries.session_by_hash(conn, _hashed(secret))
    if row is None or not _good(row, now, idle):
        raise SessionEnded(
            "This session is over.",
            why="It is unknown, was ended, or was not used for too long.",
            fix="Log in again.",
        )
    if now - row["last_used_at"] >= min(_USED_EVERY, idle / 10):
        with suppress(StoreUnavailable), services.db.write() as conn:
            queries.change_session(conn, row["id"], last_used_at=now)
    account = (row["user_name"], row["user_role"], row["how"])
    return _user(*account, row["user_id"], row["id"], row["expires_at"])


def csrf_token(key: bytes, session_id: UUID) -> str:
    """What a page of ours must send along with each change; no other origin can know it."""
    return hmac.new(key, f"csrf:{session_id}".encode(), hashlib.sha256).hexdigest()


def listed(conn: Connection, user: User, pages: Paging) -> Page[LoginSession]:
    """The caller's open sessions, newest first."""
    assert user.user_id is not None
    query = queries.open_sessions(user.user_id, clock.now())

    def make(row: queries.Row) -> LoginSession:
        return _shown(row, user)

    return paged(conn, query, pages, by=[sessions.c.id], make=make)


def revoke(
    conn: Connection, session_id: UUID, reason: str | None, *, user: User, by_admin: bool
) -> LoginSession:
    """End a session of the caller's own, or, as an admin, anybody's. Raises `SessionNotFound`."""
    row = queries.session(conn, session_id)
    if row is None or (row["user_id"] != user.user_id and not by_admin):
        raise SessionNotFound(
            f"You have no session {session_id}.", fix="See `stepwell users sessions`."
        )
    if row["revoked_at"] is None:
        queries.change_session(conn, session_id, revoked_at=clock.now())
        audit.record(conn, user.name, "session.end", str(session_id), reason)
    return _shown(queries.session(conn, session_id), user)


def _user(
    name: str, role: str, how: str, user_id: UUID, session_id: UUID, expires_at: datetime
) -> User:
    ids: dict[str, Any] = {"user_id": user_id, "session_id": session_id}
    return User(name, Role(role), how=How(how), expires_at=expires_at, **ids)


def _good(row: queries.Row, now: datetime, idle: timedelta) -> bool:
    fresh = row["expires_at"] > now and row["last_used_at"] + idle > now
    return fresh and row["revoked_at"] is None and row["user_disabled_at"] is None


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _shown(row: queries.Row | None, user: User) -> LoginSession:
    assert row is not None
    fields = {name: row[name] for name in LoginSession.model_fields if name != "current"}
    return LoginSession(**fields, current=row["id"] == user.session_id)
