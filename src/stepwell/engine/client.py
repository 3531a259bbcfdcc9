"""The user's handle on steps: add, search, activate, end, re-execute. Needs no running engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stepwell.clock import SYSTEM, Clock, as_utc
from stepwell.codec import JSON, Codec, Codecs, limited
from stepwell.engine.adding import Adding
from stepwell.engine.braking import held_up
from stepwell.engine.composition import check_codecs, check_store_object
from stepwell.engine.controlling import Controlling
from stepwell.engine.explaining import Engines, explain, explain_join
from stepwell.engine.inside import forbid_outside
from stepwell.engine.reexecuting import Reexecuting, Reexecution, Watch
from stepwell.engine.sweeping import AT_ONCE, plus
from stepwell.engine.together import Together
from stepwell.errors import StepEnded, StepNotEnded, StepNotFound
from stepwell.given import identity, of_type
from stepwell.ids import new_id
from stepwell.query import row_count, several_ids
from stepwell.retention import Retention, RetentionPolicy
from stepwell.step import Addition, EndedAs, Step, StepQuery, StepStatus, step_query
from stepwell.stores.inspecting import Inspectable
from stepwell.stores.protocol import Counts, Failures, Store, Swept, Transaction


class StepClient(Adding, Controlling):
    """What a program does with steps, on any store.

    Parameters
    ----------
    store : where the steps are kept; opened on first use.
    codec : writes states, arguments and results as text.
    codecs : others, that read what was written with them.
    """

    def __init__(
        self,
        store: Store,
        *,
        codec: Codec = JSON,
        codecs: Iterable[Codec] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        check_store_object(store)
        others = tuple(codecs)
        check_codecs(codec, *others)
        self.store = store
        self.codec: Codec = Codecs(codec, others) if others else codec
        self._clock = clock
        self._classes: Mapping[str, Retention] = {}
        self._together = Together(self._add_now)

    def get(self, step_id: UUID) -> Step:
        """The step with this id; raises `StepNotFound`."""
        found = self.search(ids=(step_id,))
        if not found:
            raise StepNotFound(step_id)
        return found[0]

    def explain(self, step_id: UUID) -> str:
        """Why the step is where it is, in a sentence; raises `StepNotFound`."""
        return self.explained(self.get(step_id))

    def explained(self, step: Step) -> str:
        """As `explain`, of a step that was read already."""
        if step.waiting_for and step.ended_as is None:
            with self._transaction(reads=True) as tx:
                return explain_join(tx, step)
        now = self._clock.now()
        return self._held_up(step, now) or explain(step, now, self._alive())

    def _held_up(self, step: Step, now: datetime) -> str | None:
        if self.store.capabilities.scoped:
            return None  # it sees neither controls nor what other flows hold
        with self._transaction(reads=True) as tx:
            return held_up(tx, step, now)

    def _alive(self) -> Engines | None:
        store = self.store
        return (lambda: store.inspect().engines) if isinstance(store, Inspectable) else None

    def search(self, query: StepQuery | None = None, **fields: Any) -> list[Step]:
        """The steps that match: a `StepQuery`, or its fields as keywords. Newest first."""
        with self._transaction(reads=True) as tx:
            return tx.search(step_query(query, fields))

    def count(
        self, query: StepQuery | None = None, *, at_most: int | None = None, **fields: Any
    ) -> Counts:
        """How many steps match, per table.

        Parameters
        ----------
        at_most : count no table further than that, so that the answer is fast on millions
            of rows. The answer says which numbers are too low (`more`), and which are the
            store's estimate (`estimated`).
        """
        asked = step_query(query, fields)
        if at_most is not None:
            row_count("at_most", at_most)
        with self._transaction(reads=True) as tx:
            return tx.count(asked, at_most)

    def failures(self, query: StepQuery | None = None, **fields: Any) -> list[Failures]:
        """Failed steps that match, grouped by name and fingerprint; newest failure first.

        `limit` is the number of groups; `ended_from` and `ended_to` give a range of time.
        """
        with self._transaction(reads=True) as tx:
            return tx.failures(step_query(query, fields))

    def activate(self, step_id: UUID, args: Any = None, *, at: datetime | None = None) -> None:
        """Make a ready step due, now or at an instant, with arguments for its handler.

        Safe while it executes: an execution that has not seen the arguments and
        reruns is due again at once (R8). If it ends instead, the row says so:
        `get(step_id).ended_unseen`, and `explain`.

        Raises
        ------
        StepNotFound, StepEnded : there is nothing to activate.
        """
        identity("step_id", step_id)
        text = None if args is None else limited(self.codec.encode(args), "activation arguments")
        instant = None if at is None else as_utc(at)
        with self._transaction() as tx:
            self._expect(tx, step_id, tx.activate(step_id, text, instant))

    def reschedule(self, step_id: UUID, at: datetime) -> None:
        """Make a ready step due at another instant; a claim on it is taken away."""
        identity("step_id", step_id)
        instant = as_utc(at)
        with self._transaction() as tx:
            self._expect(tx, step_id, tx.reschedule(step_id, instant))

    def cancel(self, step_id: UUID, reason: str) -> None:
        """End a ready step as cancelled. If it is running, its outcome will be refused."""
        self._end(step_id, EndedAs.CANCELLED, reason)

    def fail(self, step_id: UUID, reason: str) -> None:
        """End a ready step as failed, by hand."""
        self._end(step_id, EndedAs.FAILED, reason)

    def complete(self, step_id: UUID, reason: str, result: Any = None) -> None:
        """End a ready step as done, by hand, with a result (R6)."""
        text = None if result is None else limited(self.codec.encode(result), "result")
        self._end(step_id, EndedAs.DONE, reason, text)

    def reexecute(self, step_ids: Sequence[UUID]) -> list[UUID]:
        """Add a copy of each ended step, due now; returns the copies' ids (R7).

        The copy of a failed step takes its place where another still waits for it (R28).

        Raises
        ------
        StepNotFound, StepNotEnded : one of them cannot be copied; then none is.
        UniqueKeyTaken : a ready step has the key of one of them.
        """
        step_ids = several_ids("step_ids", step_ids)
        with self._transaction() as tx:
            found = {step.id: step for step in self._all(tx, step_ids)}
            copies = [self._copy(_ended(found, step_id)) for step_id in step_ids]
            tx.add(copies)
        return [copy.step.id for copy in copies]

    def reexecute_matching(
        self,
        query: StepQuery | None = None,
        *,
        rate: float = 10.0,
        stop_after_failures: int | None = None,
        limit: int | None = None,
        call: UUID | None = None,
        watch: Watch | None = None,
        **fields: Any,
    ) -> Reexecution:
        """Re-execute the ended steps that match, oldest first; returns when all are copied.

        Failed ones, unless the query asks for done ones. A source whose unique key a ready
        step holds is left out.

        Parameters
        ----------
        rate : copies per second.
        stop_after_failures : copy no more when so many copies have failed, or wait for a
            retry after an exception.
        limit : copies at most.
        call : makes the call resumable: with the same id, which must be new when the call is
            made first (`stepwell.ids.new_id`), no source is copied twice.
        watch : called with the progress, up to four times a second; what it raises ends
            the call.

        Raises
        ------
        InvalidInput : the query asks for ready steps, or the rate is not above zero.
        """
        one = Reexecuting(
            self._transaction,
            self._copy,
            call or new_id(),
            self._clock,
            rate=rate,
            stop_after_failures=stop_after_failures,
            limit=limit,
            watch=watch,
        )
        return one.run(step_query(query, fields))

    def sweep(self, policy: RetentionPolicy, *, seconds: float | None = None) -> Swept:
        """Remove ended steps that were kept for as long as the policy says, piece by piece.

        On PostgreSQL it drops partitions, and makes those of the coming time.

        Parameters
        ----------
        seconds : begin no further piece after that; the answer's `more` says whether there
            is one.

        Raises
        ------
        StoreUnavailable : others hold the tables; what was done until then is done.
        """
        expiries, begun = policy.expiries(self._clock.now()), self._clock.monotonic()
        swept = Swept(more=True)
        while swept.more and (seconds is None or self._clock.monotonic() - begun <= seconds):
            with self._transaction() as tx:
                piece = tx.sweep(expiries, AT_ONCE)
            swept = plus(swept, piece)
        return swept

    def _all(self, tx: Transaction, step_ids: Sequence[UUID]) -> list[Step]:
        return tx.search(StepQuery(ids=tuple(step_ids), limit=max(len(step_ids), 1)))

    def _copy(self, source: Step, copy_id: UUID | None = None) -> Addition:
        now = self._clock.now()
        fresh = Step(
            id=copy_id or new_id(),
            name=source.name,
            flow_id=source.flow_id,
            created_at=now,
            schedule_time=now,
            copy_of=source.id,
        )
        return Addition(replace(fresh, **{name: getattr(source, name) for name in _COPIED}))

    def _end(
        self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None
    ) -> None:
        identity("step_id", step_id)
        of_type("The reason", reason, str, "Say why: whoever finds the step ended will ask.")
        with self._transaction() as tx:
            self._expect(tx, step_id, tx.end(step_id, ended_as, reason, result))

    def _expect(self, tx: Transaction, step_id: UUID, happened: bool) -> None:
        if happened:
            return
        if not self._all(tx, [step_id]):
            raise StepNotFound(step_id)
        raise StepEnded(step_id)

    @contextmanager
    def _transaction(self, connection: Any = None, *, reads: bool = False) -> Iterator[Transaction]:
        if connection is not None:
            yield self.store.on(connection)
            return
        if not reads:
            forbid_outside(self.store)
        self.store.open()
        with self.store.transaction() as tx:
            yield tx
        self._changed()

    def _add_now(self, additions: list[Addition]) -> None:
        forbid_outside(self.store)
        self.store.open()
        if not self._begin(additions):
            self.store.add(additions)
            self._changed()

    def _begin(self, additions: Sequence[Addition]) -> bool:
        """Add steps that run here at once; False if that is not for this handle to say."""
        return False

    def _changed(self) -> None:
        """Called after each transaction of this handle; an engine looks for work."""


_COPIED = (
    "queue",
    "priority",
    "unique_key",
    "correlation_id",
    "search_key",
    "retention",
    "state",
    "state_format",
    "activation_args",
    "limit_key",
    "limit_slots",
    "rate_key",
    "join_id",
)


def _ended(found: dict[UUID, Step], step_id: UUID) -> Step:
    if step_id not in found:
        raise StepNotFound(step_id)
    if found[step_id].status is StepStatus.READY:
        raise StepNotEnded(step_id)
    return found[step_id]
