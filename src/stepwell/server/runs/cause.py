"""The cause of a failure: what makes many failed runs one thing to look at. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_VARIES: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{20,}|\b[0-9a-f]{12,}\b|\d+(?:\.\d+)?")
_DIGITS: Final = 16


def of_reason(reason: str | None) -> str:
    """Sixteen hexadecimal digits of what a reason says, whatever numbers and ids are in it.

    For failures without an exception of the project: a lost container, a deadline, what
    the cluster says.
    """
    line = (reason or "").strip().partition("\n")[0]
    text = _VARIES.sub("#", line.lower())
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGITS]
