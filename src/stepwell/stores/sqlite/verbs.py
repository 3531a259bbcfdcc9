"""The verbs of `stores.protocol.Transaction` as statements on one connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from stepwell.clock import Clock
from stepwell.errors import EngineBuried, UniqueKeyTaken
from stepwell.outcome import Settlement, Verdict
from stepwell.step import Addition, Claim, EndedAs, OnConflict, Step, StepQuery, StepStatus
from stepwell.stores import moves
from stepwell.stores.fairness import fair_fill
from stepwell.stores.protocol import Burial, Claimed, ClaimRequest, Counts, EngineInfo, Pulse
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.rows import claims_json, ids_json, instant, plain, row_of
from stepwell.stores.sqlite.search import count_sql, page_sql, parameters
from stepwell.stores.sqlite.sql import QUERIES
from stepwell.stores.sqlite.statements import Statements

WINDOW: Final = 64
"""At least so many rows of each band are looked at, so that foreign names are parked in bulk."""

_SETTLED: Final = (
    "ended_as",
    "description",
    "activation_seen",
    "failure_count",
    "execution_started_at",
    "execution_duration",
    "executed_by",
    "schedule_time",
    "keep_state",
    "state",
    "state_format",
    "keep_activation",
    "result",
    "result_format",
)


class Due(NamedTuple):
    """What the claim needs to know of a row to rank it; ids and instants sort as text."""

    rowid: int
    id: str
    name: str
    priority: int
    schedule_time: str


class SQLiteTransaction:
    """The verbs on a connection whose transaction somebody else commits.

    Parameters
    ----------
    statements : what runs them, and opens the transaction where that is ours to do.
    clock : the store's time.
    """

    def __init__(self, statements: Statements, clock: Clock) -> None:
        self._sql, self._clock = statements, clock

    def _now(self) -> str:
        return instant(self._clock.now())

    # -- engines ---------------------------------------------------------------

    def join(self, engine: EngineInfo) -> Pulse:
        """Insert the engine's row; the same id again changes nothing."""
        row = asdict(engine) | {
            "id": str(engine.id),
            "handles": json.dumps(engine.handles),
            "queues": json.dumps(engine.queues),
        }
        with self._sql.writing():
            self._sql.run("join", row)
            return self._pulse()

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        """Raise the beat counter and set the started marks."""
        with self._sql.writing():
            raised = self._sql.execute(
                "UPDATE stepwell_engines SET beat = beat + 1 WHERE id = ?", [str(engine_id)]
            )
            if not raised.rowcount:
                raise EngineBuried(engine_id)
            self._sql.run_many("beat", _owned(engine_id, started))
            return self._pulse()

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        """Delete the engine's row if it still shows `beat`, and give its claims back."""
        engine = [str(engine_id), beat]
        with self._sql.writing(news=True):
            gone = self._sql.execute(
                "DELETE FROM stepwell_engines WHERE id = ? AND beat = ?", engine
            )
            if not gone.rowcount:
                return None
            return self._bereave(engine_id)

    def _bereave(self, engine_id: UUID) -> Burial:
        values = {
            "engine": str(engine_id),
            "limit": moves.LOST_LIMIT,
            "reason": moves.LOST_TOO_OFTEN,
            "now": self._now(),
        }
        rows = self._sql.run("bury", values).fetchall()
        failed = [step_id for step_id, ended_as in rows if ended_as]
        self._move(failed, StepStatus.FAILED)
        return Burial(len(rows) - len(failed), tuple(UUID(step_id) for step_id in failed))

    def leave(self, engine_id: UUID) -> None:
        """Delete the engine's own row and give back what it holds."""
        with self._sql.writing(news=True):
            self._sql.execute("DELETE FROM stepwell_engines WHERE id = ?", [str(engine_id)])
            self._sql.run("leave", {"engine": str(engine_id)})

    def _pulse(self) -> Pulse:
        beats = self._sql.execute("SELECT id, beat FROM stepwell_engines")
        return Pulse(self._clock.now(), {UUID(engine): beat for engine, beat in beats})

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Mark due rows as the engine's own; park due rows of names it does not handle."""
        with translated():
            seen = self._outlook(request, self._values(request))
            if _worth_a_lock(request, seen, self._clock.now()):
                return self._claim(request)
            self._check_alive(request.engine_id)
            return seen

    def _claim(self, request: ClaimRequest) -> Claimed:
        with self._sql.writing():
            self._check_alive(request.engine_id)
            values = self._values(request)
            steps = self._take(request, values)
            return replace(self._outlook(request, values), steps=tuple(steps))

    def _values(self, request: ClaimRequest) -> dict[str, Any]:
        return _reach(request) | {"now": self._now()}

    def _check_alive(self, engine_id: UUID) -> None:
        found = self._sql.execute("SELECT 1 FROM stepwell_engines WHERE id = ?", [str(engine_id)])
        if found.fetchone() is None:
            raise EngineBuried(engine_id)

    def _take(self, request: ClaimRequest, values: dict[str, Any]) -> list[Step]:
        due = [Due(*row) for row in self._sql.run(_window(request), values)]
        mine = [one for one in due if one.name in request.names]
        if len(mine) < len(due):
            foreign = [one.rowid for one in due if one.name not in request.names]
            self._sql.run("park", {"rowids": json.dumps(foreign)})
        limit = 1 if request.alone else request.limit
        return self._mark(request, fair_fill(mine, limit, request.skew))

    def _mark(self, request: ClaimRequest, chosen: list[Due]) -> list[Step]:
        if not chosen:
            return []
        values = {
            "engine": str(request.engine_id),
            "request": str(request.request_id),
            "now": self._now(),
            "rowids": json.dumps([one.rowid for one in chosen]),
        }
        marked = {step.id: step for step in self._sql.steps(QUERIES["claim"], values)}
        return [marked[UUID(one.id)] for one in chosen]

    def _outlook(self, request: ClaimRequest, values: dict[str, Any]) -> Claimed:
        ordinary = "claim_outlook" if request.flow_id is None else "claim_outlook_flow"
        (earliest,) = self._sql.run(ordinary, values).fetchone()
        suspect_due, next_suspect = self._sql.run("claim_outlook_suspect", values).fetchone()
        known = [instant for instant in (earliest, next_suspect) if instant is not None]
        next_due = datetime.fromisoformat(min(known)) if known else None
        return Claimed((), next_due, bool(suspect_due))

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """All claims in this engine's name."""
        sql = "SELECT id, claim_no FROM stepwell_ready WHERE claimed_by = ?"
        with translated():
            return [Claim(UUID(one), no) for one, no in self._sql.execute(sql, [str(engine_id)])]

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        """Give claims back unrun; counts those that were its own."""
        with self._sql.writing(news=True):
            return self._sql.run_many("release", _owned(engine_id, claims))

    # -- settling --------------------------------------------------------------

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Apply the settlements whose claims still hold: all rows first, then all additions."""
        with self._sql.writing(news=True):
            held = self._claims("held", engine_id, [one.claim for one in settlements])
            matched = _first_of_each(one for one in settlements if one.claim in held)
            self._apply(engine_id, list(matched.values()))
            others = [one.claim for one in settlements if matched.get(one.claim) is not one]
            before = self._claims("settled_before", engine_id, others) if others else set()
        applied = matched.keys() | before
        return [Verdict.APPLIED if one.claim in applied else Verdict.REFUSED for one in settlements]

    def _apply(self, engine_id: UUID, settlements: list[Settlement]) -> None:
        now = self._now()
        self._sql.run_many("settle", [_settled(engine_id, one, now) for one in settlements])
        for status in (StepStatus.DONE, StepStatus.FAILED):
            ended = [
                str(one.claim.step_id)
                for one in settlements
                if one.ended_as is not None and one.ended_as.status is status
            ]
            self._move(ended, status)
        self._add([addition for one in settlements for addition in one.additions])

    def _claims(self, query: str, engine_id: UUID, claims: list[Claim]) -> set[Claim]:
        values = {"claims": claims_json(claims), "engine": str(engine_id)}
        return {Claim(UUID(step_id), no) for step_id, no in self._sql.run(query, values)}

    def _move(self, ended: list[str], status: StepStatus) -> None:
        if ended:
            self._sql.run(f"move_{status}", {"ids": ids_json(ended)})
            self._sql.run("move_away", {"ids": ids_json(ended)})

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Insert rows; True for each that was inserted now."""
        with self._sql.writing(news=True):
            return self._add(additions)

    def _add(self, additions: Sequence[Addition]) -> list[bool]:
        if not additions:
            return []
        ids = ids_json(one.step.id for one in additions)
        known = {UUID(one) for (one,) in self._sql.run("known", {"ids": ids})}
        if any(one.step.unique_key is not None for one in additions):
            return [self._add_one(one, known) for one in additions]
        fresh = _new_ones(additions, known)
        self._sql.run_many("add", [row_of(one.step) for one in fresh.values()])
        return [fresh.get(one.step.id) is one for one in additions]

    def _add_one(self, addition: Addition, known: set[UUID]) -> bool:
        """In order, for what is added first may hold the key that the next one asks for."""
        step = addition.step
        if step.id in known:
            return False
        if not self._insert(step):
            if addition.on_conflict is OnConflict.ERROR:
                raise UniqueKeyTaken(step.name, step.unique_key or "")
            if addition.on_conflict is OnConflict.IGNORE:
                return False
            self._cancel(step.name, step.unique_key or "")
            self._insert(step)
        known.add(step.id)
        return True

    def _insert(self, step: Step) -> bool:
        return bool(self._sql.run("add", row_of(step)).rowcount)

    def _cancel(self, name: str, unique_key: str) -> None:
        sql = "SELECT id FROM stepwell_ready WHERE name = ? AND unique_key = ?"
        (taken,) = self._sql.execute(sql, [name, unique_key]).fetchone()
        self._end(UUID(taken), EndedAs.CANCELLED, moves.REPLACED, None)

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        """Insert the row unless a step matches; the write lock keeps others out (R9)."""
        with self._sql.writing(news=True):
            counts = self._sql.execute(count_sql(query), parameters(query)).fetchone()
            return not any(counts) and self._add([addition])[0]

    def search(self, query: StepQuery) -> list[Step]:
        """One page of the steps that match."""
        with translated():
            return list(self._sql.steps(page_sql(query), parameters(query)))

    def count(self, query: StepQuery) -> Counts:
        """How many steps match, per table, at one moment."""
        with translated():
            return Counts(*self._sql.execute(count_sql(query), parameters(query)).fetchone())

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """Set activation arguments and make the row due."""
        due = self._now() if at is None else instant(at)
        return self._change("activate", {"id": str(step_id), "args": args, "at": due})

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """End a ready row by hand, claimed or not."""
        with self._sql.writing():
            return self._end(step_id, ended_as, reason, result)

    def _end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None) -> bool:
        values = {
            "id": str(step_id),
            "ended_as": ended_as,
            "reason": reason,
            "result": result,
            "now": self._now(),
        }
        ended = bool(self._sql.run("end", values).rowcount)
        self._move([str(step_id)] if ended else [], ended_as.status)
        return ended

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """Make a ready row due at `at`; a claim on it is taken away."""
        return self._change("reschedule", {"id": str(step_id), "at": instant(at)})

    def _change(self, query: str, values: dict[str, Any]) -> bool:
        with self._sql.writing(news=True):
            return bool(self._sql.run(query, values).rowcount)


def _worth_a_lock(request: ClaimRequest, seen: Claimed, now: datetime) -> bool:
    """An idle engine only reads, and so stands in no writer's way."""
    if request.alone:
        return seen.suspect_due
    return seen.next_due is not None and seen.next_due <= now


def _window(request: ClaimRequest) -> str:
    if request.alone:
        return "claim_window_suspect"
    return "claim_window" if request.flow_id is None else "claim_window_flow"


def _reach(request: ClaimRequest) -> dict[str, Any]:
    return {
        "names": json.dumps(request.names),
        "queues": json.dumps(request.queues),
        "flow": plain(request.flow_id),
        "window": max(request.limit, WINDOW),
    }


def _owned(engine_id: UUID, claims: Iterable[Claim]) -> list[tuple[str, int, str]]:
    return [(str(one.step_id), one.claim_no, str(engine_id)) for one in dict.fromkeys(claims)]


def _settled(engine_id: UUID, settlement: Settlement, now: str) -> dict[str, Any]:
    values = {name: plain(getattr(settlement, name)) for name in _SETTLED}
    return values | {
        "id": str(settlement.claim.step_id),
        "claim_no": settlement.claim.claim_no,
        "engine": str(engine_id),
        "now": now,
    }


def _first_of_each(settlements: Iterable[Settlement]) -> dict[Claim, Settlement]:
    first: dict[Claim, Settlement] = {}
    for one in settlements:
        first.setdefault(one.claim, one)
    return first


def _new_ones(additions: Sequence[Addition], known: set[UUID]) -> dict[UUID, Addition]:
    first: dict[UUID, Addition] = {}
    for one in additions:
        if one.step.id not in known:
            first.setdefault(one.step.id, one)
    return first
