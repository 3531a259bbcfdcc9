"""Ids of steps: time-ordered, and made by whoever adds the step (R1)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Final
from uuid import UUID, SafeUUID


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 of the
    fraction of the millisecond (section 6.2, method 3), 62 random.

    Time-ordered ids keep index inserts at the right edge, and made by the caller they
    make adding idempotent (R1). Ids made one after another by a process sort in that
    order, so steps that are due at one instant run in the order in which they were made.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    return uuid_of(milliseconds << 80 | (rest << 12) // 1_000_000 << 64 | _MARKS | _random())


def is_own(step_id: UUID) -> bool:
    """Whether it was made since this process was forked, or has forked: else another may have
    it too."""
    return step_id.int >> 80 > _forked[0]


def uuid_of(number: int) -> UUID:
    """The UUID of a number that is known to be one; `UUID` would examine it first."""
    made = _new(UUID)
    _set_int(made, number)
    _set_safe(made, _UNKNOWN)
    return made


_new: Final = object.__new__
_set_int: Final = UUID.__dict__["int"].__set__
_set_safe: Final = UUID.__dict__["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown
"""Looked up once: before Python 3.12 that is a call."""

_MARKS: Final = 0x7 << 76 | 0b10 << 62
_AT_ONCE: Final = 4096
_words: Final[list[int]] = []
_forked: Final = [0]
"""When this was last, in Unix milliseconds."""


def _fork() -> None:
    _forked[0] = time.time_ns() // 1_000_000
    _words.clear()  # or both sides of a fork would make the same ids


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_fork, after_in_parent=_fork, after_in_child=_fork)


def _random() -> int:
    """62 random bits. The system is asked for many at once, for each call takes a while."""
    while True:
        try:
            return _words.pop()
        except IndexError:
            words = memoryview(os.urandom(_AT_ONCE)).cast("Q")
            _words.extend([word >> 2 for word in words])


def new_ids() -> Iterator[str]:
    """Ids as of `new_id`, in order and without an end, as text, and made quickly.

    A thousand share their time; behind it a counter keeps their order (RFC 9562, section
    6.2, method 1), and 50 bits are random.
    """
    while True:
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        stamp, fraction = f"{milliseconds:012x}", (rest << 12) // 1_000_000
        head = f"{stamp[:8]}-{stamp[8:]}-7{fraction:03x}-"
        random = memoryview(os.urandom(8000)).cast("Q")
        for count in range(1000):
            tail = f"{0b10 << 62 | count << 50 | random[count] >> 14:016x}"
            yield f"{head}{tail[:4]}-{tail[4:]}"


def version_7(milliseconds: int, random: int) -> UUID:
    """The UUID of these Unix milliseconds and 80 bits, of which 74 are used."""
    high, low = random >> 68, random & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
