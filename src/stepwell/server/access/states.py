"""What a login with an identity provider must remember: in a signed cookie of the browser.

So the answer is only taken by the browser that asked, and no server has to keep it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from stepwell import clock
from stepwell.errors import Unauthenticated

LIFE: Final = 600
"""Seconds in which one has to come back."""


class IdentityRefused(Unauthenticated):
    """What the identity provider said does not let anybody in."""

    code = "identity-refused"


@dataclass(frozen=True, slots=True)
class Asked:
    """A login that was begun: what the answer must fit."""

    state: str
    nonce: str
    verifier: str


class Provider(Protocol):
    """An identity provider."""

    def address(self, asked: Asked) -> str:
        """Where the browser goes to log in."""

    def claims(self, code: str, asked: Asked) -> Mapping[str, Any]:
        """What it says of who has logged in, for the code that it gave.

        Raises
        ------
        IdentityRefused, Unavailable
        """


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that was begun.

    Parameters
    ----------
    next : where the browser goes afterwards, on this server.
    port, challenge : of a command line that waits on loopback; None for the browser itself.
    """

    asked: Asked
    next: str = "/"
    port: int | None = None
    challenge: str | None = None


def begun(next: str, port: int | None, challenge: str | None) -> Pending:
    """A new one, with secrets that nobody can guess."""
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    return Pending(Asked(state, nonce, verifier), safe(next), port, challenge)


def sealed(key: bytes, pending: Pending) -> str:
    """As the text of a cookie."""
    content = {**asdict(pending), "until": clock.now().timestamp() + LIFE}
    text = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    return f"{text}.{_mac(key, text)}"


def opened(key: bytes, cookie: str | None, state: str) -> Pending:
    """What the cookie says, if it is ours, in time, and of this very login.

    Raises
    ------
    IdentityRefused
    """
    text, _, mac = (cookie or "").rpartition(".")
    if not hmac.compare_digest(mac.encode(), _mac(key, text).encode()):
        raise refused("This browser has not begun it.")
    content = json.loads(base64.urlsafe_b64decode(text))
    asked = Asked(**content.pop("asked"))
    if content.pop("until") < clock.now().timestamp():
        raise refused("It took too long.")
    if not hmac.compare_digest(asked.state.encode(), state.encode()):
        raise refused("The answer belongs to another login.")
    return Pending(asked, **content)


def refused(why: str) -> IdentityRefused:
    """The error for a login that the provider's answer does not allow."""
    return IdentityRefused(
        "The login with the identity provider has failed.",
        why=why,
        fix="Begin it again; ask an admin if it goes on.",
    )


def safe(next: str) -> str:
    """The path, if it is one of this server; else the start page."""
    plain = next.startswith("/") and not next.startswith(("//", "/\\"))
    return next if plain and next.isprintable() and "\\" not in next else "/"


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, f"oidc:{text}".encode(), hashlib.sha256).hexdigest()
