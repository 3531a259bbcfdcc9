"""Losing a connection on purpose: before a commit, or after it and before its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Literal
from unittest.mock import patch

from stepwell.errors import StoreUnavailable
from stepwell.stores.protocol import Store, Transaction


@contextmanager
def cut_once(store: Store, where: Literal["before", "after"]) -> Iterator[None]:
    """Within the block the store's first commit is lost, or only its answer is.

    The block sees `StoreUnavailable` and goes on. On a store whose verbs commit one
    by one, the first verb is cut.
    """
    whole = store.transaction
    cut = _cut_commit if store.capabilities.transactions else _cut_verb
    waiting = [partial(cut, whole, where)]

    def transaction() -> AbstractContextManager[Transaction]:
        return waiting.pop()() if waiting else whole()

    with patch.object(store, "transaction", transaction):
        try:
            yield
        except StoreUnavailable:
            pass
        else:
            raise AssertionError("nothing was committed, so nothing was cut")


def lost(where: str) -> StoreUnavailable:
    """The error that a caller sees."""
    return StoreUnavailable(f"The connection was cut {where} the commit.")


@contextmanager
def _cut_commit(
    whole: Callable[[], AbstractContextManager[Transaction]], where: str
) -> Iterator[Transaction]:
    with whole() as tx:
        yield tx
        if where == "before":
            raise lost(where)
    raise lost(where)


@contextmanager
def _cut_verb(
    whole: Callable[[], AbstractContextManager[Transaction]], where: str
) -> Iterator[Transaction]:
    with whole() as tx:
        yield _CutVerb(tx, where)


class _CutVerb:
    """Verbs that raise, either instead of acting or after they have."""

    def __init__(self, inner: Transaction, where: str) -> None:
        self._inner, self._where = inner, where

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            if self._where == "after":
                getattr(self._inner, verb)(*args, **kwargs)
            raise lost(self._where)

        return act
