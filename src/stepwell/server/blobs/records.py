"""A blob in the books, and a reference to one in a step's result."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a blob is kept for; an upload that nothing refers to is swept."""

    UPLOAD = "upload"
    LOG = "log"
    REPORT = "report"
    RESULT = "result"
