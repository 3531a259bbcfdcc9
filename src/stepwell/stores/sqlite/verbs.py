"""The verbs of `stores.protocol.Transaction` as statements on one connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stepwell.clock import Clock
from stepwell.errors import EngineBuried
from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepQuery, StepStatus
from stepwell.stores import moves
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.joins import Ending
from stepwell.stores.marked import Marked
from stepwell.stores.matching import counted, failed_alone
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
from stepwell.stores.sqlite import controls, joining, moving
from stepwell.stores.sqlite.claiming import claim
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.limiting import claim_limited
from stepwell.stores.sqlite.rows import failures_of, instant
from stepwell.stores.sqlite.search import count_sql, failures_sql, page_sql, parameters
from stepwell.stores.sqlite.settling import settle
from stepwell.stores.sqlite.statements import Statements
from stepwell.stores.sqlite.sweeping import sweep


class SQLiteTransaction(Marked):
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
            self._sql.beats = True
            held = set(self.claimed(engine_id)) if started else ()
            return replace(self._pulse(), lost=tuple(one for one in started if one not in held))

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
        failed = [step_id for step_id, ended_as, _, _ in rows if ended_as]
        moving.move(self._sql, failed, StepStatus.FAILED)
        joining.close(self._sql, [_lost(row) for row in rows if row[1] and row[2]], self._now())
        return Burial(len(rows) - len(failed), tuple(UUID(step_id) for step_id in failed))

    def leave(self, engine_id: UUID) -> None:
        """Delete the engine's own row and give back what it holds."""
        with self._sql.writing(news=True):
            self._sql.execute("DELETE FROM stepwell_engines WHERE id = ?", [str(engine_id)])
            self._sql.run("leave", {"engine": str(engine_id)})

    def _pulse(self) -> Pulse:
        rows = self._sql.run("pulse", {}).fetchall()
        beats = {UUID(engine): beat for engine, beat in rows if beat is not None}
        paused = tuple(sorted(queue for queue, beat in rows if beat is None))
        return Pulse(self._clock.now(), beats, paused)

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Mark due rows as the engine's own; park due rows of names it does not handle."""
        take = claim_limited if request.limited else claim
        return take(self._sql, self._clock, request)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """All claims in this engine's name."""
        sql = "SELECT id, claim_no FROM stepwell_ready WHERE claimed_by = ?"
        with translated():
            return [Claim(UUID(one), no) for one, no in self._sql.execute(sql, [str(engine_id)])]

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        """Give claims back unrun; counts those that were its own."""
        with self._sql.writing(news=True):
            return self._sql.run_many("release", _owned(engine_id, claims))

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """Apply the settlements whose claims still hold: all rows first, then all additions."""
        with self._sql.writing(news=True):
            return settle(self._sql, engine_id, settlements, self._now())

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Insert rows; True for each that was inserted now."""
        with self._sql.writing(news=True):
            return joining.add(self._sql, additions, self._now())

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        """Insert a row like the template for each id and state."""
        with self._sql.writing(news=True):
            return moving.load(self._sql, template, rows)

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        """Insert the row unless a step matches; the write lock keeps others out (R9)."""
        with self._sql.writing(news=True):
            counts = self._sql.execute(count_sql(query), parameters(query)).fetchone()
            return not any(counts) and joining.add(self._sql, [addition], self._now())[0]

    def search(self, query: StepQuery) -> list[Step]:
        """One page of the steps that match."""
        with translated():
            return list(self._sql.steps(page_sql(query), parameters(query)))

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        """How many steps match, per table, at one moment."""
        values = parameters(query) | {"at_most": None if at_most is None else at_most + 1}
        with translated():
            found = self._sql.execute(count_sql(query, capped=at_most is not None), values)
            return counted(found.fetchone(), at_most)

    def failures(self, query: StepQuery) -> list[Failures]:
        """The failed steps that match, grouped by name and fingerprint."""
        narrow = failed_alone(query)
        with translated():
            rows = self._sql.execute(failures_sql(narrow), parameters(narrow))
            return [failures_of(row) for row in rows]

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """Set activation arguments and make the row due."""
        due = self._now() if at is None else instant(at)
        return self._change("activate", {"id": str(step_id), "args": args, "at": due})

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """End a ready row by hand, claimed or not."""
        with self._sql.writing(news=True):  # it may have held a slot of a limit
            now, endings = self._now(), list[Ending]()
            ended = moving.end(self._sql, str(step_id), ended_as, reason, result, now, endings)
            joining.close(self._sql, endings, now)
            return ended

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """Make a ready row due at `at`; a claim on it is taken away."""
        return self._change("reschedule", {"id": str(step_id), "at": instant(at)})

    # -- controls --------------------------------------------------------------

    def set_control(self, control: Control) -> None:
        """Insert the control, or replace the one of its kind and key."""
        with self._sql.writing(news=True):
            controls.set_control(self._sql, control, self._clock.now())

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        """Delete the control; False if there is none."""
        with self._sql.writing(news=True):
            return controls.drop_control(self._sql, kind, key)

    def controls(self) -> list[Control]:
        """All controls, by kind and key."""
        with translated():
            return controls.controls(self._sql)

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        """Remove rows that have been kept for long enough."""
        with translated():
            return sweep(self._sql, expiries, limit)

    def _change(self, query: str, values: dict[str, Any]) -> bool:
        with self._sql.writing(news=True):
            return bool(self._sql.run(query, values).rowcount)


def _lost(row: tuple[str, str, str, str]) -> Ending:
    """The end of a member that has lost too many engines."""
    step_id, ended_as, join_id, name = row
    return Ending(UUID(join_id), UUID(step_id), name, EndedAs(ended_as), moves.LOST_TOO_OFTEN)


def _owned(engine_id: UUID, claims: Iterable[Claim]) -> list[tuple[str, int, str]]:
    return [(str(one.step_id), one.claim_no, str(engine_id)) for one in dict.fromkeys(claims)]
