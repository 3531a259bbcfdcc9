"""Settlements of many containers in one transaction of PostgreSQL.

What a result costs is how many statements it needs (decision 0102). Containers that report a
result or few at the same time are asked about together: the headers, the attempts, the rows, the
settlement, the notices and the figures are a statement each, however many there are.

Who holds the locks of several runs must wait for nobody: a header that somebody else holds is
passed over, and what touches more than its own run's rows (state, reports, blobs, unique keys,
joins, the run's supervisor) is answered alone, as it always was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell.errors import StepwellError
from stepwell.outcome import Settlement, Verdict
from stepwell.server.database.session import Database
from stepwell.server.database.together import ALONE, Work
from stepwell.server.events import service as events
from stepwell.server.runs import queries, settling
from stepwell.server.runs.asking import Question, may_go_on
from stepwell.server.runs.scoped import ScopedStore
from stepwell.step import Claim, Step
from stepwell.stores.protocol import Transaction
from stepwell.workflows.references import FORMAT, may_refer

FEW: Final = 4
"""More settlements than these share a commit with each other."""


class _Wide(Transaction, Protocol):
    """What `PostgresTransaction` has beside the verbs."""

    def among(self, ids: Sequence[UUID], most: int) -> list[tuple[Step, int]]: ...
    def settle_for(
        self, engines: Sequence[UUID], settlements: Sequence[Settlement]
    ) -> list[Verdict]: ...


@dataclass
class _Asked:
    """One container's settlements."""

    scoped: ScopedStore
    engine_id: UUID
    settlements: list[Settlement]
    verb: str
    arguments: Mapping[str, Any]
    verdicts: list[Verdict]

    @property
    def run(self) -> RowMapping:
        """The header of its run."""
        return self.scoped.run

    @property
    def claims(self) -> list[Claim]:
        """What it settles."""
        return [one.claim for one in self.settlements]


class SharedSettlements:
    """Answers `settle` and `settle_and_claim` of many containers at once."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def takes(self, work: Work) -> bool:
        """Whether it is a settlement of few."""
        return (
            isinstance(work, Question)
            and work.verb in ("settle", "settle_and_claim")
            and 0 < len(work.arguments["settlements"]) <= FEW
        )

    def answers(self, conn: Connection, works: Sequence[Work]) -> list[Any]:
        """As `database.together.Many` has it."""
        tx = cast("_Wide", self._db.steps(conn, survives=False))
        asked = _admitted(conn, tx, [one for one in works if isinstance(one, Question)])
        held = _held(tx, [one for one in asked if one is not None])
        fit = [one if one is not None and _fits(one, held) else None for one in asked]
        _settle(conn, tx, [one for one in fit if one is not None], held)
        return [ALONE if one is None else _answer(one) for one in fit]


def _admitted(
    conn: Connection, tx: Transaction, questions: Sequence[Question]
) -> list[_Asked | None]:
    """What each asks; None for those whose run is locked elsewhere, or open to them no more."""
    runs = queries.lock_free(conn, [one.caller.run_id for one in questions])
    attempts = queries.standings(conn, list(runs)) if runs else {}
    return [_asked(conn, tx, one, runs, attempts) for one in _once(questions)]


def _once(questions: Sequence[Question]) -> list[Question | None]:
    """Of those who ask for the same run, the first: others see what became of that."""
    seen: set[UUID] = set()
    first = []
    for one in questions:
        first.append(None if one.caller.run_id in seen else one)
        seen.add(one.caller.run_id)
    return first


def _asked(
    conn: Connection,
    tx: Transaction,
    question: Question | None,
    runs: Mapping[UUID, RowMapping],
    attempts: Mapping[UUID, RowMapping],
) -> _Asked | None:
    run = None if question is None else runs.get(question.caller.run_id)
    if question is None or run is None or not may_go_on(run, question.caller):
        return None
    attempt = attempts.get(run["id"])
    if attempt is None or attempt["revoked_at"] is not None or attempt["has_staged"]:
        return None
    scoped, given = question.scoped(conn, tx, run, attempt), question.arguments
    try:
        told = scoped.told(given["settlements"])
    except StepwellError:  # is told to who asked, in a transaction of its own
        return None
    engine_id = question.ids.inside(given["engine_id"])
    return _Asked(scoped, engine_id, told, question.verb, given, [])


def _held(tx: _Wide, asked: Sequence[_Asked]) -> dict[UUID, tuple[Step, int]]:
    ids = [claim.step_id for one in asked for claim in one.claims]
    return {step.id: (step, count) for step, count in tx.among(ids, FEW + 1)} if ids else {}


def _fits(asked: _Asked, held: Mapping[UUID, tuple[Step, int]]) -> bool:
    """Whether nothing is touched but the run's own rows, and its supervisor need not wake."""
    if asked.run["progress"] is not None or not all(map(_is_plain, asked.settlements)):
        return False
    rows = [held[one.step_id] for one in asked.claims if one.step_id in held]
    if len({step.id for step, _ in rows}) < len(asked.claims):
        return False
    own = all(_is_own(asked, step) for step, _ in rows)
    ended = sum(one.ended_as is not None for one in asked.settlements)
    grown = any(one.additions for one in asked.settlements)
    return own and (grown or min(count for _, count in rows) > ended)


def _is_plain(settlement: Settlement) -> bool:
    refers = settlement.result_format == FORMAT or may_refer(settlement.result) is not None
    return not refers and not any(
        one.step.unique_key is not None or one.step.join_id is not None or one.step.waiting_for
        for one in settlement.additions
    )


def _is_own(asked: _Asked, step: Step) -> bool:
    mine = step.flow_id == asked.run["id"] and step.claimed_by == asked.engine_id
    return mine and step.claim in asked.claims and step.join_id is None


def _settle(
    conn: Connection, tx: _Wide, asked: Sequence[_Asked], held: Mapping[UUID, tuple[Step, int]]
) -> None:
    """All rows at once, then what tells of them."""
    engines = [one.engine_id for one in asked for _ in one.settlements]
    verdicts = iter(tx.settle_for(engines, [s for one in asked for s in one.settlements]))
    applied = []
    for one in asked:
        one.verdicts = [next(verdicts) for _ in one.settlements]
        for settlement, verdict in zip(one.settlements, one.verdicts, strict=True):
            if verdict is Verdict.APPLIED:
                applied.append((one.run, settlement, held[settlement.claim.step_id][0]))
    if applied:
        events.tell(conn, "runs", "steps", *sorted({str(run["id"]) for run, _, _ in applied}))
    settling.measure(conn, applied)


def _answer(asked: _Asked) -> Any:
    if any(one.additions for one in asked.settlements):
        asked.scoped.wake_supervisor()  # what was added may have been there before
    if asked.verb == "settle":
        return asked.verdicts
    given = asked.arguments
    return asked.scoped.claim_after(asked.verdicts, given["engine_id"], given["request"])
