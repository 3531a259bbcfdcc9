"""One statement per file, named as the verb; `sql` reads them once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql(*names: str) -> bytes:
    """The statement in `<name>.sql`; several names are the parts of one statement."""
    folder = files(__name__)
    return b"\n".join((folder / f"{name}.sql").read_bytes() for name in names)
