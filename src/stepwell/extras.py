"""What to install where an optional package is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Imports within are those of an extra.

    Raises
    ------
    ModuleNotFoundError : one is not installed; the message says how it comes.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        advice = f"{error}. Install it: pip install 'stepwell[{extra}]'"
        raise ModuleNotFoundError(advice, name=error.name, path=error.path) from None
