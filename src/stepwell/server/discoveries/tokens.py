"""One-use tokens of discoveries: an HMAC over the discovery's id.

It can be made again after a crash between the row and the launch, so it is kept
nowhere; it opens two routes of one discovery, and nothing once that has ended.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from uuid import UUID

from stepwell.errors import Unauthenticated

_PREFIX: Final = "swd_"


def made(key: bytes, discovery_id: UUID) -> str:
    """The token of a discovery."""
    message = f"discovery:{discovery_id}".encode()
    return _PREFIX + hmac.new(key, message, hashlib.sha256).hexdigest()


def check(key: bytes, discovery_id: UUID, token: str) -> None:
    """Raise `Unauthenticated` unless the token is this discovery's."""
    if not hmac.compare_digest(made(key, discovery_id).encode(), token.encode()):
        raise Unauthenticated(
            "This token does not belong to this discovery.",
            fix="Only the launched image may post here, with the token it was given.",
        )
