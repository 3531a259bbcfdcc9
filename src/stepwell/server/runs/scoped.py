"""The step store as one container sees it: its own flow, its own engines, its own names (R35)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import Denied, EngineBuried, NotFound
from stepwell.outcome import Settlement, Verdict
from stepwell.server.runs import approvals, course, queries, quotas, settling
from stepwell.server.runs.records import RunState
from stepwell.server.runs.service import OPERATIONS, activate_supervisor
from stepwell.server.runs.tokens import EngineIds
from stepwell.server.services import QUEUE
from stepwell.step import Addition, Claim, EndedAs, OnConflict, Step, StepQuery, StepStatus
from stepwell.stores.protocol import (
    Claimed,
    ClaimRequest,
    Counts,
    EngineInfo,
    Failures,
    Pulse,
    Transaction,
)
from stepwell.stores.wire import Joined, Settled

VERBS: Final = frozenset(
    {"join", "beat", "leave", "claim", "claimed", "release", "settle", "add", "search", "count"}
    | {"failures", "activate", "end", "reschedule", "join_and_claim", "settle_and_claim"}
)
"""What a container may ask; it buries nobody, and has no `add_if_none`."""


class OutOfScope(Denied):
    """The run token does not reach that far (R35)."""

    code = "out-of-scope"


class VerbUnknown(NotFound):
    """A container's store has no such verb."""

    code = "verb-unknown"


class ScopedStore:
    """The verbs in one transaction, for one attempt of one run.

    Engine ids are permuted on the way in and out, so an id can only mean an
    engine of this attempt; rows are narrowed to the flow.

    Parameters
    ----------
    tx : the store's verbs on `conn`.
    run : the header, locked.
    attempt : as `queries.standing` tells of it, asked for under that lock.
    ids : this attempt's permutation.
    most_steps : so many the run may have; 0 is any number.
    """

    def __init__(
        self,
        conn: Connection,
        tx: Transaction,
        run: RowMapping,
        attempt: RowMapping,
        ids: EngineIds,
        most_steps: int = 0,
    ) -> None:
        self.most_steps = most_steps
        self.conn, self.tx, self.run, self.attempt, self.ids = conn, tx, run, attempt, ids
        self.flow_id: UUID = run["id"]

    # -- engines ---------------------------------------------------------------

    def join(self, engine: EngineInfo) -> Pulse:
        """Under a name that shows people whose engine it is."""
        name = f"run {self.flow_id} attempt {self.run['attempt']}"
        inside = replace(engine, id=self.ids.inside(engine.id), name=name, queues=(OPERATIONS,))
        return self._own(self.tx.join(inside), engine.id)

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        """The answer shows its own counter only."""
        return self._own(self.tx.beat(self.ids.inside(engine_id), started), engine_id)

    def leave(self, engine_id: UUID) -> None:
        """As in the protocol."""
        self.tx.leave(self.ids.inside(engine_id))

    def _own(self, pulse: Pulse, engine_id: UUID) -> Pulse:
        beat = pulse.beats.get(self.ids.inside(engine_id))
        return replace(pulse, beats={} if beat is None else {engine_id: beat})

    # -- claims ----------------------------------------------------------------

    def claim(self, request: ClaimRequest) -> Claimed:
        """Rows of the flow, whatever it asks for; the first claim starts the attempt (R40)."""
        inside = self.ids.inside(request.engine_id)
        asked = replace(request, engine_id=inside, flow_id=self.flow_id, locking=False)
        claimed = self.tx.claim(asked)
        if claimed.steps:
            self._started()
        elif claimed.next_due is not None:
            claimed = replace(claimed, next_due=self._worth_staying_for(claimed.next_due))
        return replace(claimed, steps=tuple(self._outside(step) for step in claimed.steps))

    def _worth_staying_for(self, next_due: datetime) -> datetime | None:
        """When the next row is due that waits for no reviewer: while one is asked no container
        runs, however short the patience, for only then are people told (R33)."""
        query = StepQuery(flow_id=self.flow_id, status=StepStatus.READY, scheduled_from=next_due)
        due = [one.schedule_time for one in self.tx.search(query) if approvals.asked(one) is None]
        return min(due, default=None)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        """As in the protocol."""
        return self.tx.claimed(self.ids.inside(engine_id))

    def release(self, engine_id: UUID, claims: list[Claim]) -> int:
        """As in the protocol."""
        return self.tx.release(self.ids.inside(engine_id), claims)

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        """With what the operations have staged, their figures, and the supervisor's wake-up.

        A container's claims are all written: none can be a lock alone.
        """
        told, inside = self.told(settlements), self.ids.inside(engine_id)
        staged = self.attempt["has_staged"]
        verdicts = settling.settle(self.conn, self.tx, self.run, inside, told, staged=staged)
        if self.run["progress"] is not None:
            queries.change(self.conn, self.flow_id, progress=None)
        self.wake_supervisor()
        return verdicts

    def told(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        """The settlements as the store is told of them: within scope, and on the run's course.

        Raises
        ------
        OutOfScope : one adds what is not the run's own.
        RunQuotaReached : one adds too much. That the next one follows is not counted here: the
            supervisor does, once a minute.
        """
        for settlement in settlements:
            self._check(settlement.additions)
            if len(more := settlement.additions) > 1:
                quotas.check_steps(self.tx, self.flow_id, len(more), self.most_steps)
        return [course.adapted(self.run, _looked_up(one)) for one in settlements]

    # -- two in one ------------------------------------------------------------

    def join_and_claim(self, engine: EngineInfo, request: ClaimRequest) -> Joined:
        """Of `stores.wire.Paired`."""
        pulse = self.join(engine)
        return Joined(pulse, self.claim(request))

    def settle_and_claim(
        self, engine_id: UUID, settlements: Sequence[Settlement], request: ClaimRequest
    ) -> Settled:
        """Of `stores.wire.Paired`."""
        return self.claim_after(self.settle(engine_id, settlements), engine_id, request)

    def claim_after(
        self, verdicts: list[Verdict], engine_id: UUID, request: ClaimRequest
    ) -> Settled:
        """The claim right after a settlement, and `leave` if there is nothing left."""
        try:
            claimed = self.claim(request)
        except EngineBuried:
            return Settled(verdicts, None)
        more = claimed.steps or claimed.next_due or claimed.suspect_due or claimed.limited_due
        left = not more and not self.claimed(engine_id)
        if left:
            self.leave(engine_id)
        return Settled(verdicts, claimed, left)

    def _started(self) -> None:
        now, state = clock.now(), self.run["state"]
        if self.attempt["started_at"] is None:
            number = self.attempt["number"]
            queries.change_attempt(self.conn, self.flow_id, number, started_at=now)
        if state in (RunState.STARTING, RunState.WAITING):
            begun = self.run["started_at"] or now
            queries.change(self.conn, self.flow_id, state=RunState.RUNNING, started_at=begun)

    # -- steps -----------------------------------------------------------------

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """Only into the flow, and only names of the own group."""
        self._check(additions)
        quotas.check_steps(self.tx, self.flow_id, len(additions), self.most_steps)
        return self.tx.add([replace(one, fresh=False) for one in additions])

    def search(self, query: StepQuery) -> list[Step]:
        """Only rows of the flow."""
        found = self.tx.search(replace(query, flow_id=self.flow_id))
        return [self._outside(step) for step in found]

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        """Only rows of the flow."""
        return self.tx.count(replace(query, flow_id=self.flow_id), at_most)

    def failures(self, query: StepQuery) -> list[Failures]:
        """Only rows of the flow."""
        return self.tx.failures(replace(query, flow_id=self.flow_id))

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        """False for a step of another flow, as for one that does not exist."""
        return self._has(step_id) and self.tx.activate(step_id, args, at)

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        """False for a step of another flow, as for one that does not exist."""
        ended = self._has(step_id) and self.tx.end(step_id, ended_as, reason, result)
        self.wake_supervisor()
        return ended

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        """False for a step of another flow, as for one that does not exist."""
        return self._has(step_id) and self.tx.reschedule(step_id, at)

    def _has(self, step_id: UUID) -> bool:
        return bool(self.tx.search(StepQuery(ids=(step_id,), flow_id=self.flow_id)))

    def _outside(self, step: Step) -> Step:
        """The row as the container knows it: its engine under the id that it gave."""
        if step.claimed_by is None:
            return step
        return replace(step, claimed_by=self.ids.outside(step.claimed_by))

    def wake_supervisor(self) -> None:
        """When nothing is left to do, or only something that is due later."""
        query = StepQuery(flow_id=self.flow_id, status=StepStatus.READY, limit=1)
        if self.tx.count(query, at_most=1).ready == 0:
            activate_supervisor(self.tx, self.flow_id)

    # -- what may be added -----------------------------------------------------

    def _check(self, additions: Sequence[Addition]) -> None:
        for addition in additions:
            step = addition.step
            if step.flow_id != self.flow_id or step.queue == QUEUE:
                raise _out(f"The step {step.name!r} lies outside of this run's flow.")
            if not step.name.startswith(f"v1/{self.run['group_name']}/"):
                raise _out(f"The step {step.name!r} is not one of this run's group.")
            if step.limit_key is not None or step.rate_key is not None:
                raise _limited(step.name)
            if step.claimed_by is not None or step.ended_as is not None:
                raise _out(f"The new step {step.name!r} is claimed or ended already.")
            if addition.on_conflict is OnConflict.REPLACE and step.unique_key is not None:
                self._check_replaced(step)
        self._check_joins(additions)

    def _check_joins(self, additions: Sequence[Addition]) -> None:
        """A new row may only be waited for by one of its own flow (R28)."""
        wanted = {one.step.join_id for one in additions if one.step.join_id is not None}
        if not wanted:
            return
        found = self.tx.search(StepQuery(ids=tuple(wanted), limit=len(wanted)))
        known = {step.id for step in found} | {one.step.id for one in additions}
        if not wanted <= known or any(step.flow_id != self.flow_id for step in found):
            raise _out("A new step would be waited for by one outside of this run's flow.")

    def _check_replaced(self, step: Step) -> None:
        query = StepQuery(name=step.name, unique_key=step.unique_key, status=StepStatus.READY)
        for other in self.tx.search(query):
            if other.flow_id != self.flow_id:
                raise _out(f"The step {step.name!r} would replace one of another run.")


def _limited(name: str) -> OutOfScope:
    return OutOfScope(
        f"The new step {name!r} has a limit or rate key.",
        why="Such a key is shared by all flows of the store; a run could hold up others with it.",
        fix="Leave the key out; limit what a run does by its operations.",
    )


def _looked_up(settlement: Settlement) -> Settlement:
    """The same; that an id is fresh, or a claim a lock, is not taken on a container's word."""
    additions = tuple(replace(one, fresh=False) for one in settlement.additions)
    return replace(settlement, additions=additions, unwritten=False)


def _out(what: str) -> OutOfScope:
    return OutOfScope(
        what,
        why="A run token reaches its own run only.",
        fix="Start a run of the other workflow instead.",
    )
