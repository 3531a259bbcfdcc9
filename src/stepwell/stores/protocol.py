"""What a store must do: `Store` opens transactions, `Transaction` has the verbs.

A store is thin: it speaks these verbs, each in a few statements, and decides
nothing about retries, order of states or what an outcome means. The contract
in `stepwell.testing.store_contract` is the proof that a store is right.

Every verb runs inside the transaction it is called on. A store that cannot
join several verbs in one transaction (HTTP) says so in its capabilities, and
each verb commits by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepQuery
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.messages import (
    Burial,
    Capabilities,
    Claimed,
    ClaimRequest,
    Counts,
    EngineInfo,
    Failures,
    Migration,
    Position,
    Pulse,
    Swept,
)

__all__ = [
    "Answer",
    "Burial",
    "Capabilities",
    "ClaimRequest",
    "Claimed",
    "Counts",
    "EngineInfo",
    "Exclusive",
    "Failures",
    "Migration",
    "Position",
    "Pulse",
    "Store",
    "Swept",
    "Transaction",
    "Wake",
]


Answer: TypeAlias = Callable[[], Sequence[bool]]
"""Gives what is known after the commit."""


class Transaction(Protocol):
    """The verbs. All of them raise `StoreUnavailable` when the store cannot be reached.

    Whatever ends a row with a `join_id` (settling, ending, burying, replacing) does to the
    row that waits for it what `stores.joins.close` says, at the end of the same verb; a
    verb that ends none of them asks nothing more of the database (R28).
    """

    # -- engines ---------------------------------------------------------------

    def join(self, engine: EngineInfo) -> Pulse:
        """Insert the engine's row; the same id again changes nothing."""
        ...

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        """Raise the beat counter, set the started mark on `started`, and say which of
        those claims do not hold any more: taken away, or settled meanwhile.

        Raises `EngineBuried` when the row is gone.
        """
        ...

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        """Delete the row if it still shows `beat`, and give its claims back (R10, R15).

        Rows with the started mark get `lost_count` + 1; if none has the mark, all
        rows do, for whoever kills engines at once leaves no mark. At 5 a row fails:
        "its engine died 5 times while running it". None when the counter has moved.
        """
        ...

    def leave(self, engine_id: UUID) -> None:
        """Delete the engine's own row at a stop and give back what it still holds."""
        ...

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Lock the engine's row, then mark due rows as its own: claim number + 1,
        execution count unchanged, in the order of R18; park due rows of other names (R19).

        Rows that wait for others (`waiting_for` over 0) are not due, whatever their time (R28).

        An ordinary claim takes no row with a limit or rate key. Its answer says whether one
        of a name and queue (or flow) asked for is due, suspects included (`limited_due`),
        and `next_due` counts those that will be: one look into a partial index, which is
        empty where nobody uses limits.

        A limited claim (`request.limited`) takes such rows only, under a lock on their keys
        that no two claims hold at once, and never parks one. A row with a limit key needs a
        free slot: fewer rows of this key, in any queue and flow, are claimed (by whomever)
        than the control 'limit' of the key says, or else the row's `limit_slots`, or else 1.
        A row with a rate key that has a control 'rate' needs its `next_free_at` to have
        come, and moves it on, in this transaction: see `stores.allotment`, which decides for
        every store. A row with both keys needs both. Suspects are taken with `alone` and one
        at a time; `suspect_due` tells of those that could be. `next_due` is the earliest
        instant at which a rate lets a row go that needs nothing else. What cannot be taken
        is left as it is. A key that another claim is just locking may be passed over, with
        `limited_due` in the answer.

        Raises `EngineBuried` when the engine's row is gone (R11).
        """
        ...

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """All claims in this engine's name: what it reads after a lost answer (R13)."""
        ...

    def hold(
        self,
        engine_id: UUID,
        request_id: UUID,
        claims: Sequence[Claim],
        *,
        freed: bool = False,
    ) -> int:
        """Mark rows as claimed that were only locked; counts those that nobody had taken.
        None are if the engine's row is gone, for nobody would give them back.

        `freed` says that others were locked as well and are free again: engines are woken.
        """
        ...

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        """Give claims back unrun; raises their numbers. Counts those that were its own."""
        ...

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Apply each settlement whose (step id, engine id, claim number) still matches;
        insert the additions of those only. Deletes come before inserts (R5, R12).
        An `unwritten` claim also matches the row as it was before that number: unclaimed,
        one number lower. Where there is one, the transaction can go on after a `Conflict`.

        A settled row has execution count + 1. One that `passes_join` ends without its
        `join_id`, and so counts for no join (R28). One whose claim number shows that
        it was settled before counts as applied (R13). Raises `Conflict` or
        `SettlementRejected` if the data of any is refused; then nothing is applied (R16),
        and a transaction in which a part of it was written cannot be committed. So it is
        when an addition comes claimed (R21) and its id is there already (R1).
        """
        ...

    def settle_last(self, engine_id: UUID, settlements: Sequence[Settlement]) -> Answer:
        """As `settle`, as the last verb of a transaction, which a store may run with the commit:
        what `settle` raises the commit may raise then. Of steps that are members of no join and
        have no limit key. Needs `Capabilities.row_locks`.

        The answer is known after the commit: whether each was applied now. Of those that were
        not, `settle` says what has become of them, in another transaction.
        """
        ...

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Insert rows; True for each that was inserted now. An id that exists, in
        any of the tables, is the same step and is left alone (R1). Raises `UniqueKeyTaken`.

        A join is added with all its members, in one call, and waits for as many: otherwise
        `NotAMember`. A copy that carries a `join_id` takes the place of its failed source,
        whose `join_id` is cleared, if the source has it still, and the join waits, and its
        policy is 'wait'; otherwise the copy's own is cleared (R28).
        """
        ...

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        """Insert a row like the template for each id and state; how many. All are new, and
        have no unique key: nothing is looked up. Due now if the template was due when it
        was made. A template that is its own flow makes rows that are flows of their own.
        """
        ...

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        """Insert the row unless a step matches `query`; two callers cannot both insert (R9)."""
        ...

    def search(self, query: StepQuery) -> list[Step]:
        """One page of the steps that match, newest id first unless the query says otherwise."""
        ...

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        """How many steps match, per table; the query's `limit` and `after` do not count.

        Exact without `at_most`. With it no table is counted further: one that has more
        rows shows `at_most` and is named in `more`, or shows an estimate that is higher
        and is named in `estimated`.
        """
        ...

    def failures(self, query: StepQuery) -> list[Failures]:
        """The failed steps that match, grouped by name and fingerprint (which may be None):
        those that ended as failed, unless the query says otherwise. The group with the
        newest end comes first; `limit` counts groups; status, `after` and order do not count.
        """
        ...

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """Set activation arguments, raise `activation_no`, and make the row due at `at`
        (None: now). False if the step is not ready (R8)."""
        ...

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """End a ready row by hand, claimed or not; its claim number is raised (R6, R8).
        False if the step is not ready."""
        ...

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """Make a ready row due at `at`; a claim on it is taken away (R8). False if not ready."""
        ...

    # -- controls --------------------------------------------------------------
    #
    # Whatever frees the slot of a limited row (settle, end, reschedule, release, bury, leave)
    # and whatever changes a control wakes engines, as due work does.

    def set_control(self, control: Control) -> None:
        """Insert the control, or replace the one of its kind and key (R20).

        `changed_at` becomes store time. Of a rate, `next_free_at` is not taken from
        `control`: a new one is free at once, a replaced one stays closed for as long as it
        was, and at most for one interval of the new rate.
        """
        ...

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        """Delete the control; False if there is none."""
        ...

    def controls(self) -> list[Control]:
        """All controls, by kind and key."""
        ...

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        """Remove ended rows that the expiries name, and prepare the tables for the coming time.

        One bounded piece of work: at most `limit` rows, or one partition. The caller calls
        again, in another transaction, while `more` is set. A row whose `join_id` names a
        ready step stays (R28). A store that drops partitions may keep a row for as long as
        its partition has others that are to stay. No claim or settlement waits for more
        than a moment; raises `StoreUnavailable` if others hold the tables for longer.
        """
        ...


class Exclusive(Transaction, Protocol):
    """A transaction that one handler writes in, and that settles its step alone (R26)."""

    def lock(self, engine_id: UUID, claim: Claim, seconds: float) -> bool:
        """Lock the ready row while it is claimed so; False if it is not. The first verb.

        The lock keeps the row from ending; the started mark can still be set, and the
        claim be taken away: settling shows it. `seconds` is the time that the
        transaction may take; a store that can do so ends statements that take longer.
        """
        ...

    def lend(self) -> AbstractContextManager[Any]:
        """The driver's connection, for one handler and the length of the block.

        Within the block the transaction can neither be committed nor rolled back by it.
        """
        ...


class Wake(Protocol):
    """How an engine hears of new work without asking the store."""

    def wait(self, seconds: float, claim: ClaimRequest | None = None) -> bool:
        """Block until something may have changed, or the time is over (False).

        Parameters
        ----------
        claim : what this thread claims by lock when it is woken; a store may ask for it meanwhile,
            and gives what it gets to the next transaction of the thread.
        """
        ...

    def set(self) -> None:
        """Wake the waiter of this process."""
        ...

    def close(self) -> None:
        """End the wake's thread and connection."""
        ...


class Store(Protocol):
    """A place where steps are kept. Safe to use from several threads."""

    @property
    def capabilities(self) -> Capabilities:
        """What this store can do beyond the verbs."""
        ...

    def migrate(self) -> list[str]:
        """Create or upgrade the tables; returns the names of the migrations applied (R44)."""
        ...

    def open(self) -> None:
        """First contact: fails fast on wrong credentials, unknown database or missing
        schema (`SetupError`, R24). Calling it again is harmless."""
        ...

    def close(self) -> None:
        """Give back connections and threads."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A new transaction: commits at the end of the block, rolls back if it raises.

        Raises `StoreUnavailable` when the commit's answer was lost: what was done may
        or may not have happened (R13).
        """
        ...

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """The verb `add` in a transaction of its own: what callers wait for most.

        With `Capabilities.row_locks` steps may come claimed, for their engine to begin at once;
        where its row is gone, they are left out (R11).

        Raises what the verb and `transaction` raise.
        """
        ...

    def exclusive(self) -> AbstractContextManager[Exclusive]:
        """As `transaction`, on a connection apart from those that the verbs use (R26).

        It may last for as long as a handler runs. Raises `NotSupported` where the
        capabilities do not say `exactly_once`.
        """
        ...

    def on(self, connection: Any, *, survives: bool = True) -> Transaction:
        """The verbs on the caller's own connection and transaction: the outbox (R27).

        `survives` is False where the caller takes back all of the transaction at any error of a
        verb; then a store need not keep what was there before it.

        Raises `NotSupported` where the capabilities do not say `outbox`.
        """
        ...

    def wake(self) -> Wake:
        """A new wake for one engine."""
        ...
