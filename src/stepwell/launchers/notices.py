"""Waiting for the end of a launch, where a launcher can tell of it."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable
from typing import Any

_AT_ONCE = 4096


def wait_for_an_end(launchers: Iterable[Any], seconds: float) -> None:
    """Until a launch may have ended, at most so long; for one thread.

    A launcher that can tell has `notices`, the descriptor of a pipe that is read here, or None
    while it has none. A notice may be missing, as after a restart: whoever waits looks anyway.
    """
    pipes = [one for one in (getattr(each, "notices", None) for each in launchers) if one]
    try:
        if not pipes:
            time.sleep(seconds)
        for one in select.select(pipes, [], [], seconds)[0] if pipes else ():
            if not os.read(one, _AT_ONCE):  # nobody is left who could tell
                time.sleep(seconds)
    except (OSError, ValueError):  # it was closed meanwhile
        time.sleep(seconds)
