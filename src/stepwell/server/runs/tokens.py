"""Run tokens, and engine ids that a container cannot point at anybody else (R35)."""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

from stepwell.errors import Denied, Unauthenticated
from stepwell.server.access.records import Role
from stepwell.server.runs.records import Container

_PREFIX: Final = "swr"
_HALF: Final = (1 << 64) - 1
_DIGITS: Final = 9
_ROUNDS: Final = (b"1", b"2", b"3", b"4")


class RunTokenRevoked(Denied):
    """The run has ended, was cancelled, or has a newer attempt."""

    code = "run-token-revoked"


def issue(key: bytes, run_id: UUID, attempt: int) -> str:
    """The token of one attempt; the same one whenever it is made."""
    return f"{_PREFIX}_{attempt}_{_mac(key, run_id, attempt)}"


def holder(key: bytes, run_id: UUID, token: str | None) -> Container:
    """The attempt that a token speaks for. Whether it is still the run's is asked later.

    Raises
    ------
    Unauthenticated : none given, or not made with this key for this run.
    """
    prefix, attempt, mac = [*(token or "").split("_", 2), "", ""][:3]
    if prefix == _PREFIX and attempt.isascii() and attempt.isdigit() and len(attempt) <= _DIGITS:
        number = int(attempt)
        if hmac.compare_digest(mac.encode(), _mac(key, run_id, number).encode()):
            name = f"run:{run_id}/{number}"
            return Container(name=name, role=Role.VIEWER, run_id=run_id, attempt=number)
    raise Unauthenticated(
        "This is not the token of this run.",
        why="A container needs the run token that its launcher gave it.",
        fix="Use it for its own run, on the server that has launched it.",
    )


def _mac(key: bytes, run_id: UUID, attempt: int) -> str:
    return hmac.digest(key, f"run:{run_id}:{attempt}".encode(), "sha256").hex()


class EngineIds:
    """A secret permutation of ids, one for each attempt.

    A container names its engine as it likes; in the store it stands under the
    permuted id. So whatever id it names, it can only ever mean an engine of its
    own, and no table is needed to know whose engine is whose. (Four rounds of a
    Feistel network with HMAC-SHA256 over the two halves of the id.)
    """

    def __init__(self, key: bytes, caller: Container) -> None:
        context = f"engine:{caller.run_id}:{caller.attempt}".encode()
        self._key = hmac.digest(key, context, "sha256")

    def inside(self, engine_id: UUID) -> UUID:
        """The id in the store."""
        left, right = engine_id.int >> 64, engine_id.int & _HALF
        for number in _ROUNDS:
            left, right = right, left ^ self._round(number, right)
        return UUID(int=left << 64 | right)

    def outside(self, engine_id: UUID) -> UUID:
        """The id that the container knows."""
        left, right = engine_id.int >> 64, engine_id.int & _HALF
        for number in reversed(_ROUNDS):
            left, right = right ^ self._round(number, left), left
        return UUID(int=left << 64 | right)

    def _round(self, number: bytes, half: int) -> int:
        text = number + half.to_bytes(8, "big")
        return int.from_bytes(hmac.digest(self._key, text, "sha256")[:8], "big")
