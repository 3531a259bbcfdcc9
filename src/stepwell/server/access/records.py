"""Roles, users and tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

GroupName: TypeAlias = Annotated[str, Field(max_length=100)]


class Role(StrEnum):
    """What a user may do; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER = tuple(Role)


NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$"
"""Users and tokens share their names, so that the audit log stays clear."""


class How(StrEnum):
    """How somebody has shown who they are."""

    TOKEN = "token"  # noqa: S105 - a word
    PASSWORD = "password"  # noqa: S105 - a word
    OIDC = "oidc"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class User:
    """Who makes a call. `name` is what the audit log shows.

    Parameters
    ----------
    user_id : the account; None for a token that belongs to nobody in particular.
    groups : the only groups that the caller's token reaches; None is all.
    read_only : whether the caller may change nothing, whatever the role.
    session_id : the session of the browser; None with a token.
    token_id : the token; None with a session.
    expires_at : when the token or the session ends at the latest.
    """

    name: str
    role: Role
    how: How = field(default=How.TOKEN, kw_only=True)
    user_id: UUID | None = field(default=None, kw_only=True)
    groups: tuple[str, ...] | None = field(default=None, kw_only=True)
    read_only: bool = field(default=False, kw_only=True)
    session_id: UUID | None = field(default=None, kw_only=True)
    token_id: UUID | None = field(default=None, kw_only=True)
    expires_at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from: its address, and what the browser calls itself."""

    address: str | None = None
    agent: str | None = None


class NewToken(BaseModel):
    """What is asked for.

    `groups` limits the token to these groups; what is no group's is then closed to it.
    With `read_only` it changes nothing, whatever its role.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME)
    role: Role
    groups: list[GroupName] | None = Field(default=None, min_length=1, max_length=100)
    read_only: bool = False
    expires_at: AwareDatetime | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Token(BaseModel):
    """A token as lists show it: never its secret, not even the hash. Instants are UTC.

    `user_id` names the account whose login made it; such a token ends with the account
    and its password, and never has a higher role.
    """

    id: UUID
    name: str
    role: Role
    groups: list[str] | None
    read_only: bool
    user_id: UUID | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class IssuedToken(Token):
    """A new token with its secret, which is shown this once. `warning`: groups that are unknown."""

    secret: str
    warning: str | None = None


Password: TypeAlias = Annotated[SecretStr, Field(max_length=1024)]
"""Hidden where it is printed; how short it may be is for `passwords` to say."""

Secret: TypeAlias = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class PasswordLogin(BaseModel):
    """A login by name and password."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    password: Password


class LoginToken(PasswordLogin):
    """A login that wants a token for the command line; `label` tells several apart."""

    label: str = Field(default="cli", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")


class Exchange(BaseModel):
    """The code that a login in the browser gave the command line, and proof that it asked."""

    model_config = ConfigDict(extra="forbid")

    code: Secret
    verifier: str = Field(min_length=43, max_length=128)
    label: str = Field(default="cli", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")


class NewUser(BaseModel):
    """An account to be made; the answer has a link by which its owner sets the password.

    With a `subject` they log in with the identity provider instead, which knows them so.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=NAME)
    role: Role
    email: str | None = Field(default=None, max_length=320)
    subject: str | None = Field(default=None, min_length=1, max_length=255)
    reason: str | None = Field(default=None, max_length=1000)


class UserChange(BaseModel):
    """What is to change; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    email: str | None = Field(default=None, max_length=320)
    disabled: bool | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Account(BaseModel):
    """A user. `login` says how they log in: password, oidc, or none yet. Instants are UTC."""

    id: UUID
    name: str
    email: str | None
    role: Role
    login: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    password_changed_at: datetime | None
    last_login_at: datetime | None


class Link(BaseModel):
    """A one-time link to set a password. Its secret is shown this once."""

    url: str
    secret: str
    expires_at: datetime


class InvitedUser(Account):
    """A new account, with the link that its owner needs to set a password."""

    link: Link | None


class PasswordChange(BaseModel):
    """The caller's own password, from one to the next."""

    model_config = ConfigDict(extra="forbid")

    current: Password
    new: Password


class PasswordByLink(BaseModel):
    """A password set with a one-time link."""

    model_config = ConfigDict(extra="forbid")

    secret: Secret
    password: Password


class FirstAdmin(BaseModel):
    """The first account, made with the token that the server printed."""

    model_config = ConfigDict(extra="forbid")

    secret: Secret
    name: str = Field(pattern=NAME)
    password: Password


class LoginSession(BaseModel):
    """A session as lists show it. Instants are UTC; `current` is the one that asks."""

    id: UUID
    how: How
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None
    current: bool = False


class LoginWays(BaseModel):
    """How one can log in here. `oidc` is the name to show for it, or null; with `link` the
    terminal of `stepwell dev` shows a link, and `stepwell ui` opens another."""

    password: bool
    oidc: str | None
    setup: bool
    link: bool = False


class BrowserLink(BaseModel):
    """A link that logs a browser of this machine in, once. It is shown this once."""

    url: str
    expires_at: datetime
