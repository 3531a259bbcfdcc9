"""Settlements of several containers in one transaction: who shares, and who is answered alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from tests.server.runs.conftest import Start
from tests.server.runs.support import Pod, Pods, Work, following, settlement
from tests.server.runs.test_staging import state
from tests.server.support import problem

from stepwell import clock
from stepwell.errors import NotFound
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.server.app import Server
from stepwell.server.database.tables import changes, metrics_pending
from stepwell.server.database.together import ALONE
from stepwell.server.runs import queries, tokens
from stepwell.server.runs.asking import Question
from stepwell.server.runs.sharing import FEW, SharedSettlements
from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import ClaimRequest
from stepwell.stores.wire import signature

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

Held: TypeAlias = tuple[Pod, Step]
Hold: TypeAlias = Callable[[], Held]


@pytest.fixture
def hold(start: Start, work: Work, pod: Pods) -> Hold:
    """A container that has claimed one of its run's three operations, which wait there."""

    def held() -> Held:
        run = start()
        work()
        container = pod(run)
        step = container.claim()
        container.call("add", additions=[following(step, "load"), following(step, "report")])
        return container, step

    return held


def question(held: Held, *settlements: Settlement, verb: str = "settle", **more: Any) -> Question:
    """What the container asks: that its step is done, unless something else is said."""
    pod, step = held
    told = list(settlements) or [settlement(step)]
    given = {"engine_id": pod.engine_id, "settlements": told, **more}
    key = pod.server.settings.signing_key
    run_id = UUID(pod.run_id)
    caller = tokens.holder(key, run_id, tokens.issue(key, run_id, pod.attempt))
    return Question(pod.server.services, caller, verb, signature(verb).write_arguments(given))


def answers(server: Server, *questions: Question) -> list[Any]:
    with server.db.write() as conn:
        return SharedSettlements(server.db).answers(conn, questions)


def ended(server: Server) -> set[UUID]:
    """The steps of runs that are done."""
    with server.db.store.transaction() as tx:
        return {step.id for step in tx.search(StepQuery(queue="runs", status=StepStatus.DONE))}


def test_several_are_asked_about_in_as_many_statements_as_one(
    hold: Hold, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begin, headers, attempts, rows, settlement, notices, measurements and commit."""
    waits: list[None] = []
    wait = psycopg.Connection.wait

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        waits.append(None)
        return wait(self, *args, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    for held in ([hold()], [hold() for _ in range(3)]):
        asked = [question(one) for one in held]
        waits.clear()
        assert answers(server, *asked) == [[Verdict.APPLIED]] * len(held)
        assert len(waits) == 8
        assert {step.id for _, step in held} <= ended(server)


def test_each_is_told_of_and_measured(hold: Hold, server: Server) -> None:
    held = [hold() for _ in range(2)]
    answers(server, *map(question, held))
    with server.db.read() as conn:
        told = set(conn.execute(select(changes.c.key).where(changes.c.what == "steps")).scalars())
        measured = conn.execute(select(metrics_pending.c.operation, metrics_pending.c.what))
        assert {pod.run_id for pod, _ in held} <= told
        assert [tuple(row) for row in measured] == [("fetch", "succeeded")] * 2


def test_what_comes_next_is_claimed_right_after(hold: Hold, server: Server) -> None:
    held = pod, step = hold()
    request = ClaimRequest(
        engine_id=pod.engine_id, request_id=new_id(), names=("v1/weather/nightly/load",)
    )
    asked = question(held, verb="settle_and_claim", request=request)
    [answer] = answers(server, asked)
    assert answer.verdicts == [Verdict.APPLIED]
    [claimed] = answer.claimed.steps
    assert claimed.created_by_step_id == step.id
    assert claimed.claimed_by == pod.engine_id, "the container knows the id that it has given"


def test_a_run_that_is_locked_holds_up_nobody_else(hold: Hold, server: Server) -> None:
    locked, free = hold(), hold()
    with server.db.write() as conn:
        queries.lock(conn, UUID(locked[0].run_id))
        assert answers(server, question(locked), question(free)) == [ALONE, [Verdict.APPLIED]]
    assert ended(server) == {free[1].id}


def stages(held: Held, _: Server) -> Question:
    pod, step = held
    payload = state()
    assert pod.stage(step, "state", payload).status_code == 201
    return question(held)


def revoked(held: Held, server: Server) -> Question:
    with server.db.write() as conn:
        queries.change_attempt(conn, UUID(held[0].run_id), 1, revoked_at=clock.now())
    return question(held)


def older(held: Held, server: Server) -> Question:
    with server.db.write() as conn:
        queries.change(conn, UUID(held[0].run_id), attempt=2)
    return question(held)


def tells_of_progress(held: Held, server: Server) -> Question:
    with server.db.write() as conn:
        queries.change(conn, UUID(held[0].run_id), progress={"done": 1})
    return question(held)


def refers_to_a_blob(held: Held, _: Server) -> Question:
    reference = f'{{"blob":"{new_id()}","bytes":5}}'
    return question(held, settlement(held[1], result=reference))


def adds_a_key(held: Held, _: Server) -> Question:
    new = following(held[1], "load")
    keyed = replace(new, step=replace(new.step, unique_key="k"))
    return question(held, replace(settlement(held[1]), additions=(keyed,)))


def is_lost(held: Held, _: Server) -> Question:
    pod, step = held
    pod.call("release", engine_id=pod.engine_id, claims=[step.claim])
    return question(held)


def leaves_nothing(held: Held, server: Server) -> Question:
    pod, step = held
    with server.db.write() as conn:
        steps = server.db.steps(conn)
        for other in steps.search(StepQuery(flow_id=UUID(pod.run_id), queue="runs")):
            if other.id != step.id:
                steps.end(other.id, EndedAs.CANCELLED, "not wanted")
    return question(held)


def adds_what_is_not_its_own(held: Held, _: Server) -> Question:
    new = following(held[1], "load")
    foreign = replace(new, step=replace(new.step, name="v1/other/x/y"))
    return question(held, replace(settlement(held[1]), additions=(foreign,)))


@pytest.mark.parametrize(
    "asks",
    [
        stages,
        revoked,
        older,
        tells_of_progress,
        refers_to_a_blob,
        adds_a_key,
        is_lost,
        adds_what_is_not_its_own,
    ],
)
def test_what_touches_more_than_its_own_rows_is_answered_alone(
    hold: Hold, server: Server, asks: Callable[[Held, Server], Question]
) -> None:
    held, plain = hold(), hold()
    assert answers(server, asks(held, server), question(plain)) == [ALONE, [Verdict.APPLIED]]
    assert ended(server) == {plain[1].id}


def test_the_last_operation_of_a_run_is_settled_alone_for_it_wakes_the_supervisor(
    hold: Hold, server: Server
) -> None:
    """Whose row others hold too: two who wake two each could wait for each other."""
    held = hold()
    assert answers(server, leaves_nothing(held, server)) == [ALONE]


def test_of_two_for_one_run_the_second_sees_what_became_of_the_first(
    hold: Hold, server: Server
) -> None:
    held = hold()
    assert answers(server, question(held), question(held)) == [[Verdict.APPLIED], ALONE]
    again = question(held)
    assert answers(server, again) == [ALONE]
    with server.db.write() as conn:
        assert again(conn) == [Verdict.APPLIED], "an answer that was lost is given again (R13)"


def test_what_goes_wrong_for_one_is_told_to_that_one_alone(
    hold: Hold, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is taken back, and each is answered in a transaction of its own."""
    monkeypatch.setattr(
        SharedSettlements, "answers", lambda *_: (_ for _ in ()).throw(NotFound("no luck"))
    )
    held = pod, step = hold()
    assert pod.settle(settlement(step)) == [Verdict.APPLIED]
    revoked(held, server)
    refused = pod.ask("settle", engine_id=pod.engine_id, settlements=[settlement(step)])
    problem(refused, 403, "run-token-revoked")


def test_many_results_of_one_container_share_a_commit_already(hold: Hold, server: Server) -> None:
    held = _, step = hold()
    shared = SharedSettlements(server.db)
    assert shared.takes(question(held, *[settlement(step)] * FEW))
    assert not shared.takes(question(held, *[settlement(step)] * (FEW + 1)))
    assert not shared.takes(lambda _: None)
