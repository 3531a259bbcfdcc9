"""Two verbs in one request: a settlement brings the next claim, and joining the first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from stepwell.clock import now
from stepwell.errors import EngineBuried, StoreUnavailable
from stepwell.ids import new_id
from stepwell.outcome import Settlement
from stepwell.step import Addition, EndedAs, Step
from stepwell.stores.http_verbs import PairedVerbs
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Transaction
from stepwell.stores.wire import Joined, Settled, signature

NAME = "v1/a"


class Wire:
    """A server that is a store in memory; it notes what it was asked, and may lose answers."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.asked: list[str] = []
        self.lose = False

    def __call__(self, path: str, body: Any) -> Any:
        verb = path.rpartition("/")[2]
        self.asked.append(verb)
        wire = signature(verb)
        with self.store.transaction() as tx:
            own: Callable[..., Any] = getattr(self, f"_{verb}", None) or getattr(tx, verb)
            extra = {"tx": tx} if hasattr(self, f"_{verb}") else {}
            result = own(**wire.read_arguments(body), **extra)
        if self.lose:
            self.lose = False
            raise StoreUnavailable("The answer was lost.")
        return {"result": wire.result.dump_python(result, mode="json")}

    def _join_and_claim(self, engine: EngineInfo, request: ClaimRequest, tx: Transaction) -> Joined:
        return Joined(tx.join(engine), tx.claim(request))

    def _settle_and_claim(
        self, engine_id: UUID, settlements: list[Settlement], request: ClaimRequest, tx: Transaction
    ) -> Settled:
        verdicts = tx.settle(engine_id, settlements)
        try:
            claimed = tx.claim(request)
        except EngineBuried:
            return Settled(verdicts, None)
        left = not claimed.steps and claimed.next_due is None
        if left:
            tx.leave(engine_id)
        return Settled(verdicts, claimed, left)

    def add(self) -> UUID:
        at = now()
        step = Step(id=new_id(), name=NAME, flow_id=new_id(), created_at=at, schedule_time=at)
        with self.store.transaction() as tx:
            tx.add([Addition(step)])
        return step.id


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def verbs(wire: Wire) -> PairedVerbs:
    return PairedVerbs(wire, "")


@pytest.fixture
def engine() -> EngineInfo:
    return EngineInfo(id=new_id(), name="e", version="1", handles=(NAME,), queues=("default",))


def asked(engine: EngineInfo, limit: int = 1) -> ClaimRequest:
    return ClaimRequest(
        engine_id=engine.id,
        request_id=new_id(),
        names=engine.handles,
        queues=engine.queues,
        limit=limit,
    )


def done(step: Step) -> Settlement:
    return Settlement(
        claim=step.claim,
        ended_as=EndedAs.DONE,
        execution_started_at=datetime.now(UTC),
        execution_duration=0.0,
        executed_by="e",
        description=None,
        activation_seen=step.activation_no,
        failure_count=0,
    )


def only(claimed: Claimed) -> Step:
    (step,) = claimed.steps
    return step


def test_joining_and_settling_bring_the_next_claim(
    wire: Wire, verbs: PairedVerbs, engine: EngineInfo
) -> None:
    ids = [wire.add(), wire.add()]
    verbs.join(engine)
    first = only(verbs.claim(asked(engine)))
    verbs.settle(engine.id, [done(first)])
    second = only(verbs.claim(asked(engine)))
    assert [first.id, second.id] == ids
    assert wire.asked == ["join_and_claim", "settle_and_claim"]


def test_when_nothing_is_left_the_last_settlement_was_the_leave(
    wire: Wire, verbs: PairedVerbs, engine: EngineInfo
) -> None:
    wire.add()
    verbs.join(engine)
    verbs.settle(engine.id, [done(only(verbs.claim(asked(engine))))])
    assert verbs.claim(asked(engine)) == Claimed()
    verbs.leave(engine.id)
    assert wire.asked == ["join_and_claim", "settle_and_claim"]
    with pytest.raises(EngineBuried):
        verbs.claim(asked(engine))


def test_after_a_lost_answer_the_engine_asks_what_it_holds_before_it_claims(
    wire: Wire, verbs: PairedVerbs, engine: EngineInfo
) -> None:
    """R13: what was claimed unseen is given back, and claimed anew."""
    wire.add()
    second = wire.add()
    verbs.join(engine)
    first = only(verbs.claim(asked(engine)))
    wire.lose = True
    with pytest.raises(StoreUnavailable):
        verbs.settle(engine.id, [done(first)])
    with pytest.raises(StoreUnavailable):
        verbs.claim(asked(engine))
    strangers = verbs.claimed(engine.id)
    assert [one.step_id for one in strangers] == [second]
    assert verbs.release(engine.id, strangers) == 1
    again = only(verbs.claim(asked(engine)))
    assert (again.id, again.claim_no) == (second, strangers[0].claim_no + 2)


def test_what_a_joining_claimed_whose_answer_was_lost_is_asked_for_before_the_engine_claims(
    wire: Wire, engine: EngineInfo
) -> None:
    """R13: the joining is tried again, and the row that it had claimed does not come again; an
    engine that believed that there is nothing would end without having run it."""
    step_id = wire.add()
    verbs = PairedVerbs(wire, "", patience=(0.0,))
    wire.lose = True
    verbs.join(engine)
    with pytest.raises(StoreUnavailable):
        verbs.claim(asked(engine))
    strangers = verbs.claimed(engine.id)
    assert [one.step_id for one in strangers] == [step_id]
    assert verbs.release(engine.id, strangers) == 1
    assert only(verbs.claim(asked(engine))).id == step_id


def test_what_was_brought_is_not_handed_out_once_it_may_have_been_given_back(
    wire: Wire, verbs: PairedVerbs, engine: EngineInfo
) -> None:
    """R14: a claim that is released as a stranger's must not be run as well."""
    step_id = wire.add()
    verbs.join(engine)
    held = verbs.claimed(engine.id)
    assert [one.step_id for one in held] == [step_id]
    verbs.release(engine.id, held)
    assert only(verbs.claim(asked(engine))).claim_no > held[0].claim_no


def test_what_was_brought_for_a_dead_engine_is_not_the_next_ones(
    wire: Wire, verbs: PairedVerbs, engine: EngineInfo
) -> None:
    wire.add()
    verbs.join(engine)
    with wire.store.transaction() as tx:
        tx.bury(engine.id, 0)
    born_again = EngineInfo(
        id=new_id(), name="e", version="1", handles=(NAME,), queues=("default",)
    )
    verbs.join(born_again)
    assert only(verbs.claim(asked(born_again))).claimed_by == born_again.id


def test_a_claim_for_no_step_leaves_none_claimed(
    wire: Wire, verbs: PairedVerbs, engine: EngineInfo
) -> None:
    wire.add()
    verbs.join(engine)
    assert verbs.claim(asked(engine, limit=0)).steps == ()
    assert verbs.claimed(engine.id) == []
