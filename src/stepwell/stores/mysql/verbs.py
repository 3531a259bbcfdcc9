"""The verbs of `stores.protocol.Transaction` as statements on one connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from stepwell.errors import EngineBuried
from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepQuery
from stepwell.stores import moves
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.joins import Ending
from stepwell.stores.loading import additions as like
from stepwell.stores.marked import Marked
from stepwell.stores.matching import counted, failed_alone
from stepwell.stores.mysql import adding, joining, limiting, settling
from stepwell.stores.mysql.claiming import claim
from stepwell.stores.mysql.limiting import claim_limited
from stepwell.stores.mysql.rows import claim_values, failures_of, instant, known_utc, plain, step_of
from stepwell.stores.mysql.search import (
    count_sql,
    failures_sql,
    lock_key,
    match_sql,
    page_sql,
    parameters,
)
from stepwell.stores.mysql.statements import Statements
from stepwell.stores.mysql.sweeping import sweep
from stepwell.stores.protocol import (
    Burial,
    Claimed,
    ClaimRequest,
    Counts,
    EngineInfo,
    Failures,
    Pulse,
    Swept,
)

_NOBODY = ("",)


class MySQLTransaction(Marked):
    """The verbs on a connection whose transaction somebody else commits.

    Parameters
    ----------
    statements : what runs them.
    """

    def __init__(self, statements: Statements) -> None:
        self.statements = statements

    # -- engines ---------------------------------------------------------------

    def join(self, engine: EngineInfo) -> Pulse:
        """Insert the engine's row; the same id again changes nothing."""
        self.statements.change(
            "join",
            id=str(engine.id),
            name=engine.name,
            version=engine.version,
            handles=json.dumps(engine.handles, ensure_ascii=False),
            queues=json.dumps(engine.queues, ensure_ascii=False),
            beat=engine.beat,
        )
        return self._pulse()

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        """Raise the beat counter and set the started marks.

        Raises
        ------
        EngineBuried : the engine's row is gone.
        """
        if not self.statements.change("beat", engine=str(engine_id)):
            raise EngineBuried(engine_id)
        ids = self._held(engine_id, started)
        if ids:
            self.statements.change("mark_started", ids=ids)
        held = set(self.claimed(engine_id)) if started else ()
        return replace(self._pulse(), lost=tuple(one for one in started if one not in held))

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        """Delete the engine's row if it still shows `beat`, and give its claims back."""
        if not self.statements.change("bury", engine=str(engine_id), beat=beat):
            return None
        return self._bereave(engine_id)

    def _bereave(self, engine_id: UUID) -> Burial:
        rows = self._claimed_rows(engine_id)
        started = [step_id for step_id, mark, _ in rows if mark]
        blamed = started or [step_id for step_id, _, _ in rows]
        self._give_back([step_id for step_id, _, _ in rows], blamed)
        failed = [
            step_id for step_id, _, lost in rows if lost + (step_id in blamed) >= moves.LOST_LIMIT
        ]
        self._end(failed, EndedAs.FAILED, moves.LOST_TOO_OFTEN, raised=0)
        return Burial(len(rows) - len(failed), tuple(UUID(step_id) for step_id in failed))

    def leave(self, engine_id: UUID) -> None:
        """Delete the engine's own row and give back what it holds."""
        self.statements.change("leave", engine=str(engine_id))
        self._give_back([step_id for step_id, _, _ in self._claimed_rows(engine_id)])

    def _claimed_rows(self, engine_id: UUID) -> list[tuple[str, bool, int]]:
        """Id, started mark and lost count of what the engine holds, locked in the usual order."""
        engine = str(engine_id)
        ids = tuple(step_id for step_id, _ in self.statements.rows("claimed", engine=engine))
        rows = self.statements.rows("lock_rows", ids=ids) if ids else ()
        return [(step_id, mark, lost) for step_id, mark, lost, by, *_ in rows if by == engine]

    def _give_back(self, ids: Sequence[str], blamed: Sequence[str] = ()) -> None:
        if ids:
            self.statements.change("give_back", ids=tuple(ids), blamed=tuple(blamed) or _NOBODY)
            self.statements.news = True

    def _pulse(self) -> Pulse:
        rows = self.statements.rows("pulse")
        (now,) = (row[0] for row in rows if row[0] is not None)
        beats = {UUID(engine): beat for _, engine, beat, _ in rows if engine is not None}
        paused = tuple(sorted(queue for *_, queue in rows if queue is not None))
        return Pulse(known_utc(now), beats, paused)

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Mark due rows as the engine's own; park due rows of names it does not handle.

        Raises
        ------
        EngineBuried : the engine's row is gone.
        """
        take = claim_limited if request.limited else claim
        return take(self.statements, request)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """All claims in this engine's name."""
        rows = self.statements.rows("claimed", engine=str(engine_id))
        return [Claim(UUID(step_id), claim_no) for step_id, claim_no in rows]

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        """Give claims back unrun; counts those that were its own."""
        ids = self._held(engine_id, list(claims))
        self._give_back(ids)
        return len(ids)

    def _held(self, engine_id: UUID, claims: Sequence[Claim]) -> tuple[str, ...]:
        """The ids of those claims that still hold, locked."""
        rows = self.statements.rows("held", **claim_values(engine_id, claims)) if claims else ()
        return tuple(row[0] for row in rows)

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Apply the settlements whose claims still hold: all rows first, then all additions.

        Raises
        ------
        Conflict, SettlementRejected : the data of one is refused; nothing was applied.
        EngineBuried : a spawned step comes claimed, and its engine's row is gone (R11).
        """
        for engine in moves.claimants(settlements):  # a look that finds nothing due locks no row
            if not self.statements.rows("lock_engine", engine=str(engine)):
                raise EngineBuried(engine)
        with self.statements.whole(needed=any(settling.may_be_refused(one) for one in settlements)):
            return settling.settle(self.statements, engine_id, settlements)

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Insert rows; True for each that was inserted now.

        Raises
        ------
        UniqueKeyTaken : a ready step of that name and key exists; nothing was added.
        NotAMember : a join would wait for a step that was there before; nothing was added.
        """
        return joining.add(self.statements, additions)

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        """Insert a row like the template for each id and state; nothing is looked up."""
        with self.statements.whole(needed=False):
            return adding.load(self.statements, like(template, rows))

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        """Insert the row unless a step matches; a lock on the criteria keeps others out (R9)."""
        with self.statements.whole(needed=False):
            self.statements.rows("lock_criteria", key=lock_key(query))
            # What others have committed while this waited must be seen, also by a transaction
            # that was lent and reads as of its beginning.
            now = " LOCK IN SHARE MODE" if self.statements.lent else ""
            values = parameters(query)
            if any(self.statements.select(sql + now, values) for sql in match_sql(query)):
                return False
            return joining.add(self.statements, [addition])[0]

    def search(self, query: StepQuery) -> list[Step]:
        """One page of the steps that match, newest id first unless the query says otherwise."""
        return [step_of(row) for row in self.statements.select(page_sql(query), parameters(query))]

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        """How many steps match, per table, at one moment; see the protocol for `at_most`."""
        values = parameters(query) | {"at_most": None if at_most is None else at_most + 1}
        counts = count_sql(query, capped=at_most is not None)
        return counted(self.statements.select(counts, values)[0], at_most)

    def failures(self, query: StepQuery) -> list[Failures]:
        """The failed steps that match, grouped by name and fingerprint."""
        narrow = failed_alone(query)
        rows = self.statements.select(failures_sql(narrow), parameters(narrow))
        return [failures_of(row) for row in rows]

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        """Remove rows that have been kept for long enough."""
        return sweep(self.statements, expiries, limit)

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """Set activation arguments and make the row due; False if it is not ready."""
        return self._change("activate", step_id, args=args, at=plain(at))

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """End a ready row by hand, claimed or not; False if it is not ready."""
        with self.statements.whole(needed=False):
            return self._end([str(step_id)], ended_as, reason, result)

    def _end(
        self,
        ids: Sequence[str],
        ended_as: EndedAs,
        reason: str,
        result: str | None = None,
        raised: int = 1,
    ) -> bool:
        endings: list[Ending] = []
        ended = adding.end(self.statements, ids, ended_as, reason, result, raised, endings=endings)
        joining.close(self.statements, endings)
        return ended

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """Make a ready row due at `at`; a claim on it is taken away. False if it is not ready."""
        return self._change("reschedule", step_id, at=instant(at))

    def _change(self, query: str, step_id: UUID, **values: object) -> bool:
        """A row that is so already counts as unchanged, so the lock tells whether there is one."""
        with self.statements.whole(needed=False):
            if not self.statements.rows("lock_rows", ids=(str(step_id),)):
                return False
            self.statements.change(query, id=str(step_id), **values)
            self.statements.news = True
            return True

    # -- controls --------------------------------------------------------------

    def set_control(self, control: Control) -> None:
        """Insert the control, or replace the one of its kind and key."""
        limiting.set_control(self.statements, control)

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        """Delete the control; False if there is none."""
        return limiting.drop_control(self.statements, kind, key)

    def controls(self) -> list[Control]:
        """All controls, by kind and key."""
        return limiting.controls(self.statements)
