"""Secrets that are good for one use and a short time: to set a password, to set up, to log in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import Unauthenticated
from stepwell.ids import new_id
from stepwell.server.access import queries
from stepwell.server.access.queries import Row
from stepwell.server.access.records import Link
from stepwell.server.settings import Settings

PASSWORD: Final = "password"  # noqa: S105 - what a link is for
SETUP: Final = "setup"
CLI: Final = "cli"
BROWSER: Final = "browser"

LIFE: Final = {
    PASSWORD: timedelta(hours=24),
    SETUP: timedelta(hours=1),
    CLI: timedelta(minutes=1),
    BROWSER: timedelta(hours=1),
}


class LinkInvalid(Unauthenticated):
    """A one-time secret that is unknown, used up or too old."""

    code = "link-invalid"


def for_password(conn: Connection, settings: Settings, user_id: UUID, *, by: str) -> Link:
    """A link to set the password of an account; those made before end.

    The secret stands behind the '#', so that it reaches no log of a proxy.
    """
    secret = made(conn, PASSWORD, by=by, user_id=user_id)
    ends = clock.now() + LIFE[PASSWORD]
    return Link(url=f"{settings.url}/password#{secret}", secret=secret, expires_at=ends)


def made(
    conn: Connection,
    purpose: str,
    *,
    by: str,
    user_id: UUID | None = None,
    challenge: str | None = None,
) -> str:
    """A new secret for this purpose, which replaces those before it (but for the set-up)."""
    secret, now = f"swl_{secrets.token_urlsafe(32)}", clock.now()
    if purpose != SETUP:  # several servers may each have printed one
        queries.drop_links(conn, purpose, user_id, now)
    queries.add_link(
        conn,
        id=new_id(),
        secret_hash=_hashed(secret),
        purpose=purpose,
        user_id=user_id,
        challenge=challenge,
        created_at=now,
        created_by=by,
        expires_at=now + LIFE[purpose],
    )
    return secret


def used(conn: Connection, purpose: str, secret: str) -> Row:
    """Use a secret up; raises `LinkInvalid`, and then it stays as it was."""
    row = queries.use_link(conn, _hashed(secret), purpose, clock.now())
    if row is None:
        raise invalid()
    return row


def answers(challenge: str | None, verifier: str) -> bool:
    """Whether a verifier belongs to a challenge (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(made.encode(), (challenge or "").encode())


def invalid() -> LinkInvalid:
    """The error for all that is wrong with one: it tells nothing more."""
    return LinkInvalid(
        "This link is not valid.",
        why="It is unknown, was used, or is too old.",
        fix="Ask for a new one.",
    )


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
