"""The pages over a store of a program that embeds the engine, and has no server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from starlette.testclient import TestClient
from tests.server.support import problem
from tests.stores.postgres.support import add, make

from stepwell.engine import StepClient
from stepwell.errors import SchemaMissing
from stepwell.server.bare import BarePages, StoreOfServer, label
from stepwell.stores import open_store

Look: TypeAlias = Callable[..., TestClient]
HERE = ("127.0.0.1", 40_000)


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store with the steps' tables and nothing else."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'steps.db'}"
    else:
        made = request.getfixturevalue(f"{request.param}_database")()
    store = open_store(made)
    store.migrate()
    store.close()
    return made


@pytest.fixture
def look(url: str) -> Iterator[Look]:
    """`look(actions=True)` is a browser that has come in by the link."""
    with ExitStack() as held:

        def browser(*, come_in: bool = True, **options: Any) -> TestClient:
            pages = held.enter_context(BarePages(url, port=8421, **options))
            client = TestClient(pages.app, base_url="http://127.0.0.1:8421", client=HERE)
            if come_in:
                answer = client.get(pages.link(), follow_redirects=False)
                assert (answer.status_code, answer.headers["location"]) == (303, "/")
                client.headers["X-Stepwell-CSRF"] = client.cookies["stepwell_csrf"]
            return client

        yield browser


def filled(url: str) -> Any:
    """A step that is ready and one that has failed."""
    store = open_store(url)
    ready, failed = make("v1/mail", search_key="anna"), make("v1/bill")
    add(store, ready, failed)
    StepClient(store).fail(failed.id, "no address")
    store.close()
    return ready.id, failed.id


def test_steps_are_found_and_explained(look: Look, url: str) -> None:
    ready, failed = filled(url)
    client = look()
    me = client.get("/api/v1/me").json()
    assert (me["mode"], me["role"], me["how"]) == ("engine", "viewer", "link")
    assert me["environment"] == label(url)
    assert me["may"] == {"operate": False, "review": False, "administer": False}
    (found,) = client.get("/api/v1/steps", params={"search_key": "anna"}).json()["items"]
    assert found["id"] == str(ready)
    assert client.get(f"/api/v1/steps/{ready}").json()["explanation"]
    assert client.get("/api/v1/steps/counts").json()["failed"] == 1
    assert client.get("/api/v1/steps/failures").json()[0]["name"] == "v1/bill"
    assert len(client.get(f"/api/v1/steps/{failed}/lineage").json()["nodes"]) == 1
    assert client.get("/api/v1/controls").json()["items"] == []


def test_read_only_nothing_can_be_changed(look: Look, url: str) -> None:
    ready, _ = filled(url)
    client = look()
    for act, body in (("activations", {}), ("endings", {"reason": "x"})):
        problem(client.post(f"/api/v1/steps/{ready}/{act}", json=body), 403, "role-missing")
    (shown,) = client.get("/api/v1/steps", params={"status": "ready"}).json()["items"]
    assert shown["id"] == str(ready)


def test_with_actions_steps_are_activated_ended_and_run_again(look: Look, url: str) -> None:
    ready, failed = filled(url)
    client = look(actions=True)
    assert client.get("/api/v1/me").json()["may"]["operate"] is True
    at = f"/api/v1/steps/{ready}"
    assert client.post(f"{at}/activations", json={"args": {"n": 1}}).status_code == 201
    ended = client.post(f"{at}/endings", json={"ended_as": "cancelled", "reason": "by hand"})
    assert ended.json()["ended_as"] == "cancelled"
    again = client.post(f"/api/v1/steps/{failed}/re-executions", json={})
    assert again.status_code == 201
    assert again.json()["copy_of"] == str(failed)
    pause = {"kind": "pause", "key": "server", "reason": "a queue of ours has that name"}
    assert client.post("/api/v1/controls", json=pause).status_code == 200


def test_steps_in_queues_that_a_server_would_protect_are_ones_own(look: Look, url: str) -> None:
    store = open_store(url)
    step = make("v1/own", queue="runs")
    add(store, step)
    store.close()
    client = look(actions=True)
    ended = client.post(f"/api/v1/steps/{step.id}/endings", json={"reason": "mine"})
    assert ended.status_code == 201


def test_a_change_needs_the_pages_own_token(look: Look, url: str) -> None:
    ready, _ = filled(url)
    client = look(actions=True)
    del client.headers["X-Stepwell-CSRF"]
    problem(client.post(f"/api/v1/steps/{ready}/activations", json={}), 403, "cross-site")


def test_nobody_comes_in_without_the_link(look: Look) -> None:
    client = look(come_in=False)
    ways = client.get("/api/v1/login").json()
    assert ways == {"password": False, "oidc": None, "setup": False, "link": True}
    problem(client.get("/api/v1/steps"), 401, "unauthenticated")
    assert client.get("/login?code=swl_guessed").status_code == 401
    assert client.get("/api/v1/health").json()["status"] == "ok"


def test_what_only_a_server_has_is_not_there(look: Look) -> None:
    client = look()
    for path in ("runs", "schedules", "groups", "audit"):
        assert client.get(f"/api/v1/{path}").status_code == 404


def test_the_store_gets_no_table_of_the_pages(look: Look, url: str) -> None:
    filled(url)
    look(actions=True)
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as conn:
            names = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
        assert {name for name in names if name.startswith(("users", "sessions", "audit"))} == set()


def test_a_store_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaMissing), BarePages(f"sqlite:///{tmp_path / 'new.db'}", port=1):
        pass


def test_a_servers_own_steps_are_shown_and_not_changed(url: str) -> None:
    store = open_store(url)
    add(store, make("v1/server/tick", queue="server"))
    store.close()
    with BarePages(url, port=1):
        pass
    with pytest.raises(StoreOfServer), BarePages(url, port=1, actions=True):
        pass


def test_a_store_is_called_by_its_place_and_never_by_its_password() -> None:
    assert label("sqlite:////var/lib/shop/steps.db") == "steps.db"
    assert label("postgresql://me:secret@db.example:5432/shop?pooler=1") == "shop on db.example"
    assert label("postgresql://postgres:@/shop?host=/tmp/pg") == "shop"
