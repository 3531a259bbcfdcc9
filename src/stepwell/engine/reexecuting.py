"""Re-executing what a search finds: at a bounded rate, and no further when copies fail.

A plain loop in the caller. The id of each copy is made from the call's id and the
source's, and adding an id twice is adding it once (R1): so a call that was interrupted is
made again with the same `call`, and copies only what it has not copied yet.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from math import ceil
from time import sleep
from typing import Final, TypeAlias
from uuid import UUID

from stepwell.clock import SYSTEM, Clock
from stepwell.errors import InvalidInput
from stepwell.ids import version_7
from stepwell.step import Addition, OnConflict, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction

Copy: TypeAlias = Callable[[Step, UUID], Addition]
Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]

AT_ONCE: Final = 100
"""Copies that one transaction adds at most."""
BEATS: Final = 4
"""Transactions per second, where the rate gives each of them something to do."""
LOOKED_AT: Final = 1000
"""Copies whose fate is looked up after each of them, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reexecution:
    """How far a call has come, with what an earlier try of the same call has done.

    `left_out` are sources whose unique key a ready step holds. Of the copies, `failing` ones
    wait for a retry after an exception. `stopped` says that too many failed.
    """

    call: UUID
    copied: int = 0
    left_out: int = 0
    done: int = 0
    failed: int = 0
    failing: int = 0
    stopped: bool = False


Watch: TypeAlias = Callable[[Reexecution], None]


class Reexecuting:
    """One call.

    Parameters
    ----------
    begin : opens a transaction.
    copy : makes the row for the copy of a step, under an id.
    rate : copies per second.
    stop_after_failures : copy no more when so many copies have failed or are failing.
    limit : copy so many at most.
    """

    def __init__(
        self,
        begin: Begin,
        copy: Copy,
        call: UUID,
        clock: Clock,
        *,
        rate: float,
        stop_after_failures: int | None,
        limit: int | None,
        watch: Watch | None,
    ) -> None:
        if rate <= 0:
            raise InvalidInput(f"{rate} copies per second are none.", fix="Give a rate over zero.")
        self._begin, self._copy, self._watch = begin, copy, watch
        self._rate, self._stop_after, self._limit = rate, stop_after_failures, limit
        self._size = max(1, min(ceil(rate / BEATS), AT_ONCE))
        self._clock, self._so_far = clock, Reexecution(call=call)
        self._open: dict[UUID, None] = {}

    def run(self, query: StepQuery) -> Reexecution:
        """Copy page after page, until no source is left or too many copies fail."""
        page = bounded(query, self._so_far.call, self._clock)
        while not self._so_far.stopped and (found := self._found(page)):
            began = self._clock.monotonic()
            page = replace(page, after=found[-1].id)
            if not (sources := [one for one in found if not self._has_made(one)]):
                continue
            self._add(sources)
            self._wait(len(sources) / self._rate - (self._clock.monotonic() - began))
            self._look()
        return self._so_far

    def _has_made(self, step: Step) -> bool:
        """Whether it is one of this call's own copies, whatever the clocks say."""
        return step.copy_of is not None and step.id == copy_id(self._so_far.call, step.copy_of)

    def _found(self, page: StepQuery) -> list[Step]:
        left = self._size
        if self._limit is not None:
            left = min(left, self._limit - self._so_far.copied)
        if left <= 0:
            return []
        with self._begin() as tx:
            return tx.search(replace(page, limit=left))

    def _add(self, sources: list[Step]) -> None:
        call = self._so_far.call
        copies = [self._copy(source, copy_id(call, source.id)) for source in sources]
        copies = [replace(copy, on_conflict=OnConflict.IGNORE) for copy in copies]
        ids = tuple(copy.step.id for copy in copies)
        with self._begin() as tx:
            tx.add(copies)
            there = [step.id for step in tx.search(StepQuery(ids=ids, limit=len(ids)))]
        self._open.update(dict.fromkeys(there))
        self._so_far = replace(
            self._so_far,
            copied=self._so_far.copied + len(there),
            left_out=self._so_far.left_out + len(ids) - len(there),
        )

    def _look(self) -> None:
        """What has become of the oldest open copies; those still ready are looked at again."""
        ids = tuple(islice(self._open, LOOKED_AT))
        with self._begin() as tx:
            ready = tx.search(StepQuery(ids=ids, status=StepStatus.READY, limit=LOOKED_AT))
            failed = tx.search(StepQuery(ids=ids, status=StepStatus.FAILED, limit=LOOKED_AT))
        waiting = {step.id for step in ready}
        for step_id in ids:
            del self._open[step_id]
        self._open.update(dict.fromkeys(one for one in ids if one in waiting))
        self._judge(
            ended=len(ids) - len(ready),
            failed=len(failed),
            failing=sum(1 for step in ready if step.failure_count),
        )

    def _judge(self, *, ended: int, failed: int, failing: int) -> None:
        so_far = self._so_far
        bad = so_far.failed + failed + failing
        self._so_far = replace(
            so_far,
            done=so_far.done + ended - failed,
            failed=so_far.failed + failed,
            failing=failing,
            stopped=self._stop_after is not None and bad >= self._stop_after,
        )
        if self._watch is not None:
            self._watch(self._so_far)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            sleep(seconds)


def bounded(query: StepQuery, call: UUID, clock: Clock) -> StepQuery:
    """The query for the sources: ended steps, failed ones unless it says otherwise, that were
    there before the call, so that nothing that comes of a copy is copied again.

    The call's id has the time of this machine, and rows have that of `clock`.

    Raises
    ------
    InvalidInput : it asks for ready steps.
    """
    status = query.status or (query.ended_as.status if query.ended_as else StepStatus.FAILED)
    if status is StepStatus.READY:
        raise InvalidInput(
            "Ready steps cannot be re-executed.",
            why="They have not ended; a copy would do the same work twice.",
            fix="Search for failed or done steps, or activate the ready ones.",
        )
    ahead = clock.now() - SYSTEM.now()
    before = datetime.fromtimestamp((call.int >> 80) / 1000, UTC) + ahead
    until = min(before, query.created_to) if query.created_to else before
    return replace(query, status=status, created_to=until, oldest_first=True, after=None)


def copy_id(call: UUID, source: UUID) -> UUID:
    """The id of the copy that this call makes of a source; it carries the call's time."""
    digest = sha256(call.bytes + source.bytes).digest()
    return version_7(call.int >> 80, int.from_bytes(digest[:10], "big"))
