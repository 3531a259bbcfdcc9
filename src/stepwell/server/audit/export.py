"""The audit log as a file, made while it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from stepwell.server.audit.records import Entry

COLUMNS: Final = tuple(Entry.model_fields)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """With a line of names; nested values are JSON. A cell is never a formula."""
    yield _line(COLUMNS)
    for entry in entries:
        yield _line([_cell(value) for value in entry.model_dump(mode="json").values()])


def as_json(entries: Iterable[Entry]) -> Iterator[str]:
    """An array, an entry on each line."""
    before = "[\n"
    for entry in entries:
        yield before + entry.model_dump_json()
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
