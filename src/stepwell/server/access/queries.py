"""Tokens, users, sessions and one-time links in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from stepwell.server.database.tables import groups, sessions, tokens, users
from stepwell.server.database.tables import one_time_links as links

Row: TypeAlias = RowMapping


# -- tokens ------------------------------------------------------------------------


def add(conn: Connection, **values: Any) -> None:
    """Insert a token."""
    conn.execute(insert(tokens).values(**values))


def by_hash(conn: Connection, secret_hash: str) -> Row | None:
    """The token whose secret has this hash, with the account that it belongs to."""
    account = [users.c.name.label("user_name"), users.c.role.label("user_role")]
    query = (
        select(tokens, *account, users.c.disabled_at.label("user_disabled_at"))
        .outerjoin(users, users.c.id == tokens.c.user_id)
        .where(tokens.c.secret_hash == secret_hash)
    )
    return conn.execute(query).mappings().one_or_none()


def by_id(conn: Connection, token_id: UUID) -> Row | None:
    """The token with this id."""
    return conn.execute(select(tokens).where(tokens.c.id == token_id)).mappings().one_or_none()


def maker(conn: Connection, name: str) -> str | None:
    """Who has made the token of this name; None if it is no token's."""
    return conn.execute(select(tokens.c.created_by).where(tokens.c.name == name)).scalar()


def name_taken(conn: Connection, name: str) -> bool:
    """Whether a token, revoked or not, or a user has this name, in whatever case."""
    for table in (tokens, users):
        same = func.lower(table.c.name) == name.lower()
        if conn.execute(select(table.c.id).where(same)).first() is not None:
            return True
    return False


def known_groups(conn: Connection) -> set[str]:
    """The names of all groups."""
    return set(conn.execute(select(groups.c.name)).scalars())


def listed() -> Select[Any]:
    """All tokens, to be paged by id."""
    return select(tokens)


def touch(conn: Connection, token_id: UUID, at: datetime) -> None:
    """The token was used."""
    conn.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))


def revoke(conn: Connection, token_id: UUID, at: datetime) -> None:
    """The token is good for nothing from now on."""
    conn.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))


def revoke_of_user(conn: Connection, user_id: UUID, at: datetime) -> None:
    """End all that the account has open: its sessions, its tokens and its links."""
    of = ((sessions, "revoked_at"), (tokens, "revoked_at"), (links, "used_at"))
    for table, ended in of:
        mine = (table.c.user_id == user_id, table.c[ended].is_(None))
        conn.execute(update(table).where(*mine).values({ended: at}))


def revoke_all(conn: Connection, at: datetime) -> dict[str, int]:
    """End every session, link and login token; how many, and how many tokens go on."""
    of = ((sessions, "revoked_at"), (links, "used_at"), (tokens, "revoked_at"))
    ended: dict[str, int] = {}
    for table, column in of:
        query = update(table).where(table.c[column].is_(None)).values({column: at})
        query = query.where(table.c.user_id.is_not(None)) if table is tokens else query
        ended[table.name] = conn.execute(query).rowcount
    left = select(func.count()).select_from(tokens).where(tokens.c.revoked_at.is_(None))
    return {**ended, "tokens_left": conn.execute(left).scalar_one()}


# -- users -------------------------------------------------------------------------


def add_user(conn: Connection, **values: Any) -> None:
    """Insert a user."""
    conn.execute(insert(users).values(**values))


def user(conn: Connection, user_id: UUID) -> Row | None:
    """The user with this id; on PostgreSQL nobody else changes it until the transaction ends."""
    query = select(users).where(users.c.id == user_id).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def user_by_name(conn: Connection, name: str) -> Row | None:
    """The user with this name, which is kept in lower case."""
    query = select(users).where(users.c.name == name.lower())
    return conn.execute(query).mappings().one_or_none()


def user_by_subject(conn: Connection, issuer: str, subject: str) -> Row | None:
    """The user whom an identity provider knows under this subject."""
    same = (users.c.issuer == issuer, users.c.subject == subject)
    return conn.execute(select(users).where(*same)).mappings().one_or_none()


def any_user(conn: Connection, *, but: str) -> bool:
    """Whether there is a user, other than those whom this one has made."""
    others = users.c.created_by != but
    return conn.execute(select(users.c.id).where(others).limit(1)).first() is not None


def enabled_admins(conn: Connection) -> set[UUID]:
    """The admins who can log in; locked, so that two of them do not remove each other."""
    admins = (users.c.role == "admin", users.c.disabled_at.is_(None))
    query = select(users.c.id).where(*admins).order_by(users.c.id).with_for_update()
    return set(conn.execute(query).scalars())


def change_user(conn: Connection, user_id: UUID, **values: Any) -> None:
    """Set columns of a user."""
    conn.execute(update(users).where(users.c.id == user_id).values(**values))


# -- sessions ----------------------------------------------------------------------


def add_session(conn: Connection, **values: Any) -> None:
    """Insert a session."""
    conn.execute(insert(sessions).values(**values))


def session_by_hash(conn: Connection, secret_hash: str) -> Row | None:
    """The session whose secret has this hash, with its user."""
    theirs = [users.c[name].label(f"user_{name}") for name in ("name", "role", "disabled_at")]
    query = select(sessions, *theirs).join(users, users.c.id == sessions.c.user_id)
    return conn.execute(query.where(sessions.c.secret_hash == secret_hash)).mappings().one_or_none()


def session(conn: Connection, session_id: UUID) -> Row | None:
    """The session with this id."""
    query = select(sessions).where(sessions.c.id == session_id)
    return conn.execute(query).mappings().one_or_none()


def open_sessions(user_id: UUID, now: datetime) -> Select[Any]:
    """The sessions of a user that have not ended, to be paged by id."""
    open_ = (sessions.c.revoked_at.is_(None), sessions.c.expires_at > now)
    return select(sessions).where(sessions.c.user_id == user_id, *open_)


def change_session(conn: Connection, session_id: UUID, **values: Any) -> None:
    """Set columns of a session."""
    conn.execute(update(sessions).where(sessions.c.id == session_id).values(**values))


# -- one-time links ----------------------------------------------------------------


def add_link(conn: Connection, **values: Any) -> None:
    """Insert a link."""
    conn.execute(insert(links).values(**values))


def use_link(conn: Connection, secret_hash: str, purpose: str, now: datetime) -> Row | None:
    """Use a link up; None if there is none that is good. Of two at once, one gets it."""
    good = (links.c.purpose == purpose, links.c.used_at.is_(None), links.c.expires_at > now)
    query = update(links).where(links.c.secret_hash == secret_hash, *good).values(used_at=now)
    return conn.execute(query.returning(*links.c)).mappings().one_or_none()


def drop_links(conn: Connection, purpose: str, user_id: UUID | None, now: datetime) -> None:
    """What was given out before is good for nothing any more."""
    mine = (links.c.purpose == purpose, links.c.user_id.is_not_distinct_from(user_id))
    conn.execute(update(links).where(*mine, links.c.used_at.is_(None)).values(used_at=now))
