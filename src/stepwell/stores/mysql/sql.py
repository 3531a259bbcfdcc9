"""The statements, one file per verb, read once; what they say to readers is not sent."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from stepwell.stores.columns import with_columns
from stepwell.stores.protocol import Migration

_PACKAGE: Final = files("stepwell.stores.mysql")
_REMARK: Final = re.compile(r"^\s*--.*\n", re.MULTILINE)


def _load(folder: str) -> dict[str, str]:
    entries = sorted(_PACKAGE.joinpath(folder).iterdir(), key=lambda entry: entry.name)
    return {
        entry.name.removesuffix(".sql"): _REMARK.sub("", with_columns(entry.read_text("utf-8")))
        for entry in entries
        if entry.name.endswith(".sql")
    }


QUERIES: Final = _load("queries")
"""SQL text by the name of its file."""

MIGRATIONS: Final = [Migration(name, sql) for name, sql in _load("migrations").items()]
"""The schema's migrations in order; the number of them is the schema's version."""
