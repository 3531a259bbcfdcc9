"""Whether the code that runs is a handler with a transaction of its own (R26)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from stepwell.errors import OutsideTransaction
from stepwell.stores.protocol import Store

_INSIDE: Final[ContextVar[object]] = ContextVar("stepwell_inside", default=None)


@contextmanager
def inside(store: Store) -> Iterator[None]:
    """For the block, changes to this database belong on the connection that was lent."""
    token = _INSIDE.set(_place(store))
    try:
        yield
    finally:
        _INSIDE.reset(token)


def forbid_outside(store: Store) -> None:
    """Raise `OutsideTransaction` where a change of its own would not commit with the step.

    On SQLite it would also wait for the transaction that waits for it.
    """
    if (place := _INSIDE.get()) is not None and place == _place(store):
        raise OutsideTransaction


def _place(store: Store) -> object:
    """Equal for store objects that certainly have the same tables."""
    return getattr(store, "place", store)
