"""The verbs on dictionaries: what every store's statements must come to.

Every change is journalled, so that a transaction, or a verb within it, can be
taken back whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from stepwell.errors import EngineBuried, UniqueKeyTaken
from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, OnConflict, Step, StepQuery, StepStatus
from stepwell.stores import moves
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.fairness import fair_fill
from stepwell.stores.joins import asks_for_place, check_members, concerned
from stepwell.stores.loading import additions
from stepwell.stores.marked import Marked
from stepwell.stores.matching import counted, failed_alone, groups_of, matches, page
from stepwell.stores.memory_joins import MemoryJoins
from stepwell.stores.memory_limits import Limits, in_place, in_reach, limited
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

_ABSENT: Final = object()


@dataclass(slots=True)
class Tables:
    """All rows, and the journal of what the running transaction changed."""

    steps: dict[StepStatus, dict[UUID, Step]] = field(
        default_factory=lambda: {status: {} for status in StepStatus}
    )
    keys: dict[tuple[str, str], UUID] = field(default_factory=dict)
    engines: dict[UUID, EngineInfo] = field(default_factory=dict)
    controls: dict[tuple[ControlKind, str], Control] = field(default_factory=dict)
    journal: list[tuple[dict[Any, Any], Any, Any]] = field(default_factory=list)

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Set an entry of one of the tables; the journal knows what was there."""
        self.journal.append((table, key, table.get(key, _ABSENT)))
        table[key] = value

    def remove(self, table: dict[Any, Any], key: Any) -> None:
        """Remove an entry; the journal knows it."""
        self.journal.append((table, key, table.pop(key)))

    def undo(self, mark: int = 0) -> None:
        """Take back every change since the journal had `mark` entries."""
        while len(self.journal) > mark:
            table, key, old = self.journal.pop()
            if old is _ABSENT:
                table.pop(key, None)
            else:
                table[key] = old

    def find(self, step_id: UUID) -> Step | None:
        """The step, in whichever table it is."""
        tables = self.steps.values()
        return next((table[step_id] for table in tables if step_id in table), None)

    def insert(self, step: Step) -> None:
        """Add a new row, and its unique key."""
        self.put(self.steps[step.status], step.id, step)
        if step.status is StepStatus.READY and step.unique_key is not None:
            self.put(self.keys, (step.name, step.unique_key), step.id)

    def move(self, before: Step, after: Step) -> None:
        """Replace a ready row; it goes to the table of its status and frees its key if it ended."""
        if after.status is not StepStatus.READY:
            self.remove(self.steps[StepStatus.READY], before.id)
            if before.unique_key is not None:
                self.remove(self.keys, (before.name, before.unique_key))
        self.put(self.steps[after.status], after.id, after)


class MemoryTransaction(Marked):
    """The verbs of `stores.protocol.Transaction` on the tables; the lock is held."""

    def __init__(self, tables: Tables, now: datetime) -> None:
        self._tables, self._now = tables, now
        self._ready = tables.steps[StepStatus.READY]
        self._joins = MemoryJoins(tables.steps, tables.put, tables.move, now)

    # -- engines ---------------------------------------------------------------

    def join(self, engine: EngineInfo) -> Pulse:
        """Insert the engine's row; the same id again changes nothing."""
        if engine.id not in self._tables.engines:
            self._tables.put(self._tables.engines, engine.id, engine)
        return self._pulse()

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        """Raise the beat counter and set the started marks."""
        engine = self._alive(engine_id)
        self._tables.put(self._tables.engines, engine_id, replace(engine, beat=engine.beat + 1))
        held = {step.claim: step for step in self._held(engine_id, started)}
        for step in held.values():
            self._tables.move(step, replace(step, started=True))
        return replace(self._pulse(), lost=tuple(one for one in started if one not in held))

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        """Delete the engine's row if it still shows `beat`, and give its claims back."""
        engine = self._tables.engines.get(engine_id)
        if engine is None or engine.beat != beat:
            return None
        self._tables.remove(self._tables.engines, engine_id)
        steps = self._claims_of(engine_id)
        any_started = any(step.started for step in steps)
        after = [self._bereave(step, int(step.started or not any_started)) for step in steps]
        failed = tuple(step.id for step in after if step.status is StepStatus.FAILED)
        self._joins.close()
        return Burial(len(after) - len(failed), failed)

    def _bereave(self, step: Step, lost: int) -> Step:
        after = moves.released(step, lost)
        if after.lost_count >= moves.LOST_LIMIT:
            over = moves.ended(step, EndedAs.FAILED, moves.LOST_TOO_OFTEN, self._now)
            after = replace(over, lost_count=after.lost_count)
        self._move(step, after)
        return after

    def leave(self, engine_id: UUID) -> None:
        """Delete the engine's own row and give back what it holds."""
        if engine_id in self._tables.engines:
            self._tables.remove(self._tables.engines, engine_id)
        for step in self._claims_of(engine_id):
            self._tables.move(step, moves.released(step))

    def _alive(self, engine_id: UUID) -> EngineInfo:
        if engine_id not in self._tables.engines:
            raise EngineBuried(engine_id)
        return self._tables.engines[engine_id]

    def _pulse(self) -> Pulse:
        engines = self._tables.engines.values()
        paused = sorted(key for kind, key in self._tables.controls if kind is ControlKind.PAUSE)
        return Pulse(self._now, {engine.id: engine.beat for engine in engines}, tuple(paused))

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Mark due rows as the engine's own; park due rows of names it does not handle."""
        self._alive(request.engine_id)
        if request.limited:
            return self._claim_limited(request)
        free = [step for step in self._ready.values() if in_reach(step, request)]
        due = [step for step in free if step.schedule_time <= self._now]
        if not request.alone:
            self._park([step for step in due if step.name not in request.names])
        mine = [s for s in due if s.name in request.names and _suspect(s) == request.alone]
        taken = fair_fill(mine, 1 if request.alone else request.limit, request.skew)
        marked = tuple(self._mark(step, request) for step in taken)
        return self._answer(request, marked)

    def _park(self, foreign: list[Step]) -> None:
        for step in foreign:
            if not _suspect(step):
                self._tables.move(step, replace(step, parked=True))

    def _mark(self, step: Step, request: ClaimRequest) -> Step:
        after = moves.claimed(step, request.engine_id, request.request_id, self._now)
        self._tables.move(step, after)
        return after

    def _answer(self, request: ClaimRequest, taken: tuple[Step, ...]) -> Claimed:
        free = [step for step in self._ready.values() if in_reach(step, request)]
        open_to_it = [s for s in free if s.name in request.names or not (s.parked or _suspect(s))]
        alone = {s.id for s in open_to_it if _suspect(s) and s.schedule_time <= self._now}
        others = (step.schedule_time for step in open_to_it if step.id not in alone)
        limits = self._limits(request)
        next_due = min([*others, *limits.later], default=None)
        return Claimed(taken, next_due, bool(alone), bool(limits.due))

    def _claim_limited(self, request: ClaimRequest) -> Claimed:
        allotted = self._limits(request).allot(request)
        for key, instant in allotted.moved.items():
            control = self._tables.controls[ControlKind.RATE, key]
            moved = replace(control, next_free_at=instant)
            self._tables.put(self._tables.controls, (ControlKind.RATE, key), moved)
        taken = tuple(self._mark(self._ready[one.id], request) for one in allotted.taken)
        return Claimed(taken, allotted.next_due, allotted.suspect_due, allotted.more)

    def _limits(self, request: ClaimRequest) -> Limits:
        reach = [s for s in self._ready.values() if in_place(s, request)]
        mine = [s for s in reach if limited(s) and s.name in request.names]
        return Limits(mine, self._ready.values(), self._tables.controls, self._now)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """All claims in this engine's name."""
        return [step.claim for step in self._claims_of(engine_id)]

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        """Give claims back unrun; counts those that were its own."""
        held = self._held(engine_id, claims)
        for step in held:
            self._tables.move(step, moves.released(step))
        return len(held)

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Apply the settlements whose claims still hold: all rows first, then all additions."""
        with self._whole():
            verdicts = [self._settle(engine_id, settlement) for settlement in settlements]
            for settlement, (_, matched) in zip(settlements, verdicts, strict=True):
                added = settlement.additions if matched else ()
                moves.check_taken_over(added, self._add_all(added))
            self._joins.close()
        return [verdict for verdict, _ in verdicts]

    def _settle(self, engine_id: UUID, settlement: Settlement) -> tuple[Verdict, bool]:
        held = self._held(engine_id, [settlement.claim])
        for step in held:
            self._move(step, moves.settled(step, settlement, self._now))
        before = held or self._settled_before(engine_id, settlement.claim)
        return Verdict.APPLIED if before else Verdict.REFUSED, bool(held)

    def _settled_before(self, engine_id: UUID, claim: Claim) -> bool:
        step = self._tables.find(claim.step_id)
        return step is not None and moves.settled_before(step, claim, engine_id)

    def _held(self, engine_id: UUID, claims: Iterable[Claim]) -> list[Step]:
        found = [(self._ready.get(claim.step_id), claim) for claim in dict.fromkeys(claims)]
        return [
            step
            for step, claim in found
            if step and step.claim == claim and step.claimed_by == engine_id
        ]

    def _claims_of(self, engine_id: UUID) -> list[Step]:
        return [step for step in self._ready.values() if step.claimed_by == engine_id]

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Insert rows; True for each that was inserted now."""
        with self._whole():
            inserted = self._add_all(additions)
            self._joins.close()
        return inserted

    def _add_all(self, additions: Sequence[Addition]) -> list[bool]:
        inserted = [self._add(addition) for addition in additions]
        if concerned(additions):
            check_members(additions, inserted)
        return inserted

    def _add(self, addition: Addition) -> bool:
        step = addition.step
        if self._tables.find(step.id) or not self._make_room(addition):
            return False
        self._tables.insert(step)
        if asks_for_place(step):
            self._joins.take_place(step)
        return True

    def _make_room(self, addition: Addition) -> bool:
        step = addition.step
        taken = self._tables.keys.get((step.name, step.unique_key or ""))
        if step.unique_key is None or taken is None:
            return True
        if addition.on_conflict is OnConflict.ERROR:
            raise UniqueKeyTaken(step.name, step.unique_key)
        if addition.on_conflict is OnConflict.REPLACE:
            self._end(taken, EndedAs.CANCELLED, moves.REPLACED)
        return addition.on_conflict is OnConflict.REPLACE

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        """Insert a row like the template for each id and state."""
        return sum(self.add(list(additions(template, rows))))

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        """Insert the row unless a step matches; the lock keeps others out (R9)."""
        return not any(True for _ in self._matching(query)) and self.add([addition])[0]

    def search(self, query: StepQuery) -> list[Step]:
        """One page of the steps that match."""
        return page(query, self._matching(query))

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        """How many steps match, per table."""
        found = [step.status for step in self._matching(query)]
        return counted([found.count(status) for status in StepStatus], at_most)

    def failures(self, query: StepQuery) -> list[Failures]:
        """The failed steps that match, grouped by name and fingerprint."""
        return groups_of(query, self._matching(failed_alone(query)))

    def _matching(self, query: StepQuery) -> Iterator[Step]:
        for table in self._tables.steps.values():
            yield from (step for step in table.values() if matches(query, step))

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """Set activation arguments and make the row due."""
        step = self._ready.get(step_id)
        return self._change(step, step and moves.activated(step, args, at or self._now))

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """End a ready row by hand, claimed or not."""
        ended = self._end(step_id, ended_as, reason, result)
        self._joins.close()
        return ended

    def _end(
        self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None
    ) -> bool:
        step = self._ready.get(step_id)
        return self._change(step, step and moves.ended(step, ended_as, reason, self._now, result))

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """Make a ready row due at `at`; a claim on it is taken away."""
        step = self._ready.get(step_id)
        return self._change(step, step and moves.rescheduled(step, at))

    # -- controls --------------------------------------------------------------

    def set_control(self, control: Control) -> None:
        """Insert the control, or replace the one of its kind and key."""
        key = (control.kind, control.key)
        before = self._tables.controls.get(key)
        closed = before.next_free_at if before else None
        if closed is not None:
            closed = min(closed, self._now + timedelta(seconds=control.spacing))
        after = replace(control, next_free_at=closed, changed_at=self._now)
        self._tables.put(self._tables.controls, key, after)

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        """Delete the control; False if there is none."""
        found = (kind, key) in self._tables.controls
        if found:
            self._tables.remove(self._tables.controls, (kind, key))
        return found

    def controls(self) -> list[Control]:
        """All controls, by kind and key."""
        return [self._tables.controls[key] for key in sorted(self._tables.controls)]

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        """Remove rows that have been kept for long enough."""
        gone = [
            step
            for expiry in expiries
            for step in self._tables.steps[expiry.status].values()
            if moves.expired(step, expiry) and step.join_id not in self._ready
        ][:limit]
        for step in gone:
            self._tables.remove(self._tables.steps[step.status], step.id)
        return Swept(removed=len(gone), more=len(gone) == limit)

    def _change(self, before: Step | None, after: Step | None) -> bool:
        if before is None or after is None:
            return False
        self._move(before, after)
        return True

    def _move(self, before: Step, after: Step) -> None:
        """Move the row, and remember the end of a member for the end of the verb."""
        self._tables.move(before, after)
        self._joins.note(after)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        mark = len(self._tables.journal)
        try:
            yield
        except BaseException:
            self._tables.undo(mark)
            self._joins.forget()
            raise


def _suspect(step: Step) -> bool:
    return step.lost_count >= moves.SUSPECT_FROM
