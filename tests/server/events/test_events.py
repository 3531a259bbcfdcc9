"""Live views: what they are told, by any server, from where they were."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy import insert, update
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.server.access.support import account, logged_in
from tests.server.live import listening
from tests.server.runs.conftest import Start
from tests.server.search.support import made
from tests.server.support import Api, free_port, on_both, problem, token

from stepwell import clock
from stepwell.errors import StoreUnavailable
from stepwell.server.access import service as access
from stepwell.server.app import Server
from stepwell.server.database.tables import changes, tokens
from stepwell.server.events import hub as hubs
from stepwell.server.events import stream
from stepwell.server.events.hub import Hub, Listener, Overrun, Reader
from stepwell.server.http import asked_again
from stepwell.server.settings import Settings

Work = Callable[..., None]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, port=free_port())


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "EVERY", 0.02)


class Stream:
    """A browser's tab: reads events one by one."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def event(self) -> dict[str, Any]:
        """The next event: its fields, with `data` as JSON; comments are left out."""
        fields: dict[str, Any] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = json.loads(value) if name == "data" else value
            elif fields:
                return fields
        raise AssertionError("the stream has ended")

    def until(self, what: str) -> list[dict[str, Any]]:
        """Events up to the first that says this of its thing."""
        found = [self.event()]
        while found[-1]["data"].get("what") != what:
            found.append(self.event())
        return found


@contextmanager
def opened(server: Server, url: str, role: str = "viewer", **headers: str) -> Iterator[Stream]:
    shown = {"Authorization": f"Bearer {token(server, role)}", **headers}
    with (
        httpx.Client(timeout=90) as client,
        client.stream("GET", f"{url}", headers=shown) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


@on_both
def test_a_tab_is_told_of_runs_as_they_move(
    server: Server, client: TestClient, start: Start, work: Work
) -> None:
    with listening(server) as url, opened(server, f"{url}/api/v1/events?topic=runs") as tab:
        assert tab.event()["event"] == "ready"
        run = start()
        first = tab.event()
        assert (first["event"], first["data"]["what"]) == ("runs", "waiting")
        assert first["data"]["id"] == run["id"]
        assert first["data"]["group"] == "weather"
        work()
        assert {one["data"]["id"] for one in tab.until("starting")} == {run["id"]}
        server.end_streams()


@on_both
def test_a_tab_at_one_server_is_told_of_what_another_one_did(
    server: Server, settings: Settings, start: Start
) -> None:
    other = Server(replace(settings, port=free_port()), launchers={})
    with other, listening(other) as url, opened(server, f"{url}/api/v1/events") as tab:
        tab.event()
        run = start()
        assert tab.until("waiting")[-1]["data"]["id"] == run["id"]
        other.end_streams()


@on_both
def test_a_tab_that_comes_back_is_told_what_it_missed(
    server: Server, client: TestClient, start: Start
) -> None:
    with listening(server) as url:
        path = f"{url}/api/v1/events?topic=runs"
        with opened(server, path) as tab:
            tab.event()
            start()
            seen = tab.event()["id"]
        missed = start()
        with opened(server, path, **{"Last-Event-ID": seen}) as tab:
            assert tab.event()["event"] == "ready"
            ids = [tab.event()["data"]["id"] for _ in range(2)]
            assert missed["id"] in ids
        with opened(server, path, **{"Last-Event-ID": "999999"}) as tab:
            tab.event()
            assert tab.event()["event"] == "gap"
        server.end_streams()


def test_a_quiet_stream_shows_that_it_lives_and_ends_in_time(
    server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    monkeypatch.setattr(stream, "LONGEST", 0.2)
    text = client.get("events").text
    assert text.startswith("retry: 2000\nevent: ready\ndata: {}\n\n")
    assert ": still here\n\n" in text


def test_who_may_not_look_is_told_nothing(api: Api, server: Server) -> None:
    problem(api(None).get("events"), 401, "unauthenticated")
    problem(api("viewer").get("events?topic=secrets"), 422, "topic-unknown")


def test_nobody_who_listens_costs_no_query(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """And two who listen cost those of one."""
    hub, read = Hub(server.db, every=0.01), threading.Event()
    reading = Reader.read

    def told(self: Reader) -> Any:
        read.set()
        return reading(self)

    monkeypatch.setattr(Reader, "read", told)
    loop = asyncio.new_event_loop()
    one, two = (Listener(frozenset({"runs"}), None, loop) for _ in range(2))
    hub.join(one)
    first = hub._thread
    hub.join(two)
    assert hub._thread is first
    assert read.wait(90)
    hub.leave(one)
    hub.leave(two)
    assert first is not None
    first.join(90)
    assert not first.is_alive()
    loop.close()


@on_both
def test_a_change_that_commits_late_is_told_all_the_same(server: Server) -> None:
    """Its id was given out before that of another, which committed first."""
    with server.db.write() as conn:
        conn.execute(insert(changes), [change(10)])
    reader = Reader(server.db)
    with server.db.write() as conn:
        conn.execute(insert(changes), [change(13)])
    assert [one.id for one in reader.read()] == [13]
    with server.db.write() as conn:
        conn.execute(insert(changes), [change(12), change(14)])
    assert [one.id for one in reader.read()] == [12, 14]
    assert reader.read() == []


@on_both
def test_a_change_that_commits_late_is_told_to_who_came_meanwhile(server: Server) -> None:
    """Its id is lower than that of the newest change that they found."""
    with server.db.write() as conn:
        conn.execute(insert(changes), [change(10), change(12)])
    reader = Reader(server.db)
    with server.db.write() as conn:
        conn.execute(insert(changes), [change(11)])
    assert [one.id for one in reader.read()] == [11]
    assert reader.read() == []


def test_who_comes_while_the_feed_is_read_is_told_what_commits_from_then_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, reading = Hub(server.db, every=0.01), Reader.read

    async def both() -> list[int]:
        loop = asyncio.get_running_loop()
        one, two = (Listener(frozenset({"runs"}), None, loop) for _ in range(2))

        def slow(self: Reader) -> Any:
            if two not in hub._listeners:  # the feed is being read when it comes
                hub.join(two)
                with server.db.write() as conn:
                    conn.execute(insert(changes), [change(1)])
            return reading(self)

        monkeypatch.setattr(Reader, "read", slow)
        hub.join(one)
        told = [await each.next(90) for each in (one, two)]
        return [each.id for each in told if each is not None]

    assert asyncio.run(both()) == [1, 1]
    hub.stop()


def test_that_the_feed_is_not_read_is_told_once_and_not_twice_a_second(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = threading.Semaphore(0)

    def away(_: Reader) -> Any:
        tried.release()
        raise StoreUnavailable("gone")

    monkeypatch.setattr(Reader, "read", away)
    loop, hub = asyncio.new_event_loop(), Hub(server.db, every=0.01)
    hub.join(Listener(frozenset({"runs"}), None, loop))
    assert all(tried.acquire(timeout=90) for _ in range(5))
    hub.stop()
    loop.close()
    assert caplog.text.count("the feed of changes is not read: gone") == 1


def test_who_leaves_while_it_comes_is_not_listed_for_ever(server: Server) -> None:
    """Its connection was closed while a thread had it join."""
    loop = asyncio.new_event_loop()
    hub, one = Hub(server.db), Listener(frozenset({"runs"}), None, loop)
    hub.leave(one)
    hub.join(one)
    assert (hub._listeners, hub._thread) == (set(), None)
    loop.close()


def change(number: int) -> dict[str, Any]:
    key = "01982f00-0000-7000-8000-000000000000"
    return {"id": number, "at": clock.now(), "topic": "runs", "what": "x", "key": key}


def test_who_is_too_slow_is_told_that_something_is_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> None:
        listener = Listener(frozenset({"runs"}), None, asyncio.get_running_loop(), asyncio.Queue(1))
        with server.db.write() as conn:
            conn.execute(insert(changes), [change(1), change(2)])
        reader = Reader(server.db)
        reader.position = 0
        listener.give(reader.read())
        first = await listener.next(90)
        assert first is not None
        with pytest.raises(Overrun):
            await listener.next(90)

    asyncio.run(slow())


@on_both
def test_every_room_that_can_be_listened_to_tells(
    server: Server, client: TestClient, api: Api
) -> None:
    admin = api("admin")
    admin.post("groups/weather/archivals", json={})
    made(server, {})
    reader = Reader(server.db)
    reader.position = 0
    told = {(one.topic, one.what) for one in reader.read()}
    assert {("groups", "changed"), ("groups", "released"), ("discoveries", "succeeded")} <= told
    assert ("runs", "succeeded") in told


def test_a_stream_ends_soon_after_the_session_that_asked_for_it(
    server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has logged out is told no more, in whatever tab."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    monkeypatch.setattr(stream, "ASKED_EVERY", 0.0)
    account(server)
    browser = logged_in(server)
    with listening(server) as url, httpx.Client(timeout=90) as tab:
        cookies = dict(browser.cookies)
        with tab.stream("GET", f"{url}/api/v1/events", cookies=cookies) as answer:
            lines = answer.iter_lines()
            assert "event: ready" in (next(lines), next(lines))
            assert browser.post("logout").is_success
            assert all(not line.startswith("event") for line in lines)


def test_a_stream_goes_on_while_the_database_is_away(
    server: Server, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be asked who they are; and nothing is told."""

    def away(*_: Any) -> Any:
        raise StoreUnavailable("gone")

    request = Request({"type": "http", "app": server.app, "headers": []})
    shown = HTTPAuthorizationCredentials(scheme="Bearer", credentials=token(server, "viewer"))
    admitted = asked_again(request, shown, lambda user: None)
    assert admitted()
    with monkeypatch.context() as patched:
        patched.setattr(access, "authenticate", away)
        assert admitted()
    with server.db.write() as conn:
        conn.execute(update(tokens).values(revoked_at=clock.now()))
    assert not admitted()
