"""Memory that the C library would keep for each thread of a server by itself."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import Final

ARENAS: Final = 2
"""Threads share so many: most of ours wait, and each arena keeps what was freed in it."""

_M_ARENA_MAX: Final = -8


def share_arenas() -> None:
    """Have glibc keep few arenas, unless the environment says how many; nothing elsewhere."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
