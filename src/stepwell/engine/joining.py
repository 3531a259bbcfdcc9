"""What the handler of a join reads: the steps that it has waited for, and their results (R28)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from stepwell.codec import Codec, decoded
from stepwell.errors import StoreUnavailable
from stepwell.step import EndedAs, Step, StepQuery
from stepwell.stores.protocol import Store, Transaction

PAGE: Final = 500
"""Members read by one query."""
PAUSES: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between tries while the store cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the steps that a join has waited for.

    Parameters
    ----------
    ended_as : how it ended. None if it has not: then it is a re-execution of the join that
        reads, which does not wait.
    result : what it returned by done(...), decoded; None if it returned nothing, or failed.
    description : what it said at its end; of a failure, the error.
    state : as it was when it ended, decoded.
    """

    id: UUID
    name: str
    ended_as: EndedAs | None
    result: Any
    description: str | None
    state: Any


class Members:
    """Reads the members of joins for the handlers of one engine.

    Parameters
    ----------
    codec : decodes their results and states.
    """

    def __init__(self, store: Store, codec: Codec) -> None:
        self._store, self._codec = store, codec
        self._waiting = threading.Event()

    def of(self, step: Step) -> list[Member]:
        """The members of the join, in the order of their making; a re-executed copy comes last.

        Blocks while it reads. Where the join is a re-execution, they are those of its source.

        Raises
        ------
        StoreUnavailable : the store could not be reached for some seconds.
        """
        for pause in PAUSES:
            try:
                return self._read(step)
            except StoreUnavailable:
                self._waiting.wait(pause)
        return self._read(step)

    def _read(self, step: Step) -> list[Member]:
        with self._store.transaction() as tx:
            source: Step | None = step
            while source is not None:
                found = list(members(tx, source.id))
                if found or source.copy_of is None:
                    break
                source = next(iter(tx.search(StepQuery(ids=(source.copy_of,)))), None)
        return [self._member(row) for row in found]

    def _member(self, row: Step) -> Member:
        return Member(
            id=row.id,
            name=row.name,
            ended_as=row.ended_as,
            result=self._decoded(row.result, row.result_format),
            description=row.description,
            state=self._decoded(row.state, row.state_format),
        )

    def _decoded(self, text: str | None, format: str) -> Any:
        return None if text is None else decoded(self._codec, text, format, None)


def members(tx: Transaction, join_id: UUID) -> Iterator[Step]:
    """The rows of a join's members, oldest first."""
    after: UUID | None = None
    while True:
        query = StepQuery(join_id=join_id, oldest_first=True, after=after, limit=PAGE)
        page = tx.search(query)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id
