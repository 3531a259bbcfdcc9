"""A result that is too large for its row is kept as a blob, and the row says which (R4, R38).

Whoever keeps the row gives it the format below once it has seen that the blob is
there, so a value of the user's that looks the same is a value.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from uuid import UUID

FORMAT: Final = "blob"
"""The format of such a result."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a result, and of a report."""

_SHAPE: Final = re.compile(r'\{"blob":"([0-9a-f-]{36})","bytes":(\d{1,12})\}')


def reference(blob_id: UUID, size: int) -> dict[str, Any]:
    """What the row holds in place of the value."""
    return {"blob": str(blob_id), "bytes": size}


def may_refer(result: str | None) -> UUID | None:
    """The blob that a result names, if it has the form of a reference."""
    shape = None if result is None or len(result) > 100 else _SHAPE.fullmatch(result)
    if shape is None:
        return None
    try:
        return UUID(shape[1])
    except ValueError:
        return None


def blob_of(result: str) -> UUID:
    """The blob of a result of that format."""
    return UUID(json.loads(result)["blob"])


def size_of(result: str) -> int:
    """Bytes of the value of a result of that format."""
    return int(json.loads(result)["bytes"])
