"""Ids of steps: time-ordered, and made by whoever adds the step (R1)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from uuid import UUID


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 of the
    fraction of the millisecond (section 6.2, method 3), 62 random.

    Time-ordered ids keep index inserts at the right edge, and made by the caller they
    make adding idempotent (R1). Ids made one after another by a process sort in that
    order, so steps that are due at one instant run in the order in which they were made.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    return version_7(milliseconds, fraction << 68 | int.from_bytes(os.urandom(8), "big"))


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
