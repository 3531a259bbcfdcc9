"""One statement per file, named as the verb; `sql` reads and prepares each once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from stepwell.stores.columns import with_columns


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in the server's own form: `$1` for the first of `parameters`.

    The files say `%(name)s`; turning that into numbers anew for every call takes the
    driver longer than the server needs for the statement. `typed` is for a driver that lets us
    say what a parameter is: there nothing goes by way of text.
    """

    text: bytes
    typed: bytes
    parameters: tuple[str, ...]

    def values(self, named: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the numbers."""
        return [named[name] for name in self.parameters]


_FOLDER: Final = files(__name__)

Row: TypeAlias = tuple[Any, ...]
Call: TypeAlias = tuple[Statement, Mapping[str, Any]]
"""A statement and its values."""


@cache
def sql(*names: str) -> Statement:
    """The statement in `<name>.sql`; several names are the parts of one statement."""
    text = "\n".join((_FOLDER / f"{name}.sql").read_text("utf-8") for name in names)
    return numbered(with_columns(text))


def numbered(text: str) -> Statement:
    """The statement whose parameters are written as `%(name)s`."""
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    places = {name: f"${place}" for place, name in enumerate(parameters, 1)}
    numbers = _PARAMETER.sub(lambda match: places[match[1]], text).encode()
    return Statement(numbers, numbers.replace(b"::text::", b"::"), parameters)


_PARAMETER = re.compile(r"%\((\w+)\)s")
