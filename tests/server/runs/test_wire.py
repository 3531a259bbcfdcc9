"""The short way of containers' stores to the database: it answers as the route does.

Both ways are asked the same: an id in capital letters is the same run, and takes the long one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from tests.server.runs.conftest import Start
from tests.server.runs.support import Pod, Pods, Work, rows, settlement
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import StoreUnavailable
from stepwell.ids import new_id
from stepwell.outcome import Verdict
from stepwell.server.admission import MIB
from stepwell.server.app import Server
from stepwell.server.runs import tokens
from stepwell.server.runs.wire import StoreWire
from stepwell.step import Addition, StepQuery, new_step
from stepwell.stores.wire import signature

JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture
def mine(start: Start, work: Work, pod: Pods) -> Pod:
    """The container of a run, which has joined."""
    run = start()
    work()
    return pod(run)


def body_of(verb: str, **arguments: Any) -> bytes:
    return json.dumps(signature(verb).write_arguments(arguments)).encode()


def both_ways(pod: Pod, verb: str, content: bytes, **headers: str) -> tuple[Any, Any]:
    """The answers of the short way and of the long one."""
    given = {**JSON_TYPE, **pod.headers, **headers}
    ways = (pod.run_id, pod.run_id.upper())
    one, other = (
        pod.client.post(f"/runs/{way}/store/{verb}", content=content, headers=given) for way in ways
    )
    return one, other


def outside() -> Addition:
    """A step of another flow and group."""
    return seal(new_step("v1/other/x/y", flow_id=new_id(), queue="runs"), JSON, clock.now())


def alike(one: httpx.Response, other: httpx.Response) -> httpx.Response:
    """The answer, which both ways must have given: status, headers and body."""
    varying = ("x-correlation-id", "content-length", "date")
    shown = [
        (
            answer.status_code,
            {name: told for name, told in answer.headers.items() if name not in varying},
            {
                name: str(told).lower()  # the path is told as it was written
                for name, told in answer.json().items()
                if name != "correlation_id"
            },
        )
        for answer in (one, other)
    ]
    assert shown[0] == shown[1]
    return one


# -- which way ------------------------------------------------------------------


class Routes:
    """What stands behind the wire: it says what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        await JSONResponse({}, 299)(scope, receive, send)


@pytest.fixture
def routes() -> Routes:
    return Routes()


@pytest.fixture
def wire(server: Server, routes: Routes) -> TestClient:
    """The short way alone."""
    return TestClient(StoreWire(routes, services=server.services))


def test_a_verb_that_is_in_order_never_reaches_the_routes(
    mine: Pod, wire: TestClient, routes: Routes
) -> None:
    path = f"/api/v1/runs/{mine.run_id}/store/count"
    answer = wire.post(path, content=body_of("count", query=StepQuery()), headers=mine.headers)
    assert (answer.status_code, answer.json()["result"]["ready"]) == (200, 1)
    assert answer.headers["content-type"] == "application/json"
    assert routes.bodies == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/runs/{id}/store/count"),
        ("POST", "/api/v1/runs/{id}/store/bury"),
        ("POST", "/api/v1/runs/{id}/store/count/"),
        ("POST", "/api/v1/runs/{id}/staged"),
        ("POST", "/api/v1/runs/no-id/store/count"),
        ("POST", "/stepwell/api/v1/runs/{id}/store/count"),
    ],
)
def test_all_else_goes_on_as_it_came(
    mine: Pod, wire: TestClient, routes: Routes, method: str, path: str
) -> None:
    content = body_of("count", query=StepQuery())
    where = path.format(id=mine.run_id)
    answer = wire.request(method, where, content=content, headers=mine.headers)
    assert answer.status_code == 299
    assert routes.bodies == [content]


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "no text": b"\xff\xfe{}",
    "too deep": b'{"query":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_object_is_left_to_the_routes_to_refuse(
    mine: Pod, wire: TestClient, routes: Routes, content: bytes
) -> None:
    path = f"/api/v1/runs/{mine.run_id}/store/count"
    assert wire.post(path, content=content, headers=mine.headers).status_code == 299
    assert routes.bodies == [content]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "x"}])
def test_who_shows_no_token_is_left_to_the_routes_to_refuse(
    mine: Pod, wire: TestClient, routes: Routes, header: dict[str, str]
) -> None:
    content = body_of("count", query=StepQuery())
    path = f"/api/v1/runs/{mine.run_id}/store/count"
    assert wire.post(path, content=content, headers=header).status_code == 299
    assert routes.bodies == [content]


# -- the same answers ------------------------------------------------------------


@on_both
def test_a_result_is_the_same_both_ways(mine: Pod) -> None:
    found = alike(*both_ways(mine, "search", body_of("search", query=StepQuery())))
    assert found.status_code == 200
    assert [one["flow_id"] for one in found.json()["result"]] == [mine.run_id]


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_cannot_be_read_is_the_same_problem_both_ways(
    mine: Pod, content: bytes
) -> None:
    found = alike(*both_ways(mine, "count", content))
    assert found.status_code in (400, 422)
    assert found.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": {}, "more": 1},
        {"query": {"limit": "many"}},
        {"\ud800": 1},
        {"query": 1e400},
    ],
    ids=["too few", "too many", "unfit", "no name", "no number"],
)
def test_arguments_that_do_not_fit_are_the_same_problem_both_ways(
    mine: Pod, body: dict[str, Any]
) -> None:
    found = alike(*both_ways(mine, "count", json.dumps(body).encode()))
    problem(found, 422, "invalid-input")


def test_what_no_database_can_keep_is_the_same_problem_both_ways(mine: Pod) -> None:
    content = json.dumps({"query": {"name": "\ud800"}}).encode()
    problem(alike(*both_ways(mine, "count", content)), 409, "settlement-rejected")


def test_a_body_over_the_limit_is_the_same_problem_both_ways(mine: Pod) -> None:
    """Whether it says its length or not."""

    def pieces() -> Iterator[bytes]:
        for _ in range(33):
            yield b"x" * MIB

    headers = {**JSON_TYPE, **mine.headers}
    ways = (mine.run_id, mine.run_id.upper())
    answers = [
        mine.client.post(f"/runs/{way}/store/count", content=pieces(), headers=headers)
        for way in ways
    ]
    problem(alike(*answers), 413, "body-too-large")
    problem(
        alike(*both_ways(mine, "count", b"{}", **{"Content-Length": "999999999"})),
        413,
        "body-too-large",
    )


@on_both
def test_what_is_out_of_scope_is_the_same_problem_both_ways(mine: Pod) -> None:
    found = alike(*both_ways(mine, "add", body_of("add", additions=[outside()])))
    problem(found, 403, "out-of-scope")


def test_a_database_that_is_away_says_when_to_try_again_both_ways(
    mine: Pod, server: Server
) -> None:
    """The commit fails, so nothing of what was asked for may be told as done."""

    def away(_: Any) -> None:
        raise StoreUnavailable("The database does not answer.", fix="Try again.")

    event.listen(server.db.engine, "commit", away)
    content = body_of("beat", engine_id=mine.engine_id, started=[])
    found = alike(*both_ways(mine, "beat", content))
    event.remove(server.db.engine, "commit", away)
    problem(found, 503, "store-unavailable")
    assert found.headers["Retry-After"] == "2"


# -- who may ask -----------------------------------------------------------------


def tokens_of(pod: Pod, api: Api) -> dict[str, str]:
    key = pod.server.settings.signing_key
    return {
        "an admin's": str(api("admin").headers["Authorization"]),
        "another run's": f"Bearer {tokens.issue(key, new_id(), 1)}",
        "another key's": f"Bearer {tokens.issue(b'x', UUID(pod.run_id), 1)}",
        "no token": "Bearer ",
        "no bearer": "Basic eDp5",
    }


@pytest.mark.parametrize(
    "whose", ["an admin's", "another run's", "another key's", "no token", "no bearer"]
)
def test_another_token_is_refused_both_ways(mine: Pod, api: Api, whose: str) -> None:
    content = body_of("count", query=StepQuery())
    given = {"Authorization": tokens_of(mine, api)[whose]}
    found = alike(*both_ways(mine, "count", content, **given))
    problem(found, 401, "unauthenticated")
    assert found.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_comes_before_what_is_asked(mine: Pod) -> None:
    """Who has none learns nothing of what would fit."""
    found = alike(*both_ways(mine, "count", b"{}", Authorization="Bearer swr_1_x"))
    problem(found, 401, "unauthenticated")


@on_both
@pytest.mark.parametrize("attempt", [1, 2], ids=["of a cancelled run", "of no attempt"])
def test_a_token_that_is_over_reaches_nothing_both_ways(
    mine: Pod, work: Work, attempt: int
) -> None:
    path = f"/runs/{mine.run_id}/cancellations"
    assert mine.client.post(path, json={"force": True}).status_code == 202
    work()
    mine.attempt = attempt
    content = body_of("beat", engine_id=mine.engine_id, started=[])
    found = alike(*both_ways(mine, "beat", content))
    problem(found, 403, "run-token-revoked")


def test_a_run_that_is_not_there_is_not_told_from_one_that_is_over(
    mine: Pod, server: Server
) -> None:
    mine.run_id = str(new_id())
    found = alike(*both_ways(mine, "count", body_of("count", query=StepQuery())))
    problem(found, 403, "run-token-revoked")


# -- tried again -----------------------------------------------------------------


def together(server: Server, pod: Pod, *asked: tuple[str, bytes]) -> list[httpx.Response]:
    """The answers to requests that come at the same time."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(server.app)
        base = "http://testserver/api/v1"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await asyncio.gather(
                *(
                    client.post(
                        f"/runs/{pod.run_id}/store/{verb}", content=body, headers=pod.headers
                    )
                    for verb, body in asked
                )
            )

    return asyncio.run(ask())


@on_both
def test_a_settlement_that_is_sent_again_is_applied_once(mine: Pod, server: Server) -> None:
    """R13: at the same time, in one commit, and later, when the first answer was lost."""
    step = mine.claim()
    told = settlement(step, then="load")
    body = body_of("settle", engine_id=mine.engine_id, settlements=[told])
    answers = together(server, mine, *[("settle", body)] * 5)
    answers += [mine.ask("settle", engine_id=mine.engine_id, settlements=[told])]
    assert [one.json() for one in answers] == [{"result": [Verdict.APPLIED]}] * 6
    assert [one.name.rpartition("/")[2] for one in rows(server, {"id": mine.run_id})] == [
        "fetch",
        "load",
    ]


@on_both
def test_a_mistake_among_requests_of_one_moment_is_its_makers_alone(
    mine: Pod, server: Server
) -> None:
    step = mine.claim()
    good = body_of("settle", engine_id=mine.engine_id, settlements=[settlement(step)])
    bad = body_of("add", additions=[outside()])
    look = body_of("beat", engine_id=mine.engine_id, started=[])
    found = together(server, mine, ("add", bad), ("settle", good), ("add", bad), ("beat", look))
    assert [one.status_code for one in found] == [403, 200, 403, 200]
    assert found[1].json() == {"result": [Verdict.APPLIED]}


def test_a_container_that_is_killed_while_it_writes_is_no_error_of_the_server(
    mine: Pod, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"/api/v1/runs/{mine.run_id}/store/count"
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"query"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = scope_of(path, mine.headers["Authorization"])
    with caplog.at_level(logging.ERROR):
        asyncio.run(server.app(scope, receive, send))
    assert (sent, caplog.records) == ([], [])


def scope_of(path: str, authorization: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"authorization", authorization.encode())],
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("test", 1),
        "http_version": "1.1",
        "root_path": "",
    }
