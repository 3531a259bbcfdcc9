"""What a run token reaches, and what it does not (R35)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import Start
from tests.server.runs.support import GROUP, WORKFLOW, Pod, following, settlement

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.server.app import Server
from stepwell.server.runs.scoped import ScopedStore
from stepwell.server.runs.tokens import EngineIds
from stepwell.step import Addition, EndedAs, JoinPolicy, OnConflict, Step, StepQuery, new_step
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Position
from stepwell.stores.wire import signature

Pods = Callable[..., Pod]
Work = Callable[..., None]


def row(pod: Pod, name: str = f"v1/{GROUP}/other/x", **fields: Any) -> Step:
    """A step of the pod's flow, unless a field says otherwise."""
    given = {"queue": "runs", "flow_id": UUID(pod.run_id), **fields}
    return seal(new_step(name, **given), JSON, clock.now()).step


@pytest.fixture
def two(start: Start, work: Work, pod: Pods) -> tuple[Pod, Pod]:
    """The containers of two runs."""
    runs = [start(), start()]
    work()
    return pod(runs[0]), pod(runs[1])


def refused(answer: Any) -> str:
    """The code of a refusal."""
    assert answer.status_code == 403, answer.text
    return str(answer.json()["code"])


def test_a_token_opens_no_other_run(two: tuple[Pod, Pod]) -> None:
    mine, theirs = two
    path = f"/runs/{theirs.run_id}/assignment"
    assert mine.client.get(path, headers=mine.headers).status_code == 401


@pytest.mark.parametrize("way", [str.lower, str.upper], ids=["short", "long"])
def test_what_a_newer_image_tells_in_a_claim_is_passed_over(
    two: tuple[Pod, Pod], way: Callable[[str], str]
) -> None:
    """And where it would begin, for a flow is short. The ways are those of `test_wire`."""
    mine, _ = two
    request = ClaimRequest(
        engine_id=mine.engine_id,
        request_id=new_id(),
        names=(f"v1/{GROUP}/{WORKFLOW}/fetch",),
        since=(Position("runs", 2, clock.now(), new_id()),),
    )
    body = signature("claim").write_arguments({"request": request})
    body["request"]["newer"] = {"a": 1}
    path = f"/runs/{way(mine.run_id)}/store/claim"
    answer = mine.client.post(path, json=body, headers=mine.headers)
    assert answer.status_code == 200, answer.text
    claimed = answer.json()["result"]
    assert len(claimed["steps"]) == 1
    assert (claimed["front"], claimed["whole"]) == (None, True)


def test_a_claim_reaches_the_own_flow_whatever_it_asks_for(two: tuple[Pod, Pod]) -> None:
    mine, theirs = two
    step = mine.claim()
    assert str(step.flow_id) == mine.run_id
    assert mine.claimed() is None
    theirs.claim()


def test_the_rows_of_others_cannot_be_seen_ended_or_moved(two: tuple[Pod, Pod]) -> None:
    mine, theirs = two
    step = theirs.claim()
    assert mine.call("search", query=StepQuery(ids=(step.id,))) == []
    assert mine.call("count", query=StepQuery(flow_id=step.flow_id)).ready == 1
    assert not mine.call("end", step_id=step.id, ended_as=EndedAs.DONE, reason="x", result=None)
    assert not mine.call("activate", step_id=step.id, args=None, at=None)
    assert not mine.call("reschedule", step_id=step.id, at=clock.now())


def test_an_engine_id_means_an_engine_of_the_own_attempt_only(
    two: tuple[Pod, Pod], server: Server
) -> None:
    """Naming another's id, even one of the server itself, reaches nothing of it."""
    mine, theirs = two
    step = theirs.claim()
    mine.engine_id = theirs.engine_id
    mine.join()
    assert mine.call("claimed", engine_id=theirs.engine_id) == []
    assert mine.call("release", engine_id=theirs.engine_id, claims=[step.claim]) == 0
    mine.call("leave", engine_id=theirs.engine_id)
    assert theirs.call("claimed", engine_id=theirs.engine_id) == [step.claim]
    own = EngineInfo(id=new_id(), name="server", version="1", handles=(), queues=("server",))
    with server.db.write() as conn:
        server.db.steps(conn).join(own)
    mine.call("leave", engine_id=own.id)
    with server.db.write() as conn:
        assert own.id in server.db.steps(conn).beat(own.id, []).beats


def test_a_pulse_shows_nobody_elses_engine(two: tuple[Pod, Pod]) -> None:
    mine, _ = two
    pulse = mine.call("beat", engine_id=mine.engine_id, started=[])
    assert list(pulse.beats) == [mine.engine_id]


@pytest.mark.parametrize(
    "fields",
    [
        {"flow_id": new_id()},
        {"queue": "server"},
        {"name": "v1/server/tick"},
        {"name": "v1/other-group/nightly/load"},
        {"name": f"v1/{GROUP}x/nightly/load"},
    ],
)
def test_nothing_is_added_outside_of_the_own_group_and_flow(
    two: tuple[Pod, Pod], fields: dict[str, Any]
) -> None:
    mine, _ = two
    step = row(mine, **fields)
    assert refused(mine.ask("add", additions=[Addition(step)])) == "out-of-scope"
    held = mine.claim()
    spawning = replace(settlement(held), additions=(Addition(step),))
    answer = mine.ask("settle", engine_id=mine.engine_id, settlements=[spawning])
    assert refused(answer) == "out-of-scope"
    assert mine.call("search", query=StepQuery(ids=(held.id,)))[0].ended_as is None


@pytest.mark.parametrize("key", ["limit_key", "rate_key"])
def test_nothing_is_added_that_could_hold_up_other_runs(two: tuple[Pod, Pod], key: str) -> None:
    """R20: a key is shared by all flows of the store."""
    mine, _ = two
    answer = mine.ask("add", additions=[Addition(row(mine, **{key: "smtp"}))])
    assert refused(answer) == "out-of-scope"
    assert "limit or rate key" in answer.json()["what"]


def test_a_container_has_no_controls(two: tuple[Pod, Pod]) -> None:
    mine, _ = two
    assert mine.ask("controls").json()["code"] == "verb-unknown"


def test_nothing_is_added_in_the_hands_of_an_engine_or_ended(two: tuple[Pod, Pod]) -> None:
    """The engines that hold a run's rows leave when its container has ended: no others may."""
    mine, _ = two
    for step in (
        replace(row(mine), claimed_by=new_id()),
        replace(row(mine), ended_as=EndedAs.DONE),
    ):
        assert refused(mine.ask("add", additions=[Addition(step)])) == "out-of-scope"


def test_without_a_unique_key_there_is_nothing_to_replace(two: tuple[Pod, Pod]) -> None:
    mine, theirs = two
    theirs.call("add", additions=[Addition(row(theirs))])
    again = Addition(row(mine), OnConflict.REPLACE)
    assert mine.call("add", additions=[again]) == [True]


def test_a_step_of_the_own_group_is_added_to_the_flow(two: tuple[Pod, Pod]) -> None:
    mine, _ = two
    assert mine.call("add", additions=[Addition(row(mine))]) == [True]


def test_nothing_of_another_run_is_replaced(two: tuple[Pod, Pod]) -> None:
    """Unique keys hold across flows; replacing does not (R5)."""
    mine, theirs = two
    theirs.call("add", additions=[Addition(row(theirs, unique_key="k"))])
    again = Addition(row(mine, unique_key="k"), OnConflict.REPLACE)
    assert refused(mine.ask("add", additions=[again])) == "out-of-scope"


def test_what_joins_is_of_the_own_flow(two: tuple[Pod, Pod]) -> None:
    """A member counts its join down, so it may only have one that the token reaches (R28)."""
    mine, theirs = two
    join = replace(row(theirs), waiting_for=1, join_policy=JoinPolicy.WAIT)
    member = replace(row(theirs), join_id=join.id)
    assert theirs.call("add", additions=[Addition(member), Addition(join)]) == [True, True]
    intruder = Addition(replace(row(mine), join_id=join.id))
    same_id = Addition(replace(row(mine), id=join.id))
    unknown = Addition(replace(row(mine), join_id=new_id()))
    for additions in ([intruder], [intruder, same_id], [unknown]):
        assert refused(mine.ask("add", additions=additions)) == "out-of-scope"
    own = replace(row(mine), waiting_for=1, join_policy=JoinPolicy.WAIT)
    assert mine.call("add", additions=[Addition(replace(row(mine), join_id=own.id)), Addition(own)])
    late = replace(row(mine), join_id=own.id, copy_of=new_id())
    assert mine.call("add", additions=[Addition(late)]) == [True]


@pytest.mark.parametrize("verb", ["bury", "add_if_none", "migrate", "__class__"])
def test_a_container_has_no_other_verbs(two: tuple[Pod, Pod], verb: str) -> None:
    mine, _ = two
    path = f"/runs/{mine.run_id}/store/{verb}"
    answer = mine.client.post(path, json={}, headers=mine.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "verb-unknown")


def test_arguments_that_do_not_fit_are_refused_in_words(two: tuple[Pod, Pod]) -> None:
    mine, _ = two
    for body in ({}, {"engine_id": "x"}, {"engine_id": str(new_id()), "more": 1}):
        path = f"/runs/{mine.run_id}/store/claimed"
        answer = mine.client.post(path, json=body, headers=mine.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_the_assignment_says_what_to_do(two: tuple[Pod, Pod]) -> None:
    mine, _ = two
    path = f"/runs/{mine.run_id}/assignment"
    told = mine.client.get(path, headers=mine.headers).json()
    assert (told["group"], told["workflow"], told["attempt"]) == (GROUP, WORKFLOW, 1)
    assert told["parameters"] == {"day": "2026-01-31"}


def test_the_last_settlement_wakes_the_supervisor(
    two: tuple[Pod, Pod], server: Server, client: TestClient
) -> None:
    """In its own transaction (R33)."""

    def activations() -> int:
        with server.db.read() as conn:
            query = StepQuery(name="v1/server/supervise", unique_key=mine.run_id)
            return server.db.steps(conn).search(query)[0].activation_no

    mine, _ = two
    step = mine.claim()
    mine.settle(replace(settlement(step), additions=(following(step, "load"),)))
    before = activations()
    mine.work()
    assert activations() == before + 1


def test_no_claim_of_a_container_is_a_lock_alone(two: tuple[Pod, Pod], server: Server) -> None:
    """Its verbs commit one by one: a lock would be gone with the answer."""
    asked: list[Any] = []

    class Noted(Mock):
        """A store's verbs, of which only the claim is asked."""

        def claim(self, request: ClaimRequest) -> Claimed:
            asked.append(request)
            return Claimed()

    mine, _ = two
    with server.db.write() as conn:
        run: Any = {"id": UUID(mine.run_id)}
        caller: Any = Mock(run_id=mine.run_id, attempt=1)
        ScopedStore(conn, Noted(), run, Mock(), EngineIds(b"key", caller)).claim(
            ClaimRequest(engine_id=new_id(), request_id=new_id(), names=("v1/x",), locking=True)
        )
    assert [request.locking for request in asked] == [False]


def test_a_container_cannot_settle_what_it_has_not_claimed_in_writing(
    two: tuple[Pod, Pod],
) -> None:
    mine, _ = two
    step = mine.claim()
    assert mine.call("release", engine_id=mine.engine_id, claims=[step.claim]) == 1
    next_claim = replace(step.claim, claim_no=step.claim_no + 2)
    told = replace(settlement(step), claim=next_claim, unwritten=True)
    assert mine.settle(told) == [Verdict.REFUSED]
