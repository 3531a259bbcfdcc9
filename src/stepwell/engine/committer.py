"""Group commit: outcomes that end while a commit is under way share the next one.

A batch that the store refuses for a reason of its data is halved until the
culprit is alone; that step fails with the reason, the others commit (R16).
A store that cannot be reached is a pause: the same batch is settled again, and
what was applied the first time counts as applied (R13).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from stepwell.engine.execution import Execution
from stepwell.engine.held import Held, Holding
from stepwell.engine.tally import Tally
from stepwell.errors import (
    AttemptRejected,
    Denied,
    EngineBuried,
    SettlementRejected,
    SetupError,
    StepwellError,
    StoreUnavailable,
)
from stepwell.events import emit, span
from stepwell.outcome import Settlement, Verdict
from stepwell.stores.protocol import Store, Transaction

BATCH: Final = 500
"""The most outcomes in one commit."""
APPLIED: Final = Verdict.APPLIED
"""Looked up once: before Python 3.12 that is a call."""
BACKOFF: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between tries while the store cannot be reached; the last one repeats."""
MOST_REFUSALS: Final = 2
"""The outcome, the retry and the bare failure may be refused; then nothing is left to settle."""


@dataclass(slots=True)
class Ended:
    """An execution that has ended and wants its settlement committed.

    `refusals` counts the settlements of it that the store has refused for their data.
    """

    holding: Holding
    execution: Execution
    settlement: Settlement
    refusals: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """An execution whose outcome the store has answered already (R26).

    `applied` is the settlement, or None where the claim had been taken away.
    """

    holding: Holding
    applied: Settlement | None


class Committer:
    """The settling thread of one engine.

    Parameters
    ----------
    held : the book to take settled claims out of.
    on_settled : called after each batch, when there may be room or new work.
    """

    def __init__(self, store: Store, held: Held, on_settled: Callable[[], None]) -> None:
        self.tally = Tally()
        self._store, self._held, self._on_settled = store, held, on_settled
        self._queue: queue.SimpleQueue[Ended | Answered | None] = queue.SimpleQueue()
        self._abandoned, self._counting = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="stepwell-commit", daemon=True)

    def start(self) -> None:
        """Begin to settle."""
        self._thread.start()

    def put(self, *ended: Ended | Answered) -> None:
        """Hand over outcomes, from any thread."""
        for one in ended:
            self._queue.put(one)

    def apply(
        self, tx: Transaction, engine_id: UUID, settlements: list[Settlement]
    ) -> list[Verdict]:
        """Settle in a transaction that the caller commits; it closes the books after that.

        Raises
        ------
        StepwellError : `is_of_the_data` says whether one of the settlements is to blame.
        """
        try:
            return tx.settle(engine_id, settlements)
        except StepwellError:
            raise
        except Exception as error:  # a driver's surprise is a fault of this data (R16)
            raise SettlementRejected("The store failed on it.", why=repr(error)) from error

    def is_of_the_data(self, error: StepwellError) -> bool:
        """Whether the same settlements would meet the same error again (R16)."""
        return not isinstance(error, StoreUnavailable | SetupError | Denied | EngineBuried)

    def close(self, batch: list[Ended], verdicts: list[Verdict]) -> None:
        """The store has answered: nothing of it is held any more, and all of it is counted."""
        self._held.settled([ended.holding for ended in batch])
        applied = [
            ended.settlement
            for ended, verdict in zip(batch, verdicts, strict=True)
            if verdict is APPLIED
        ]
        with self._counting:
            self.tally.count(*applied)
        if len(applied) < len(batch):
            for ended, verdict in zip(batch, verdicts, strict=True):
                if verdict is not APPLIED:
                    self._count(ended.holding, None)

    def stop(self, timeout: float) -> None:
        """Settle what is there, for at most `timeout` seconds, and end the thread."""
        self._queue.put(None)
        if self._thread.is_alive():  # the machine may have given none
            self._thread.join(timeout)
        self._abandoned.set()

    def _loop(self) -> None:
        over = False
        while not over:
            batch, over = self._take()
            self._commit(batch)

    def _take(self) -> tuple[list[Ended | Answered], bool]:
        batch: list[Ended | Answered] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) >= BATCH or self._queue.empty():
                return batch, False
            item = self._queue.get()
        return batch, True

    def _commit(self, batch: list[Ended | Answered]) -> None:
        answered = [one for one in batch if isinstance(one, Answered)]
        self._held.settled([one.holding for one in answered])
        for one in answered:
            self._count(one.holding, one.applied)
        for engine_id, part in by_engine(batch).items():
            self._settle(engine_id, part)
        if batch:
            self._on_settled()

    def _settle(self, engine_id: UUID, batch: list[Ended]) -> None:
        try:
            verdicts = self._persist(engine_id, [ended.settlement for ended in batch])
        except StepwellError as error:
            self._divide(engine_id, batch, error)
            return
        self.close(batch, verdicts)

    def _persist(self, engine_id: UUID, settlements: list[Settlement]) -> list[Verdict]:
        for delay in delays():
            try:
                with (
                    span("engine.settled", count=len(settlements)),
                    self._store.transaction() as tx,
                ):
                    return self.apply(tx, engine_id, settlements)
            except Denied:
                break
            except StepwellError as error:
                if self.is_of_the_data(error):
                    raise
                emit("engine.settle_failed", error=str(error), retry_after=delay)
            except Exception as error:  # the commit has met what no verb has
                raise SettlementRejected("The store failed on it.", why=repr(error)) from error
            if self._abandoned.wait(delay):
                break
        return [Verdict.REFUSED] * len(settlements)

    def _divide(self, engine_id: UUID, batch: list[Ended], error: StepwellError) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            self._settle(engine_id, batch[:middle])
            self._settle(engine_id, batch[middle:])
            return
        (ended,) = batch
        emit("step.rejected", step=ended.holding.step.id, error=str(error))
        if ended.refusals == MOST_REFUSALS:  # even the bare failure is refused
            self.close(batch, [Verdict.REFUSED])
        else:
            self._settle(engine_id, [_replaced(ended, error)])

    def _count(self, holding: Holding, applied: Settlement | None) -> None:
        with self._counting:
            if applied is not None:
                self.tally.count(applied)
                return
            self.tally.refused += 1
        emit("step.refused", step=holding.step.id, name=holding.step.name)


def by_engine(batch: Iterable[Ended | Answered]) -> dict[UUID, list[Ended]]:
    """What is to be settled, by the engine id that it was claimed under."""
    parts: dict[UUID, list[Ended]] = {}
    last: UUID | None = None
    for one in batch:
        if isinstance(one, Ended):
            if one.holding.engine_id is not last:  # to look it up takes longer
                last = one.holding.engine_id
                part = parts.setdefault(last, [])
            part.append(one)
    return parts


def _replaced(ended: Ended, error: StepwellError) -> Ended:
    is_attempt = isinstance(error, AttemptRejected) and ended.refusals == 0
    judge = ended.execution.retried if is_attempt else ended.execution.rejected
    return Ended(ended.holding, ended.execution, judge(error), ended.refusals + 1)


def delays() -> Iterable[float]:
    """Seconds to wait between tries, without an end."""
    yield from BACKOFF
    while True:
        yield BACKOFF[-1]
