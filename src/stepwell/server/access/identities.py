"""From what an identity provider says of somebody to an account and its role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import SetupError
from stepwell.ids import new_id
from stepwell.server.access import queries, users
from stepwell.server.access.queries import Row
from stepwell.server.access.records import Role
from stepwell.server.access.states import IdentityRefused, refused
from stepwell.server.audit import service as audit
from stepwell.server.settings import Settings

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._@-]+")


def account(conn: Connection, settings: Settings, claims: Mapping[str, Any]) -> Row:
    """The account of who has logged in; made at the first login, where settings allow it.

    It is found by issuer and subject only: a name or an e-mail address can be taken over.

    Raises
    ------
    IdentityRefused : there is none and none is made, it is disabled, or has no role.
    """
    subject = str(claims["sub"])
    row = queries.user_by_subject(conn, settings.oidc_issuer, subject)
    role = role_of(settings, claims, None if row is None else Role(row["role"]))
    if role is None:
        raise refused("None of your groups there has a role here.")
    if row is None:
        return _made(conn, settings, claims, role)
    if row["disabled_at"] is not None:
        raise refused("The account is disabled.")
    if row["role"] != role:
        queries.change_user(conn, row["id"], role=role)
        told = {"before": {"role": row["role"]}, "after": {"role": role}}
        audit.record(conn, "identity provider", "user.change", row["name"], None, **told)
    return users.found(conn, row["id"])


def role_of(settings: Settings, claims: Mapping[str, Any], present: Role | None) -> Role | None:
    """The highest role that a value of the role claim is mapped to; else the default.

    Where nothing is mapped, an account keeps the role that it has.
    """
    default = Role(settings.oidc_default_role) if settings.oidc_default_role else None
    if not settings.oidc_roles:
        return present or default
    held = claims.get(settings.oidc_role_claim)
    values = {held} if isinstance(held, str) else set(map(str, held or []))
    roles = [role for value, role in mapping(settings) if value in values]
    return max(roles, key=list(Role).index, default=default)


def mapping(settings: Settings) -> list[tuple[str, Role]]:
    """`value=role` of the setting, taken apart; raises `SetupError`."""
    try:
        pairs = [one.rpartition("=") for one in settings.oidc_roles]
        return [(value, Role(role)) for value, _, role in pairs]
    except ValueError as error:
        raise SetupError(
            f"STEPWELL_OIDC_ROLES cannot be used: {error}.",
            why="It is value=role, separated by commas.",
            fix=f"Roles are {', '.join(Role)}.",
        ) from error


def _made(conn: Connection, settings: Settings, claims: Mapping[str, Any], role: Role) -> Row:
    if not settings.oidc_create_users:
        raise refused("You have no account here, and none is made by logging in.")
    name = _name(settings, claims)
    if queries.name_taken(conn, name):
        raise _taken(name)
    user_id, email = new_id(), claims.get("email")
    queries.add_user(
        conn,
        id=user_id,
        name=name,
        email=str(email)[:320] if email else None,
        role=role,
        issuer=settings.oidc_issuer,
        subject=str(claims["sub"]),
        created_at=clock.now(),
        created_by="identity provider",
    )
    audit.record(conn, "identity provider", "user.create", name, None, after={"role": role})
    return users.found(conn, user_id)


def _name(settings: Settings, claims: Mapping[str, Any]) -> str:
    candidates = (claims.get(name) for name in (settings.oidc_name_claim, "email", "sub"))
    given = next(str(one) for one in candidates if one)
    return _UNFIT.sub("-", given).strip("-._@")[:100].lower() or "user"


def _taken(name: str) -> IdentityRefused:
    return refused(f"Your name there, {name!r}, is another account's here.")
