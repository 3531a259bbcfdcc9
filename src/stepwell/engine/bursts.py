"""Bursts: steps that are claimed together, run, and are settled together a moment later.

A burst lasts until all of its steps have ended; or none of them waits and nothing has ended
lately; or its time is over. What has not ended by then goes on, and is settled by the
committer when it ends.

Where the store can lock rows, one short transaction claims, waits for the burst and settles
it: only what takes longer than the burst is ever marked as claimed. Elsewhere the mark is
written at once, and one transaction settles a burst and claims the next; of many steps half
begin as the next one is about to be committed, to run while that is written to the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from stepwell.clock import Clock
from stepwell.engine.batch import Batch, TakeOver
from stepwell.engine.collector import Collector
from stepwell.engine.committer import Answered, Committer, Ended
from stepwell.engine.held import Held, Holding
from stepwell.events import emit
from stepwell.frozen import changer
from stepwell.step import Step
from stepwell.stores.protocol import Claimed, ClaimRequest, Store, Transaction


class Claiming(Protocol):
    """What makes the claims of bursts."""

    def __call__(self, tx: Transaction, request: ClaimRequest, *, beside: bool) -> Claimed:
        """Claim in a transaction; `beside` says that spawned steps are run with it (R21)."""
        ...


LONGEST: Final = 0.02
"""Seconds that the steps of a burst are to take."""
LATE: Final = 2.5
"""By how many times as long a burst is over: for so long a transaction may hold its row locks.
Where others want the processors too, steps take longer than they did, and what has not begun
is locked once more, by this engine or another."""
MOST: Final = 1000
"""The most steps claimed ahead."""
HALVED: Final = 500
"""Of so many steps whose claims are written, half run while the next commit is written."""
LULL: Final = 0.001
"""Seconds without an outcome after which a burst of which nothing waits is over."""


class Bursts:
    """Claims, waits and settles, burst by burst, in the feeding thread of one engine.

    Parameters
    ----------
    claim : makes the claim in the burst's transaction.
    takes_over : which spawned rows may run here right after their parent's commit (R21).
    aside : whether a step may not run before its claim is written.
    looks : whether it claims others beside spawned steps that were handed over to it.
    go : called when steps were accepted: somebody is to run them.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        held: Held,
        committer: Committer,
        *,
        claim: Claiming,
        takes_over: TakeOver,
        aside: Callable[[Step], bool],
        go: Callable[[], None],
        looks: bool = True,
    ) -> None:
        self._store, self._clock, self._held = store, clock, held
        self._committer, self._takes_over, self._aside = committer, takes_over, aside
        self._claim, self._go, self._looks = claim, go, looks
        self._collector = _closed()
        self._unsettled: list[Ended] = []
        self._taken: list[Holding] = []
        self.when_full: Callable[[], None] = _nothing
        """Called when as many steps were locked as were asked for: there may be more."""
        self.share: Callable[[list[Holding]], list[Holding]] = list
        """Given the spawned steps that run next here: those that nobody else is given."""
        self.most, self._more = MOST, MOST
        """How many steps a burst may lock beyond those that there are free slots for; and how
        many more the next may, if it begins all of them."""
        self.cut = False
        """Whether the last burst was over before all of its steps had begun."""
        self.quiet = False
        """Whether the last claim looked when nothing of this engine was left to settle."""
        self.again = False
        """Whether the last burst settled something that its claim could not know of."""

    @property
    def pending(self) -> int:
        """How many outcomes and spawned steps wait for the next burst."""
        return len(self._unsettled) + len(self._taken)

    @property
    def unsettled(self) -> int:
        """How many outcomes are settled with the next burst."""
        return len(self._unsettled)

    @property
    def taken(self) -> Sequence[Holding]:
        """The spawned steps that run with the next burst, beside those that it claims (R21)."""
        return self._taken

    def put(self, holding: Holding, ended: Ended | Answered | None) -> bool:
        """A step has ended, in whatever thread; False if the present burst is over."""
        return self._collector.put(holding, ended)

    def settle_and_claim(self, request: ClaimRequest) -> Claimed:
        """Settle the burst before and claim the next in one transaction, then let it run."""
        batch = self._batch(request)
        nothing_else = len(self._held) <= len(batch.ended)
        self._collector = Collector()  # what ends meanwhile is settled with this burst
        try:
            with self._store.transaction() as tx:
                batch.settle(tx)
                claimed = self._claim(tx, request, beside=batch.spawns)
                begun = self._take_up()  # they run while this is written to the disk
        except BaseException:
            batch.hand_on(*self._collector.close())
            raise
        try:
            self._close(batch)
            nothing_left = not batch.handed_on and not self._taken
            self.quiet, self.again = nothing_else and nothing_left, False
            self._accept(
                self._first([*self._taken, *self._holdings(claimed.steps, request)], begun)
            )
            self._wait()
        finally:  # whatever fails: an outcome that nobody settles is held for ever
            self._unsettled = self._collector.close()
        return claimed

    def claim_and_settle(self, request: ClaimRequest) -> Claimed:
        """Lock the steps of a burst, let it run, and settle it in the same transaction.

        If that fails, the committer settles what has ended: the claims hold for as long as
        nobody else has taken one of the rows.
        """
        batch, begun, foreseen = self._batch(request), [], []
        self.quiet = not len(self._held) and not batch.ended
        beside = self._begin()
        try:
            with self._store.transaction() as tx:
                claimed = self._lock(tx, request, beside=beside)
                begun = self._holdings(claimed.steps, request, by_lock=True)
                self._accept([one for one in begun if not self._aside(one.step)])
                if len(claimed.steps) >= request.limit > 0:
                    self.when_full()
                self._wait()
                freed = self._held.withdraw(self._collector)
                begun = _without(begun, freed)
                self._pace(len(claimed.steps), len(freed))
                batch.ended += self._collector.close()
                batch.settle(tx, last=True)
                kept = _without(begun, batch.settled)
                self._mark(tx, request, kept, freed=bool(freed))
                marked_first = [one for one in kept if self._aside(one.step)]
                foreseen = self._foresee([*batch.spawned(self._clock.monotonic()), *marked_first])
        except BaseException:  # what was settled in it has been taken back as well
            self._held.settled(foreseen)
            self._hold(request, begun)
            batch.hand_on(*self._collector.close())
            raise
        self._held.written(kept)
        self._close(batch)
        self.again = bool(batch.ended)
        self._held.accept(marked_first)
        self._go()
        return claimed

    def take_over(self, holdings: list[Holding]) -> None:
        """Spawned steps of other bursts run with the next of these, which rest."""
        self._taken += holdings

    def hand_over(self) -> None:
        """No burst follows soon: the committer settles what has ended, and what was spawned
        for this engine waits among the other steps that have not started."""
        unsettled, self._unsettled = self._unsettled, []
        self._committer.put(*unsettled)
        taken, self._taken = self._taken, []
        self._held.accept(taken)

    def _batch(self, request: ClaimRequest) -> Batch:
        """What the burst before has left to be settled goes with this one."""
        unsettled, self._unsettled = self._unsettled, []
        return Batch(self._committer, unsettled, self._takes_over, request, self._clock)

    def _foresee(self, holdings: list[Holding]) -> list[Holding]:
        """Know of the claims that a commit is about to write: to the other bursts' thread, which
        may look for claims that nobody knows of (R13) before this one goes on, they are none."""
        self._held.reserve(holdings)
        return holdings

    def _close(self, batch: Batch) -> None:
        self._held.settled(batch.close())
        self._taken += self.share(batch.spawned(self._clock.monotonic()))

    def _lock(self, tx: Transaction, request: ClaimRequest, *, beside: bool) -> Claimed:
        if beside and not self._looks:
            return Claimed()
        return self._claim(tx, _changed(request, locking=True), beside=beside)

    def _begin(self) -> bool:
        """A new burst, with the steps that the one before has handed over: whether it has some."""
        self._collector = Collector()
        return self._take_up() > 0

    def _take_up(self) -> int:
        """Let the steps run that the burst before has handed over; how many."""
        taken, self._taken = self._taken, []
        self._accept(taken)
        return len(taken)

    def _first(self, ready: list[Holding], begun: int) -> list[Holding]:
        """Those that run now, beside what has begun; of many, half run during the next commit."""
        many = begun + len(ready)
        now = max(len(ready) - many // 2, 0) if many >= HALVED else len(ready)
        self._taken = self._foresee(ready[now:])
        return ready[:now]

    def _accept(self, holdings: list[Holding]) -> None:
        for holding in holdings:
            holding.burst = self._collector
        self._collector.expect(len(holdings))
        self._held.accept(holdings)
        self._go()

    def _wait(self) -> None:
        until = self._clock.monotonic() + LONGEST * LATE
        seen = -1
        while not self._collector.wait(LULL) and self._clock.monotonic() < until:
            if not self._held.waiting and len(self._collector) == seen:
                return
            seen = len(self._collector)

    def _pace(self, locked: int, freed: int) -> None:
        """Rows that cannot be begun in time are left to others: a burst locks as many as the
        one before has begun, but at least half of what it might; then a few more, and with each
        that begins all of its own twice as many more."""
        self.cut = freed > 0
        if self.cut:
            self.most = max(locked - freed, self.most // 2, 1)
            self._more = self.most // 4 + 1
        else:
            self.most = min(self.most + self._more, MOST)
            self._more = min(self._more * 2, MOST)

    def _holdings(
        self, steps: Sequence[Step], request: ClaimRequest, *, by_lock: bool = False
    ) -> list[Holding]:
        since = self._clock.monotonic()
        return [Holding(step, request.engine_id, since, by_lock) for step in steps]

    def _hold(self, request: ClaimRequest, begun: list[Holding]) -> None:
        """What has begun is marked at least now, so that nobody else begins it (R14)."""
        if not begun:
            return
        try:
            with self._store.transaction() as tx:
                self._mark(tx, request, begun, freed=True)
            self._held.written(begun)
        except Exception as error:  # its outcome will tell
            emit("engine.hold_failed", engine=request.engine_id, error=str(error))

    def _mark(
        self, tx: Transaction, request: ClaimRequest, kept: list[Holding], *, freed: bool
    ) -> None:
        claims = [one.claim for one in kept]
        tx.hold(request.engine_id, request.request_id, claims, freed=freed)


_changed: Final = changer(ClaimRequest)


def _nothing() -> None:
    pass


def _closed() -> Collector:
    """That of no burst: it takes in nothing."""
    collector = Collector()
    collector.close()
    return collector


def _without(holdings: list[Holding], gone: list[Holding]) -> list[Holding]:
    ids = {id(one) for one in gone}
    return [one for one in holdings if id(one) not in ids] if gone else holdings
