"""A report beside the one of the same name before it."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection

from stepwell.server.blobs.service import BlobStore
from stepwell.server.differences import MOST, differences, table_differences
from stepwell.server.reports import service
from stepwell.server.reports.lines import unified
from stepwell.server.reports.records import Report, ReportComparison

_LARGEST: Final = 4 * 1024 * 1024
"""Bytes beyond which only the bytes are compared."""
_TEXTS: Final = ("markdown", "html", "text", "svg")


def compared(
    conn: Connection, store: BlobStore, report: Report, previous: Report | None
) -> ReportComparison:
    """How a report differs from an earlier one of any name.

    Raises
    ------
    BlobMissing, BlobStoreUnavailable.
    """
    if previous is None:
        return ReportComparison(report=report, previous=None, same=False)
    old = service.content(conn, store, previous.id)
    new = service.content(conn, store, report.id)
    told = {} if old == new else _told(report, previous, old, new)
    return ReportComparison(report=report, previous=previous, same=old == new, **told)


def _told(report: Report, previous: Report, old: bytes, new: bytes) -> dict[str, Any]:
    if max(len(old), len(new)) > _LARGEST or report.kind != previous.kind:
        return {}
    if report.kind in _TEXTS:
        return _text(old.decode(errors="replace"), new.decode(errors="replace"))
    if report.kind in ("json", "table", "plot"):
        return _json(report.kind, old, new)
    return {}


def _json(kind: str, old: bytes, new: bytes) -> dict[str, Any]:
    try:
        before, after = json.loads(old), json.loads(new)
    except ValueError:  # written by something else than Stepwell
        return {}
    walk = table_differences if kind == "table" else differences
    changes, truncated = walk(before, after)
    return {"changes": changes, "truncated": truncated}


def _text(old: str, new: str) -> dict[str, Any]:
    found = list(islice(unified(old.splitlines(), new.splitlines()), MOST + 1))
    return {"diff": found[:MOST], "truncated": len(found) > MOST}
