"""Links to one report, or to a badge, for people without an account: signed, and they expire (R43).

A token says what it opens and until when, and is kept nowhere. All tokens end with the
server's secret key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from stepwell import clock
from stepwell.errors import NotFound

_MAC: Final = 32


class LinkInvalid(NotFound):
    """The link was not made here, or has expired."""

    code = "shared-link-invalid"


def made(key: bytes, what: str, about: dict[str, str], expires_at: datetime) -> str:
    """A token that opens one thing.

    Parameters
    ----------
    what : the kind of thing: a token opens no other kind.
    about : which one.
    """
    said = {"what": what, "until": int(expires_at.timestamp()), **about}
    text = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_mac(key, text) + text).decode().rstrip("=")


def opened(key: bytes, what: str, token: str) -> dict[str, Any]:
    """What a token is about; raises `LinkInvalid`, which does not tell why."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _invalid() from None
    mac, text = data[:_MAC], data[_MAC:]
    if not hmac.compare_digest(mac, _mac(key, text)):
        raise _invalid()
    said: dict[str, Any] = json.loads(text)
    if said["what"] != what or datetime.fromtimestamp(said["until"], UTC) <= clock.now():
        raise _invalid()
    return said


def _mac(key: bytes, text: bytes) -> bytes:
    own = hmac.new(key, b"share", hashlib.sha256).digest()
    return hmac.new(own, text, hashlib.sha256).digest()


def _invalid() -> LinkInvalid:
    return LinkInvalid(
        "This link shows nothing.",
        why="It was not made by this server, or has expired.",
        fix="Ask for a new one: `stepwell reports share`.",
    )
