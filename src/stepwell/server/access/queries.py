"""Tokens in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from stepwell.server.database.tables import tokens

Row: TypeAlias = RowMapping


def add(conn: Connection, **values: Any) -> None:
    """Insert a token."""
    conn.execute(insert(tokens).values(**values))


def by_hash(conn: Connection, secret_hash: str) -> Row | None:
    """The token whose secret has this hash."""
    query = select(tokens).where(tokens.c.secret_hash == secret_hash)
    return conn.execute(query).mappings().one_or_none()


def by_id(conn: Connection, token_id: UUID) -> Row | None:
    """The token with this id."""
    return conn.execute(select(tokens).where(tokens.c.id == token_id)).mappings().one_or_none()


def by_name(conn: Connection, name: str) -> Row | None:
    """The token with this name, revoked or not."""
    return conn.execute(select(tokens).where(tokens.c.name == name)).mappings().one_or_none()


def listed() -> Select[Any]:
    """All tokens, to be paged by id."""
    return select(tokens)


def touch(conn: Connection, token_id: UUID, at: datetime) -> None:
    """The token was used."""
    conn.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))


def revoke(conn: Connection, token_id: UUID, at: datetime) -> None:
    """The token is good for nothing from now on."""
    conn.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))
