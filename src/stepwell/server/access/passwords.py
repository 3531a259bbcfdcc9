"""Passwords: kept as argon2id hashes, checked in the same time for users that do not exist."""

from __future__ import annotations

import base64
import secrets
import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from stepwell.errors import InvalidInput

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The second of OWASP's recommended settings: 19 MiB for each check."""

_AT_ONCE: Final = threading.BoundedSemaphore(4)
"""A flood of logins costs time, not memory."""

SHORTEST: Final = 12


def _of_nobody() -> str:
    """A hash that no password has, which to check takes as long as any; making a true one would
    take each server a tenth of a second of its start."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_HASHER.salt_len, _HASHER.hash_len)
    )
    settings = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${settings}${salt}${digest}"


_NOBODYS: Final = _of_nobody()


class PasswordWeak(InvalidInput):
    """A password that is too easy to guess."""

    code = "password-weak"


def hashed(password: str, name: str) -> str:
    """The hash of a new password of the user `name`; raises `PasswordWeak`."""
    if len(password) < SHORTEST or password.lower() == name.lower() or len(set(password)) < 5:
        raise PasswordWeak(
            "This password is too easy to guess.",
            why=f"It needs at least {SHORTEST} characters, 5 different ones, and not the name.",
            fix="Take a longer one; a sentence will do.",
        )
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; without a hash it takes as long, and is not."""
    with _AT_ONCE:
        try:
            _HASHER.verify(password_hash or _NOBODYS, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether it was made with other settings than today's."""
    return _HASHER.check_needs_rehash(password_hash)
