"""The statements, one file per verb, read once."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from stepwell.stores.columns import with_columns
from stepwell.stores.protocol import Migration

_PACKAGE: Final = files("stepwell.stores.sqlite")


def _load(folder: str) -> dict[str, str]:
    entries = sorted(_PACKAGE.joinpath(folder).iterdir(), key=lambda entry: entry.name)
    return {
        entry.name.removesuffix(".sql"): with_columns(entry.read_text("utf-8"))
        for entry in entries
        if entry.name.endswith(".sql")
    }


QUERIES: Final = _load("queries")
"""SQL text by the name of its file."""

# The two tables have the same columns, and so have the statements.
QUERIES["settle_failed"] = QUERIES["settle_done"].replace("stepwell_done", "stepwell_failed")

# So have the rows of one band, and those that were chosen among several.
_CHOSEN: Final = "WHERE rowid IN (SELECT value FROM json_each(:rowids))"
QUERIES["claim_rows"] = re.sub("WHERE queue.*", _CHOSEN, QUERIES["claim_lane"], flags=re.DOTALL)

MIGRATIONS: Final = [Migration(name, sql) for name, sql in _load("migrations").items()]
"""The schema's migrations in order; the number of them is the schema's version."""
