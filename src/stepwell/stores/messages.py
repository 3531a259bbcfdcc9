"""What is asked of a store and what it answers: the values of `stores.protocol`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from stepwell.step import Claim, Step, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a store can do beyond the verbs; the contract tests what is declared (R25).

    Parameters
    ----------
    transactions : several verbs commit together, and roll back together.
    outbox : the type of a foreign connection that `Store.on` takes, or None.
    durable : what was committed outlives the process.
    scoped : sees one flow only (a container's store); has no `add_if_none` and buries nobody.
    exactly_once : `Store.exclusive` lends its connection to a handler (R26).
    row_locks : a claim may lock rows for the length of its transaction, unmarked.
    """

    transactions: bool = True
    outbox: bool = False
    durable: bool = True
    scoped: bool = False
    exactly_once: bool = False
    row_locks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The row of a live engine (R10): a beat counter, and who it is. No time decides anything."""

    id: UUID
    name: str
    version: str
    handles: tuple[str, ...]
    queues: tuple[str, ...]
    beat: int = 0


@dataclass(frozen=True, slots=True)
class Pulse:
    """The answer to a beat: store time (aware UTC), every engine's beat counter, the names of
    the queues that are paused, and those of the claims it was asked about that hold no more."""

    now: datetime
    beats: dict[UUID, int]
    paused: tuple[str, ...] = ()
    lost: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Burial:
    """What a dead engine left: how many claims were given back, and which steps failed (R15)."""

    released: int
    failed: tuple[UUID, ...] = ()


class Position(NamedTuple):
    """Where a row stands: in which queue and band, and among those that are due there."""

    queue: str
    priority: int
    schedule_time: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """What an engine wants.

    Parameters
    ----------
    engine_id, request_id : who asks; a fresh request id marks the rows, so that
        an engine whose answer was lost can tell them (R13).
    names : handled here; due rows of other names are parked (R19).
    queues : only rows of these queues, unless `flow_id` is set.
    limit : at most so many rows.
    flow_id : only rows of this flow, in any queue (R36).
    alone : take one suspect (`lost_count` 2 or more) and nothing else (R15).
    locking : lock the rows until the transaction ends, and mark none as claimed. Their
        claim number, and whose their claim is since when, are those that they would have got;
        they have no `claim_request`. Needs `Capabilities.row_locks`.
    skew : four numbers in [0, 1), one per priority band: see `stores.fairness` (R18).
    limited : take rows with a limit or rate key, and no others (R20); never with `locking`,
        for slots are counted from marks.
    beyond : of a limited claim: where the last one stopped looking (`Claimed.beyond`).
    since : a store may leave out rows that stand before these, each in its queue and band; it
        says so (`Claimed.whole`). Of a queue and band that is not named it leaves out none.
    parks : False where due rows of other names may be left as they are, if some that are
        handled stand behind them and are claimed: as where others are left out (R19).
    """

    engine_id: UUID
    request_id: UUID
    names: tuple[str, ...]
    queues: tuple[str, ...] = ("default",)
    limit: int = 1
    flow_id: UUID | None = None
    alone: bool = False
    locking: bool = False
    skew: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    limited: bool = False
    beyond: str = ""
    since: tuple[Position, ...] | None = None
    parks: bool = True


@dataclass(frozen=True, slots=True)
class Claimed:
    """The rows claimed (as they are after the claim), and when to ask again.

    `next_due` is the earliest schedule time of claimable rows not taken, or None;
    `suspect_due` says that a suspect waits to be claimed alone.

    `limited_due`, after an ordinary claim: rows with a limit or rate key are due, and a
    limited claim may find some that it can take. After a limited claim: there are more that
    could be taken now. `beyond` is not empty where a limited claim looked at a part of the
    keys only: text that the next one hands over to go on from there.

    `front` is where due rows begin, in each queue and band that has some, if the store has
    looked for the first of them and says so; answers are compared without it. `whole` is False
    where it looked from `ClaimRequest.since` on only, or has passed over rows of foreign names
    that are still to be parked: then `front` says where the others begin.
    """

    steps: tuple[Step, ...] = ()
    next_due: datetime | None = None
    suspect_due: bool = False
    limited_due: bool = False
    beyond: str = ""
    front: tuple[Position, ...] | None = field(default=None, compare=False)
    whole: bool = True

    @property
    def may_be_more(self) -> bool:
        """Whether rows may be due that it neither has nor tells of."""
        return self.limited_due or not self.whole


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows per table that match a query.

    `more` names the tables that have more rows than their number says, for counting
    stopped there; `estimated` those whose number is the store's estimate.
    """

    ready: int = 0
    done: int = 0
    failed: int = 0
    more: tuple[StepStatus, ...] = ()
    estimated: tuple[StepStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Failures:
    """Steps that failed in the same way: how many, from when to when, and the last of them."""

    name: str
    fingerprint: str | None
    count: int
    first_at: datetime
    last_at: datetime
    step_id: UUID
    description: str | None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one call of `sweep` did; `more` says that there may be more to do.

    `removed` rows went one by one; `dropped` and `made` are names of partitions.
    """

    removed: int = 0
    dropped: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of a store's own schema."""

    name: str
    sql: str = field(repr=False)
