"""Tokens of launches for single steps: good for one execution of one step (R35)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from uuid import UUID

from stepwell.errors import Denied, Unauthenticated
from stepwell.server.access.records import Role
from stepwell.server.jobs.records import JobCaller

_PREFIX: Final = "swj"
_DIGITS: Final = 9


class JobTokenRevoked(Denied):
    """The step has ended, or another execution of it has begun."""

    code = "job-token-revoked"


def issue(key: bytes, step_id: UUID, number: int) -> str:
    """The token of one launch; the same one whenever it is made."""
    return f"{_PREFIX}_{number}_{_mac(key, step_id, number)}"


def holder(key: bytes, step_id: UUID, token: str | None) -> JobCaller:
    """The launch that a token speaks for. Whether it still counts is asked later.

    Raises
    ------
    Unauthenticated : none given, or not made with this key for this step.
    """
    prefix, number, mac = [*(token or "").split("_", 2), "", ""][:3]
    fits = prefix == _PREFIX and number.isascii() and number.isdigit() and len(number) <= _DIGITS
    if fits and hmac.compare_digest(mac.encode(), _mac(key, step_id, int(number)).encode()):
        name = f"step:{step_id}/{number}"
        return JobCaller(name=name, role=Role.VIEWER, step_id=step_id, number=int(number))
    raise Unauthenticated(
        "This is not the token of this step.",
        why="A container needs the token that its launcher gave it.",
        fix="Use it for its own step, on the server that has launched it.",
    )


def _mac(key: bytes, step_id: UUID, number: int) -> str:
    return hmac.new(key, f"job:{step_id}:{number}".encode(), hashlib.sha256).hexdigest()
