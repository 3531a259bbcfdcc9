"""Logging in: by password, by a one-time secret, and setting up the first admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from sqlalchemy import Connection

from stepwell.errors import Conflict, Unauthenticated
from stepwell.server.access import (
    identities,
    links,
    passwords,
    queries,
    service,
    sessions,
    throttle,
    users,
)
from stepwell.server.access.queries import Row
from stepwell.server.access.records import (
    Exchange,
    FirstAdmin,
    How,
    IssuedToken,
    LoginToken,
    LoginWays,
    NewUser,
    Origin,
    PasswordLogin,
    Role,
)
from stepwell.server.access.sessions import Begun
from stepwell.server.audit import service as audit
from stepwell.server.services import Services


class LoginFailed(Unauthenticated):
    """Name and password do not fit, or the account is disabled; which, nobody is told."""

    code = "login-failed"


class SetUpAlready(Conflict):
    """There is a user, so there is nothing to set up."""

    code = "set-up-already"


def ways(services: Services) -> LoginWays:
    """How one can log in here; whether somebody can is all that it tells of the users."""
    with services.db.read() as conn:
        anybody = queries.any_user(conn, but=service.DEVELOPMENT)
    settings = services.settings
    name = (settings.oidc_label or "Single sign-on") if settings.oidc_issuer else None
    setup = not anybody and not settings.dev
    password = not services.db.bare
    return LoginWays(password=password, oidc=name, setup=setup, link=settings.dev)


def by_password(services: Services, given: PasswordLogin, origin: Origin) -> Begun:
    """A session for a name and its password.

    Raises
    ------
    TooManyLogins, LoginFailed
    """
    account = checked(services, given, origin)
    with services.db.write() as conn:
        return sessions.begin(conn, services, account, How.PASSWORD, origin)


def token(services: Services, given: LoginToken, origin: Origin) -> IssuedToken:
    """A token of the caller's own for a name and its password: for the command line.

    Raises
    ------
    TooManyLogins, LoginFailed
    """
    account = checked(services, given, origin)
    with services.db.write() as conn:
        return _token(conn, services, account, given.label)


def exchanged(services: Services, given: Exchange) -> IssuedToken:
    """A token for the code that a login in the browser has given the command line.

    Raises
    ------
    LinkInvalid : also where who asks is not who has begun the login.
    """
    with services.db.write() as conn:
        link = links.used(conn, links.CLI, given.code.get_secret_value())
        fits = links.answers(link["challenge"], given.verifier)
        account = users.found(conn, link["user_id"])
        if fits and account["disabled_at"] is None:
            return _token(conn, services, account, given.label)
    raise links.invalid()  # used up all the same


def set_up(services: Services, given: FirstAdmin, origin: Origin) -> Begun:
    """Make the first admin with the secret that the server printed, and log them in.

    Raises
    ------
    LinkInvalid, SetUpAlready, PasswordWeak
    """
    new = NewUser(name=given.name, role=Role.ADMIN)
    with services.db.write() as conn:
        links.used(conn, links.SETUP, given.secret.get_secret_value())
        if queries.any_user(conn, but=service.DEVELOPMENT):
            raise SetUpAlready("There is a user already.", fix="Log in, or ask an admin.")
        password = given.password.get_secret_value()
        user_id = users.create(conn, new, by="set-up", password=password)
        return sessions.begin(conn, services, users.found(conn, user_id), How.PASSWORD, origin)


def setup_secret(services: Services) -> str | None:
    """A secret to make the first admin with, to be printed; None where there is a user."""
    with services.db.write() as conn:
        if queries.any_user(conn, but=service.DEVELOPMENT):
            return None
        return links.made(conn, links.SETUP, by="stepwell")


def checked(services: Services, given: PasswordLogin, origin: Origin) -> Row:
    """The account, if the password is its own. Both are looked at, whatever is wrong.

    Raises
    ------
    TooManyLogins, LoginFailed
    """
    throttle.charge(services, given.name, origin.address)
    with services.db.read() as conn:
        row = queries.user_by_name(conn, given.name) if "\0" not in given.name else None
    password = given.password.get_secret_value()
    fits = passwords.fits(None if row is None else row["password_hash"], password)
    if row is None or not fits or row["disabled_at"] is not None or row["issuer"] is not None:
        _refuse(services, row)
    with services.db.write() as conn:
        throttle.forgive(conn, row["name"])
        if passwords.outdated(row["password_hash"]):
            kept = passwords.hashed(password, row["name"])
            queries.change_user(conn, row["id"], password_hash=kept)
    return row


def _refuse(services: Services, row: Row | None) -> NoReturn:
    # Of an unknown name nothing is kept: people type passwords there.
    who = "an unknown user" if row is None else row["name"]
    with services.db.write() as conn:
        audit.record(conn, who, "session.refuse", who)
    raise LoginFailed(
        "Name and password do not fit.",
        why="One of them is wrong, or the account is disabled.",
        fix="Try again, or ask an admin for a link to set the password.",
    )


def _token(conn: Connection, services: Services, account: Row, label: str) -> IssuedToken:
    life = timedelta(seconds=services.settings.login_token_life)
    role, user_id = Role(account["role"]), account["id"]
    return service.issue_at_login(conn, user_id, account["name"], role, label, life)


def by_provider(services: Services, claims: Mapping[str, Any], origin: Origin) -> Begun:
    """A session for who the identity provider says has logged in; raises `IdentityRefused`."""
    with services.db.write() as conn:
        account = identities.account(conn, services.settings, claims)
        return sessions.begin(conn, services, account, How.OIDC, origin)


def code_for_cli(services: Services, claims: Mapping[str, Any], challenge: str) -> str:
    """A code that a waiting command line exchanges for a token; raises `IdentityRefused`."""
    with services.db.write() as conn:
        account = identities.account(conn, services.settings, claims)
        return links.made(
            conn, links.CLI, by=account["name"], user_id=account["id"], challenge=challenge
        )
