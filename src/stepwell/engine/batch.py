"""Outcomes that one transaction settles, and the spawned steps that it hands over (R21)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from stepwell.clock import SYSTEM, Clock
from stepwell.engine.committer import APPLIED, Committer, Ended, by_engine
from stepwell.engine.held import Holding
from stepwell.errors import Conflict, StepwellError
from stepwell.events import emit
from stepwell.frozen import setter
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, Step
from stepwell.stores.protocol import ClaimRequest, Transaction

MOST_LINKS: Final = 50
"""How many steps in a row one engine takes over from each other."""

FEW: Final = 250
"""So many outcomes are settled with the commit: for them the journeys count. More take the server
so long that another burst runs meanwhile, and is in the way of the one that ends no sooner."""

_mark: Final = setter(Step, "claimed_by", "claim_no", "claim_request", "claimed_at")
_UNCLAIMED: Final = (None, 0, None, None)

TakeOver: TypeAlias = Callable[[Addition], bool]
_Answer: TypeAlias = Callable[[], Sequence[Verdict | None]]
"""Gives what became of settlements, after the commit; None where that is not known."""


class Batch:
    """What a burst has come to, on its way into the store.

    Parameters
    ----------
    takes_over : which additions this engine may run next, without their being claimed.
    request : in whose name they are inserted; at most as many as it asks for.
    """

    def __init__(
        self,
        committer: Committer,
        ended: list[Ended],
        takes_over: TakeOver,
        request: ClaimRequest,
        clock: Clock,
    ) -> None:
        self._committer, self._takes_over, self._request = committer, takes_over, request
        self._clock = clock
        self._answers: list[tuple[list[Ended], _Answer]] = []
        self._refused: list[Ended] = []
        self._taken: dict[int, list[Addition]] = {}
        self._spawned: list[Holding] | None = None
        self._room = request.limit
        self._begun = 0.0
        self.ended = ended

    @property
    def settled(self) -> list[Holding]:
        """The holdings whose outcomes the store has answered, or will with the commit."""
        return [ended.holding for part, _ in self._answers for ended in part]

    @property
    def spawns(self) -> bool:
        """Whether some of what it adds is to run here next."""
        return bool(self._taken)

    @property
    def handed_on(self) -> bool:
        """Whether the data of one was refused, and the committer goes on with it."""
        return bool(self._refused)

    def settle(self, tx: Transaction, *, last: bool = False) -> None:
        """Settle all of it in an open transaction that goes on if a rule refuses one of them.

        What was refused is settled by the committer, one by one if need be (R16).

        Parameters
        ----------
        last : nothing comes after this but the commit, with which it may be sent.
        """
        self._begun, self._now = SYSTEM.monotonic(), self._clock.now()
        for engine_id, part in by_engine(self.ended).items():
            settlements = [ended.settlement for ended in part]
            if engine_id == self._request.engine_id:
                self._take_over(part)
            try:
                self._answers.append((part, self._ask(tx, engine_id, part, settlements, last)))
            except StepwellError as error:
                if not self._committer.is_of_the_data(error) or _is_lost(error, settlements):
                    raise
                self._leave(part)
                self._refused += part

    def spawned(self, at: float) -> list[Holding]:
        """What of it this engine runs next, once it is in the store: always the same holdings.
        Before the books are closed some may be among them that come to nothing.

        `at` is the monotonic second that they are held since.
        """
        if self._spawned is None:
            self._spawned = self._holdings(at)
        return self._spawned

    def close(self) -> list[Holding]:
        """After the commit: the books are closed. Which of the spawned steps come to nothing.

        What was to be settled with the commit and was not is settled by the committer, which
        learns why.
        """
        duration = SYSTEM.monotonic() - self._begun
        for part, answer in self._answers:
            known, verdicts = self._known(part, answer())
            self._committer.close(known, verdicts)
            emit("engine.settled", count=len(known), duration=duration)
        self._committer.put(*self._refused)
        vain = [one for one in self._spawned or () if one.step.claimed_by is None]
        if vain:
            self._spawned = [one for one in self._spawned or () if one.step.claimed_by is not None]
        return vain

    def hand_on(self, *others: Ended) -> None:
        """The transaction was taken back: the committer settles all of it, and these as well."""
        self._leave(self.ended)
        self._committer.put(*self.ended, *others)

    def _ask(
        self,
        tx: Transaction,
        engine_id: UUID,
        part: list[Ended],
        settlements: list[Settlement],
        last: bool,
    ) -> _Answer:
        if last and len(part) <= FEW and _stand_alone(part):
            applied = tx.settle_last(engine_id, settlements)
            return lambda: [APPLIED if yes else None for yes in applied()]
        verdicts = self._committer.apply(tx, engine_id, settlements)
        return lambda: verdicts

    def _known(
        self, part: list[Ended], verdicts: Sequence[Verdict | None]
    ) -> tuple[list[Ended], list[Verdict]]:
        """Those that the store has said something of, and what."""
        if verdicts.count(APPLIED) < len(part):
            told = list(zip(part, verdicts, strict=True))
            self._leave([ended for ended, verdict in told if verdict is not APPLIED])
            self._refused += [ended for ended, verdict in told if verdict is None]
            part = [ended for ended, verdict in told if verdict is not None]
        return part, [verdict for verdict in verdicts if verdict is not None]

    def _holdings(self, at: float) -> list[Holding]:
        if not self._taken:
            return []
        return [
            Holding(addition.step, ended.holding.engine_id, at, links=ended.holding.links + 1)
            for part, _ in self._answers
            for ended in part
            for addition in self._taken.get(id(ended), ())
        ]

    def _take_over(self, part: list[Ended]) -> None:
        """Mark what may run here at once: it is inserted as claimed. Nobody else sees it yet."""
        request = self._request
        # The same instant for all, so that they are inserted together.
        marks = request.engine_id, 1, request.request_id, self._now
        for ended in part:
            for addition in ended.settlement.additions:
                if (
                    self._room > 0
                    and ended.holding.links < MOST_LINKS
                    and self._takes_over(addition)
                ):
                    self._room -= 1
                    _mark(addition.step, *marks)
                    self._taken.setdefault(id(ended), []).append(addition)

    def _leave(self, part: list[Ended]) -> None:
        """Take the marks off again: whoever settles these now inserts them for anybody."""
        for ended in part:
            for addition in self._taken.pop(id(ended), ()):
                _mark(addition.step, *_UNCLAIMED)


def _stand_alone(part: list[Ended]) -> bool:
    """Whether the ends of these concern no other rows."""
    steps = [ended.holding.step for ended in part]
    return {step.join_id for step in steps} | {step.limit_key for step in steps} == {None}


def _is_lost(error: StepwellError, settlements: list[Settlement]) -> bool:
    """Whether only the end of the transaction takes back what was applied before the refusal:
    the store keeps no way back for an id that was there before, as no new one is (R21)."""
    claimed = (one.step.claimed_by for each in settlements for one in each.additions)
    return not isinstance(error, Conflict) and any(claimed)
