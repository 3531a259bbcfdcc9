"""The verbs on one PostgreSQL transaction: each is a statement or a few."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from stepwell.errors import EngineBuried, NotSupported
from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepQuery
from stepwell.stores import moves
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.postgres import (
    adding,
    claiming,
    counting,
    flows,
    joining,
    limiting,
    loading,
    search,
    settling,
)
from stepwell.stores.postgres.arrays import claim_columns
from stepwell.stores.postgres.ending import end
from stepwell.stores.postgres.own import OwnStatements
from stepwell.stores.postgres.queries import Row
from stepwell.stores.postgres.rows import utc
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import (
    Answer,
    Burial,
    Claimed,
    ClaimRequest,
    Counts,
    EngineInfo,
    Failures,
    Pulse,
    Swept,
)


class PostgresTransaction:
    """The verbs of `stores.protocol.Transaction`.

    Parameters
    ----------
    statements : what runs them, in or before a transaction; the verbs never commit it.
    """

    def __init__(self, statements: Statements) -> None:
        self._do = statements
        self._alive: set[UUID] = set()

    @property
    def connection(self) -> Connection[Any]:
        """The connection that the verbs run on."""
        return self._do.connection

    @property
    def due(self) -> bool:
        """Whether something was done that waiting engines should look at after the commit."""
        return self._do.due

    # -- engines ---------------------------------------------------------------

    def join(self, engine: EngineInfo) -> Pulse:
        """Insert the engine's row; the same id again changes nothing."""
        return _pulse(self._do.rows("join", **_engine(engine)))

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        """Raise the beat counter and set the started marks.

        Raises
        ------
        EngineBuried : the engine's row is gone.
        """
        rows = self._do.rows("beat", engine_id=engine_id, **claim_columns(started))
        if not rows:
            raise EngineBuried(engine_id)
        held = {Claim(step_id, number) for _, step_id, number, _, is_claim in rows if is_claim}
        pulse = _pulse([row[:4] for row in rows if not row[4]])
        return replace(pulse, lost=tuple(one for one in started if one not in held))

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        """Delete the engine's row if it still shows `beat`, and give its claims back."""
        if not self._do.rows("bury", engine_id=engine_id, beat=beat):
            return None
        rows = self._do.rows("give_back", engine_id=engine_id, died=True)
        failed = tuple(step_id for step_id, lost in rows if lost >= moves.LOST_LIMIT)
        if failed:
            over = end(self._do, failed, EndedAs.FAILED, moves.LOST_TOO_OFTEN, raised=0)
            joining.close(self._do, over.endings)
        self._do.work_is_due(bool(rows))
        return Burial(len(rows) - len(failed), failed)

    def leave(self, engine_id: UUID) -> None:
        """Delete the engine's own row and give back what it holds."""
        self._do.rows("leave", engine_id=engine_id)
        rows = self._do.rows("give_back", engine_id=engine_id, died=False)
        self._do.work_is_due(bool(rows))

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Mark due rows as the engine's own; park due rows of names it does not handle.

        Raises
        ------
        EngineBuried : the engine's row is gone.
        """
        take = limiting.claim_limited if request.limited else claiming.claim
        claimed = take(self._do, request)
        self._alive.add(request.engine_id)  # and it stays so until the commit: its row is locked
        return claimed

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """All claims in this engine's name."""
        return [Claim(*row) for row in self._do.rows("claimed", engine_id=engine_id)]

    def hold(
        self,
        engine_id: UUID,
        request_id: UUID,
        claims: Sequence[Claim],
        *,
        freed: bool = False,
    ) -> int:
        """Mark rows as claimed that were only locked; counts those that nobody had taken."""
        self._do.work_is_due(freed)
        if not claims:
            return 0
        values = {"engine_id": engine_id, "request_id": request_id}
        return len(self._do.rows("hold_claims", **values, **claim_columns(claims)))

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        """Give claims back unrun; counts those that were its own."""
        rows = self._do.rows("release", engine_id=engine_id, **claim_columns(claims))
        self._do.work_is_due(bool(rows))
        return len(rows)

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Apply the settlements whose claims still hold: all rows first, then all additions.

        Raises
        ------
        Conflict, SettlementRejected : the data of one is refused; nothing was applied.
        EngineBuried : a spawned step comes claimed, and its engine's row is gone (R11).
        """
        return self.settle_for([engine_id] * len(settlements), settlements)

    def settle_for(
        self, engines: Sequence[UUID], settlements: Sequence[Settlement]
    ) -> list[Verdict]:
        """As `settle`, of several engines: whose claim each settles stands beside it."""
        if not settlements:
            return []
        self._keep_alive(moves.claimants(settlements))
        with self._do.whole(_may_be_refused(settlements)):
            now, before, endings = settling.settle(self._do, engines, settlements)
            added = [one for place in now for one in settlements[place].additions]
            moves.check_taken_over(added, adding.add(self._do, added, endings))
        applied = now | before
        yes, no = Verdict.APPLIED, Verdict.REFUSED  # before Python 3.12 a look-up is a call
        return [yes if place in applied else no for place in range(len(settlements))]

    def settle_last(self, engine_id: UUID, settlements: Sequence[Settlement]) -> Answer:
        """As `settle`, with the commit where nothing has to be asked in between."""
        additions = [added for one in settlements for added in one.additions]
        if not isinstance(self._do, OwnStatements) or not settling.can_be_last(
            settlements, additions
        ):
            verdicts = self.settle(engine_id, settlements)
            return lambda: [one is Verdict.APPLIED for one in verdicts]
        claimed = any(one.step.claimed_by is not None for one in additions)
        asked = settling.Asked(
            [engine_id] * len(settlements),
            settlements,
            packed=True,
            alive=engine_id if claimed else None,
        )
        applied: set[int] = set()
        self._do.work_is_due(adding.is_due_soon(additions))
        self._do.with_commit(
            settling.last(asked, additions), lambda rows: applied.update(self._applied(rows, asked))
        )
        return lambda: [place in applied for place in range(len(settlements))]

    def _applied(self, rows: list[Row], asked: settling.Asked) -> set[int]:
        ((due, places, *_),) = rows
        self._do.work_is_due(bool(due))
        return asked.applied(due, places)

    def _keep_alive(self, engines: set[UUID]) -> None:
        """Nobody buries these before the commit: what would be claimed by a dead engine by then
        would be claimed for ever. Where the transaction has claimed, they are known to be safe."""
        for engine_id in engines - self._alive:
            if not self._do.rows("lock_engine", engine_id=engine_id):
                raise EngineBuried(engine_id)
            self._alive.add(engine_id)

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Insert rows; True for each that was inserted now.

        Raises
        ------
        UniqueKeyTaken : a ready step of that name and key exists; nothing was added.
        """
        return adding.add(self._do, additions)

    def add_if_alive(self, additions: Sequence[Addition]) -> list[bool]:
        """The same, unless they come claimed by an engine that was declared dead (R11)."""
        try:
            self._keep_alive({one for each in additions if (one := each.step.claimed_by)})
        except EngineBuried:
            return [False] * len(additions)
        return self.add(additions)

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        """Insert a row like the template for each id and state, by COPY."""
        return loading.load(self._do, template, rows)

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        """Insert the row unless a step matches; a lock on the criteria keeps others out (R9)."""
        with self._do.whole(needed=False):
            ((_, isolation),) = self._do.rows("lock", criteria=search.criteria(query))
            if isolation == "repeatable read":  # a serializable one fails at its commit instead
                raise _sees_the_past()
            if self._do.composed(*search.any_match(query)):
                return False
            return adding.add(self._do, [addition])[0]

    def search(self, query: StepQuery) -> list[Step]:
        """One page of the steps that match, newest id first unless the query says otherwise."""
        found = flows.ready(self._do, query)
        return self._do.steps(*search.page(query)) if found is None else found

    def among(self, ids: Sequence[UUID], most: int) -> list[tuple[Step, int]]:
        """Ready rows by id; each with how many rows of its flow are ready, up to `most`."""
        return flows.among(self._do, ids, most)

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        """How many steps match, per table; with `at_most` an estimate where it is higher."""
        found = flows.count_ready(self._do, query, at_most)
        return counting.count(self._do, query, at_most) if found is None else found

    def failures(self, query: StepQuery) -> list[Failures]:
        """The failed steps that match, grouped by name and fingerprint."""
        return counting.failures(self._do, query)

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """Set activation arguments and make the row due; False if it is not ready."""
        return self._changed(self._do.rows("activate", step_id=step_id, args=args, at=at))

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """End a ready row by hand, claimed or not; False if it is not ready."""
        ended = end(self._do, [step_id], ended_as, reason, result)
        joining.close(self._do, ended.endings)
        self._do.work_is_due(ended.count > 0)  # it may have held a slot of a limit
        return ended.count > 0

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """Make a ready row due at `at`; a claim on it is taken away. False if it is not ready."""
        return self._changed(self._do.rows("reschedule", step_id=step_id, at=at))

    # -- controls --------------------------------------------------------------

    def set_control(self, control: Control) -> None:
        """Insert the control, or replace the one of its kind and key."""
        limiting.set_control(self._do, control)

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        """Delete the control; False if there is none."""
        rows = self._do.rows("drop_control", kind=kind.value, control_key=key)
        self._do.work_is_due(bool(rows))
        return bool(rows)

    def controls(self) -> list[Control]:
        """All controls, by kind and key."""
        return limiting.controls(self._do)

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        """Make a partition, drop one, or remove rows from those that have no span.

        Raises
        ------
        StoreUnavailable : somebody reads or writes the table for longer than a moment.
        SetupError : the database user does not own the tables.
        """
        places = {_place(one): one.before.isoformat() for one in expiries}
        values = {"expiries": json.dumps(places), "limit": limit}
        ((made, dropped, removed),) = self._do.rows("sweep", **values)
        return Swept(
            removed,
            (dropped,) if dropped else (),
            (made,) if made else (),
            more=bool(made or dropped or removed == limit),
        )

    def _changed(self, rows: list[Row]) -> bool:
        self._do.work_is_due(any(due for (due,) in rows))
        return bool(rows)


def _sees_the_past() -> NotSupported:
    return NotSupported(
        "Steps cannot be looked for in a REPEATABLE READ transaction before one is added.",
        why="It sees them as they were when it began, so two callers could both add theirs.",
        fix="Use READ COMMITTED, or SERIALIZABLE, or give the step a unique key.",
    )


def _place(expiry: Expiry) -> str:
    return f"stepwell_{expiry.status}_{expiry.retention.name.lower()}"


def _engine(engine: EngineInfo) -> dict[str, Any]:
    return {
        "id": engine.id,
        "engine_name": engine.name,
        "version": engine.version,
        "handles": json.dumps(engine.handles),
        "queues": json.dumps(engine.queues),
        "beat": engine.beat,
    }


def _pulse(rows: list[Row]) -> Pulse:
    beats = {engine_id: beat for _, engine_id, beat, _ in rows if engine_id is not None}
    paused = tuple(sorted(queue for *_, queue in rows if queue is not None))
    return Pulse(utc(rows[0][0]), beats, paused)


def _may_be_refused(settlements: Sequence[Settlement]) -> bool:
    """Whether a rule may refuse one, and the transaction must survive that.

    Never a savepoint without need: rows that a burst has locked before it and deletes after it
    are dead under two numbers at once, and nobody says so in the indexes before a vacuum.
    """
    return adding.can_be_refused([added for one in settlements for added in one.additions])
