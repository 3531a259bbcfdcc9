"""The Python client against a server that listens on a real port, and against played answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.server.conftest import database_url, settings
from tests.server.live import listening
from tests.server.runs.support import GIVEN, GROUP, WORKFLOW, release, workflow
from tests.server.search.support import made
from tests.server.support import free_port, token

from stepwell.client import Client, TookTooLong, UnexpectedAnswer, Unreachable
from stepwell.client import transport as wire
from stepwell.errors import Conflict, InvalidInput, NotFound, Unavailable
from stepwell.server.app import Server
from stepwell.server.runs.service import RunNotFound
from stepwell.server.settings import Settings

__all__ = ["database_url", "settings"]


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    started = Server(replace(settings, port=free_port()), launchers={})
    started.db.migrate()
    with started:
        release(started, workflow())
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with listening(server) as url, Client(url, token(server, "operator")) as found:
        yield found


def played(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> Client:
    return Client("http://test", "secret", transport=httpx.MockTransport(answer), **options)


def test_the_main_verbs_from_start_to_end(client: Client) -> None:
    run = client.start(GROUP, WORKFLOW, GIVEN, reason="a test")
    assert (run.group, run.state, run.ended) == (GROUP, "waiting", False)
    assert client.run(run.id).attempts == []
    assert [one.id for one in client.runs("state:waiting")] == [run.id]
    assert client.count("state:waiting").count == 1
    assert [one.operation for one in client.steps(run.id)] == ["fetch"]
    why = client.why(run.id)
    assert why.reason is not None
    assert (why.waiting, why.reason.code) == (True, "NO_RUNNER")
    with pytest.raises(TookTooLong):
        client.wait(run.id, timeout=0.1)
    client.cancel(run.id, force=True)
    assert client.wait(run.id).state == "cancelled"
    again = client.repeat(run.id)
    assert again.raw["repeat_of"] == str(run.id)


def test_lists_are_read_over_their_pages(client: Client, server: Server) -> None:
    made(server, *({} for _ in range(7)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "PAGE", 3)
        assert len(list(client.runs())) == 7
        assert len(list(client.runs(limit=4))) == 4


def test_many_runs_at_once(client: Client, server: Server) -> None:
    made(server, *({"state": "failed", "fingerprint": "f1", "parameters": GIVEN} for _ in range(3)))
    (cause,) = client.causes()
    assert (cause.fingerprint, cause.runs) == ("f1", 3)
    preview = client.preview_bulk("repeat", cause.query, reason="fixed")
    assert (preview.total, len(preview.sample)) == (3, 3)
    bulk = client.bulk("repeat", cause.query, reason="fixed", expected=preview.total)
    assert client.bulk_state(bulk.id).total == 3


def test_groups_schedules_and_views(client: Client) -> None:
    assert [one.name for one in client.groups()] == [GROUP]
    assert list(client.schedules(group=GROUP)) == []
    assert client.views()[0].builtin == "failing"


def test_what_the_server_refuses_is_raised_by_its_kind_and_code(client: Client) -> None:
    with pytest.raises(NotFound) as missing:
        client.run("0198f2aa-1111-7000-8000-000000000000")
    assert missing.value.code == "run-not-found"
    assert isinstance(missing.value, RunNotFound)  # its class is loaded here
    with pytest.raises(InvalidInput) as unread:
        list(client.runs("stat:failed"))
    assert (unread.value.code, unread.value.problems) == ("query-invalid", [{"column": 1}])  # type: ignore[attr-defined]
    run = client.start(GROUP, WORKFLOW, GIVEN)
    client.cancel(run.id, force=True)
    with pytest.raises(Conflict) as ended:
        client.cancel(run.id)
    assert ended.value.code == "run-ended"


def test_the_same_key_starts_one_run(client: Client) -> None:
    ids = {client.start(GROUP, WORKFLOW, GIVEN, key="order-17").id for _ in range(2)}
    assert len(ids) == 1


def test_events_are_told_while_they_happen(client: Client, server: Server) -> None:
    told: list[Any] = []
    ready = threading.Event()

    def listen() -> None:
        for event in client.events("runs"):
            told.append(event)
            ready.set()
            return

    thread = threading.Thread(target=listen)
    thread.start()
    while not server.app.state.hub._listeners:
        ready.wait(0.01)
    run = client.start(GROUP, WORKFLOW, GIVEN)
    assert ready.wait(90)
    thread.join(90)
    assert (told[0].topic, told[0].id, told[0].what) == ("runs", str(run.id), "waiting")
    assert told[0].last_id is not None
    server.end_streams()


def test_a_change_whose_answer_was_lost_is_sent_again_under_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "_PAUSES", (0.0, 0.0, 0.0))
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            raise httpx.ReadError("cut")
        return httpx.Response(503 if len(keys) == 2 else 200, json={"what": "busy"})

    assert played(answer).post("/x", {}) == {"what": "busy"}
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_it_gives_up_after_its_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_PAUSES", (0.0, 0.0, 0.0))
    calls: list[int] = []

    def busy(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(503, json={"code": "store-unavailable", "what": "Busy."})

    with pytest.raises(Unavailable) as caught:
        played(busy, tries=2).get("/x")
    assert (len(calls), caught.value.code) == (2, "store-unavailable")
    with pytest.raises(Unreachable):
        Client("http://127.0.0.1:1", tries=1).get("/me")


def test_what_is_no_answer_of_stepwell_is_said_to_be_none() -> None:
    with pytest.raises(UnexpectedAnswer):
        played(lambda _: httpx.Response(200, text="<html>")).get("/me")
    with pytest.raises(InvalidInput):
        Client("nowhere")


def test_a_newer_server_may_say_more(client: Client) -> None:
    run = client.start(GROUP, WORKFLOW, GIVEN)
    more = {**run.raw, "from_the_future": 1}
    found = played(lambda _: httpx.Response(200, json=more)).run(run.id)
    assert found.raw["from_the_future"] == 1
