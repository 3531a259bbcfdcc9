"""Webhooks are signed as https://www.standardwebhooks.com has it, so receivers find libraries.

The secret of a target is made from the server's key, like a run's token (R35): it is
shown once, kept nowhere, and can be made again to sign with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final
from uuid import UUID

PREFIX: Final = "whsec_"


def secret_of(key: bytes, target_id: UUID, version: int) -> str:
    """The secret of a target: `whsec_` and base64; another one for each version."""
    made = hmac.new(key, f"webhook|{target_id}|{version}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(made).decode()


def headers(secret: str, message_id: UUID, at: datetime, body: str) -> dict[str, str]:
    """Id, timestamp and signature. Receivers refuse a timestamp that is minutes old."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature(secret, str(message_id), stamp, body)}",
    }


def signature(secret: str, message_id: str, stamp: str, body: str) -> str:
    """HMAC-SHA256 over id, timestamp and body, in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{stamp}.{body}".encode()
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
