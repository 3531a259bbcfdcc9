"""The user's handle on new steps: one, several at once, thousands, or one if there is none."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from stepwell.clock import Clock
from stepwell.codec import Codec, limited
from stepwell.engine.inside import forbid_outside
from stepwell.engine.sealing import of_one_flow, seal, seal_fan
from stepwell.engine.together import Together
from stepwell.errors import InvalidInput
from stepwell.ids import new_ids
from stepwell.outcome import Fan
from stepwell.step import (
    Addition,
    JoinPolicy,
    NewStep,
    Retention,
    StepQuery,
    check_new,
    join_policy,
    new_step,
    one_or_many,
)
from stepwell.stores.outbox import lend
from stepwell.stores.protocol import Store, Transaction


class Adding(ABC):
    """How a program adds steps, on any store.

    Calls of several threads or tasks that come while another commits share the next commit.
    """

    store: Store
    codec: Codec
    _clock: Clock
    _classes: Mapping[str, Retention]
    _together: Together

    def add(self, new: NewStep, *, connection: Any = None) -> UUID:
        """Add one step; returns its id, which with on_conflict='ignore' may be that of no step.

        Parameters
        ----------
        connection : the caller's own database connection: the step is added in its
            open transaction, and a rollback takes the step with it (the outbox).

        Raises
        ------
        UniqueKeyTaken : a ready step of that name and unique key exists.
        NotEncodable, ValueTooLarge : the state cannot be kept.
        OutsideTransaction : without `connection`, in a handler that was given one (R26).
        """
        check_new(new)
        return self.add_many([new], connection=connection)[0]

    def add_many(
        self,
        new: Iterable[NewStep],
        *,
        then: NewStep | None = None,
        on_failure: JoinPolicy | str = JoinPolicy.WAIT,
        connection: Any = None,
    ) -> list[UUID]:
        """Add several steps in one transaction: all or none. Returns their ids in order.

        Parameters
        ----------
        then : a step that runs when all of them have ended (R28). They are of its flow and
            correlation where they name none. Its id is the last of those returned.
        on_failure : what it does when one of them fails: 'wait' until a re-executed copy
            of that one has ended, 'fail' at once, or 'go on' without it.

        Raises
        ------
        InvalidInput : another word for `on_failure`, or a step that `then` could wait for
            in vain.
        UniqueKeyTaken, NotEncodable, ValueTooLarge, OutsideTransaction : see `add`.
        """
        fan = Fan(next=_several(new, then), then=then, on_failure=join_policy(on_failure))
        now = self._clock.now()
        additions = seal_fan(of_one_flow(fan), self.codec, now, classes=self._classes)
        if connection is None:
            forbid_outside(self.store)
            self._together.add(list(additions))
        else:
            with self._transaction(connection) as tx:
                tx.add(additions)
        return [addition.step.id for addition in additions]

    def add_bulk(self, name: str, states: Iterable[Any], **fields: Any) -> int:
        """Add a step of one name for each state, in one transaction; returns how many.

        The fastest way into a store, for thousands: on PostgreSQL by COPY. Each step is a
        flow of its own, unless `flow_id` says otherwise.

        Parameters
        ----------
        states : may be a generator; nothing is kept of it in memory.
        fields : as of `new_step`, the same for all; no id and no unique key.

        Raises
        ------
        InvalidInput : a field that cannot be the same for all.
        NotEncodable, ValueTooLarge : a state cannot be kept; nothing was added.
        OutsideTransaction : in a handler that was given a connection (R26).
        """
        for field in ("id", "unique_key", "singleton", "on_conflict"):
            if field in fields:
                raise InvalidInput(
                    f"Steps that are added in bulk have no {field}.",
                    why="Their ids are made here, and nothing is looked up for them.",
                    fix="Use add_many for steps that may exist already.",
                )
        now = self._clock.now()
        template = seal(new_step(name, **fields), self.codec, now, classes=self._classes).step
        encode, what = self.codec.encode, f"state of {name}"
        with self._transaction() as tx:
            return tx.load(
                template,
                (
                    (one, limited(encode(state), what))
                    for one, state in zip(new_ids(), states, strict=False)
                ),
            )

    async def add_async(self, *new: NewStep, connection: Any = None) -> list[UUID]:
        """`add_many` without blocking the caller's event loop.

        Parameters
        ----------
        connection : as for `add`, and of asyncio: psycopg's, asyncpg's or aiosqlite's, or
            SQLAlchemy's AsyncSession or AsyncConnection.
        """
        if connection is None:
            forbid_outside(self.store)
            additions = [self._sealed(one) for one in one_or_many(new)]
            await self._together.add_async(additions)
            return [addition.step.id for addition in additions]
        return await lend(lambda lent: self.add_many(new, connection=lent), connection)

    def add_if_none(self, new: NewStep, query: StepQuery, *, connection: Any = None) -> UUID | None:
        """Add the step unless one matches `query`; None if one did.

        Two callers at once cannot both add (R9).
        """
        check_new(new)
        addition = self._sealed(new)
        with self._transaction(connection) as tx:
            return addition.step.id if tx.add_if_none(addition, query) else None

    async def add_if_none_async(
        self, new: NewStep, query: StepQuery, *, connection: Any = None
    ) -> UUID | None:
        """`add_if_none` without blocking the caller's event loop; connection as for `add_async`."""
        if connection is None:
            return await asyncio.to_thread(self.add_if_none, new, query)
        return await lend(lambda lent: self.add_if_none(new, query, connection=lent), connection)

    def _sealed(self, new: NewStep) -> Addition:
        return seal(new, self.codec, self._clock.now(), classes=self._classes)

    @abstractmethod
    def _transaction(
        self, connection: Any = None, *, reads: bool = False
    ) -> AbstractContextManager[Transaction]:
        """A transaction on the store."""


def _several(new: Iterable[NewStep], then: NewStep | None) -> tuple[NewStep, ...]:
    """What is to be added, checked."""
    if then is not None:
        check_new(then)
    return one_or_many(new)
