"""Routes of accounts: /users, and the caller's own password."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Request, Response

from stepwell.errors import Denied
from stepwell.server import browser
from stepwell.server.access import throttle, users
from stepwell.server.access.records import (
    Account,
    InvitedUser,
    Link,
    NewUser,
    PasswordByLink,
    PasswordChange,
    Role,
    UserChange,
)
from stepwell.server.audit import service as audit
from stepwell.server.http import (
    Call,
    CurrentUser,
    Page,
    Pages,
    Reason,
    Router,
    reads,
    services_of,
    writes,
)

router = Router(tags=["users"])

Writing = Annotated[Call, writes(Role.ADMIN)]
Telling = Annotated[Call, writes(Role.ADMIN, secret=True)]


class NotAnAccount(Denied):
    """The caller's token belongs to no account."""

    code = "not-an-account"


@router.get("/users")
def list_users(call: Annotated[Call, reads(Role.ADMIN)], pages: Pages) -> Page[Account]:
    """All accounts, by name."""
    return users.listed(call.conn, pages)


@router.post("/users", status_code=201)
def create_user(call: Telling, body: NewUser) -> InvitedUser:
    """Make an account; the link by which its owner sets the password is shown this once."""
    return users.invite(call.conn, call.services.settings, body, by=call.user.name)


@router.get("/users/{user_id}")
def show_user(call: Annotated[Call, reads(Role.ADMIN)], user_id: UUID) -> Account:
    """One account."""
    return users.get(call.conn, user_id)


@router.patch("/users/{user_id}")
def change_user(call: Writing, user_id: UUID, body: UserChange) -> Account:
    """Change role or e-mail, disable or enable. A disabled user is out at once."""
    return users.change(call.conn, user_id, body, by=call.user.name)


@router.post("/users/{user_id}/links", status_code=201)
def make_link(call: Telling, user_id: UUID, body: Reason) -> Link:
    """A one-time link to set the password, for who has forgotten it; shown this once."""
    settings = call.services.settings
    return users.link(call.conn, settings, user_id, body.reason, by=call.user.name)


@router.post("/passwords", status_code=204)
def change_password(request: Request, user: CurrentUser, body: PasswordChange) -> Response:
    """Change the caller's own password. All their sessions and login tokens end."""
    services = services_of(request)
    if user.user_id is None:
        raise NotAnAccount("This token belongs to no user.", fix="Log in as a user.")
    origin = browser.origin_of(request, services.settings)
    throttle.charge(services, user.name, origin.address)
    with audit.called_from(origin.address), services.db.write() as conn:
        users.change_password(conn, user.user_id, body)
    answer = Response(status_code=204)
    browser.forget(answer, services.settings)
    return answer


@router.post("/password-resets", status_code=204)
def set_password(request: Request, body: PasswordByLink) -> Response:
    """Set a password with a one-time link; needs no login. All that was open ends."""
    services = services_of(request)
    browser.check_origin(request, services.settings)
    origin = browser.origin_of(request, services.settings)
    secret, password = body.secret.get_secret_value(), body.password.get_secret_value()
    with audit.called_from(origin.address), services.db.write() as conn:
        users.set_password(conn, secret, password)
    return Response(status_code=204)
