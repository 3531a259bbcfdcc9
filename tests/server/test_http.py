"""What all routes share: problems, idempotency, hosts, health, the committed API."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.server.schedules.support import entry, release, scheduled
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    SchemaMissing,
    SettlementRejected,
    SetupError,
    StepwellError,
    StoreUnavailable,
    Unauthenticated,
)
from stepwell.schedules import Every
from stepwell.server import openapi
from stepwell.server.access.records import Role
from stepwell.server.app import ROOMS, Server
from stepwell.server.audit import service as audit
from stepwell.server.database.session import ValueUnstorable, WriteConflict
from stepwell.server.database.tables import answers, releases
from stepwell.server.database.tables import audit as audit_table
from stepwell.server.http import Call, Router, reads, writes
from stepwell.server.problems import form_of, status_of
from stepwell.server.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tried(server: Server) -> list[Any]:
    """Two more routes: /tried writes an audit entry per call, and does what `then` asks."""
    router = Router()
    calls: list[str] = []

    @router.post("/tried", status_code=201)
    def act(
        call: Annotated[Call, writes(Role.OPERATOR)], then: str = "", word: str = ""
    ) -> dict[str, Any]:
        calls.append(word)
        audit.record(call.conn, call.user.name, "thing.do", word)
        if then == "refuse":
            raise Conflict("It is not in a condition for that.")
        if then == "break":
            raise RuntimeError("a secret detail")
        if then == "lose":
            raise StoreUnavailable("The database does not answer.", why="a secret detail")
        return {"number": len(calls)}

    @router.get("/tried")
    def look(call: Annotated[Call, reads(Role.VIEWER)]) -> int:
        return len(call.conn.execute(select(audit_table)).all())

    server.app.router.routes.extend(router.routes)
    return calls


def test_a_server_takes_the_routes_of_its_rooms_as_they_are(server: Server) -> None:
    """To make each a second time would cost its first request half a second, and 5 MiB."""
    routes = {id(one) for room in ROOMS for one in room.routes}
    assert len(routes) > 150
    assert routes <= {id(one) for one in server.app.routes}


def test_what_a_route_takes_is_read_with_its_first_request(server: Server, api: Api) -> None:
    """To read it for all routes would keep each start waiting for half a second."""
    router = Router()
    together = threading.Barrier(8)

    @router.get("/number/{number}")
    def give(number: int) -> int:
        return number

    (route,) = router.routes
    server.app.router.routes.extend(router.routes)
    assert api("viewer").post("number/1").status_code == 405
    assert "dependant" not in vars(route)

    def ask(number: int) -> int:
        together.wait()
        return int(api("viewer").get(f"number/{number}").text)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == list(range(8))
    assert "dependant" in vars(route)
    with pytest.raises(AttributeError, match="unheard_of"):
        _ = route.unheard_of  # type: ignore[attr-defined]


def done(server: Server) -> list[str]:
    with server.db.read() as conn:
        query = select(audit_table.c.target).where(audit_table.c.action == "thing.do")
        return list(conn.execute(query).scalars())


@on_both
def test_a_repeated_key_gets_the_first_answer_and_nothing_happens_twice(
    server: Server, api: Api, tried: list[Any]
) -> None:
    client, key = api("operator"), {"Idempotency-Key": "k1"}
    found = [client.post("tried?word=a", headers=key) for _ in range(3)]
    assert [one.json() for one in found] == [{"number": 1}] * 3
    assert [one.status_code for one in found] == [201] * 3
    assert done(server) == ["a"]


def test_without_a_key_every_call_counts(server: Server, api: Api, tried: list[Any]) -> None:
    client = api("operator")
    client.post("tried")
    client.post("tried")
    assert len(done(server)) == 2


def test_a_key_belongs_to_its_caller(server: Server, api: Api, tried: list[Any]) -> None:
    key = {"Idempotency-Key": "k1"}
    for client in (api("operator"), api("operator")):
        assert client.post("tried", headers=key).status_code == 201
    assert len(done(server)) == 2


def test_a_key_that_was_used_for_another_request_is_refused(
    server: Server, api: Api, tried: list[Any]
) -> None:
    client, key = api("operator"), {"Idempotency-Key": "k1"}
    client.post("tried?word=a", headers=key)
    problem(client.post("tried?word=b", headers=key), 409, "idempotency-key-reused")
    assert done(server) == ["a"]


def test_what_failed_may_be_tried_again_under_the_same_key(
    server: Server, api: Api, tried: list[Any]
) -> None:
    client, key = api("operator"), {"Idempotency-Key": "k1"}
    problem(client.post("tried?then=refuse", headers=key), 409, "conflict")
    assert done(server) == []
    with server.db.read() as conn:
        assert conn.execute(select(answers)).all() == []
    assert client.post("tried", headers=key).status_code == 201


@on_both
def test_many_at_once_under_one_key_are_one(server: Server, api: Api, tried: list[Any]) -> None:
    client, key = api("operator"), {"Idempotency-Key": "k1"}
    found: list[int] = []

    def post() -> None:
        found.append(client.post("tried", headers=key).status_code)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert found == [201] * 8
    assert len(done(server)) == 1


@pytest.mark.parametrize(
    ("then", "answer"), [("break", (500, "internal-error")), ("lose", (503, "store-unavailable"))]
)
@pytest.mark.usefixtures("tried")
def test_what_a_driver_says_is_shown_to_nobody_but_has_an_id_that_the_log_has(
    server: Server, api: Api, caplog: pytest.LogCaptureFixture, then: str, answer: tuple[int, str]
) -> None:
    with caplog.at_level(logging.WARNING, "stepwell.server"):
        told = problem(api("operator").post(f"tried?then={then}"), *answer)
    assert "secret detail" not in str(told)
    assert told["correlation_id"] in caplog.text
    assert "a secret detail" in caplog.text
    assert done(server) == []


def test_a_callers_correlation_id_is_kept_if_it_is_sane(api: Api) -> None:
    client = api(None)
    kept = client.get("health", headers={"X-Correlation-Id": "order-7"})
    assert kept.headers["x-correlation-id"] == "order-7"
    made = client.get("health", headers={"X-Correlation-Id": "a b\tc"})
    assert made.headers["x-correlation-id"] not in {"", "a b\tc"}


def test_a_body_that_is_no_json_is_told_without_a_traceback(api: Api) -> None:
    client = api("admin")
    answer = client.post("groups", content=b"{", headers={"Content-Type": "application/json"})
    problem(answer, 422, "invalid-input")


def test_an_unknown_path_and_a_wrong_method_are_problems_too(api: Api) -> None:
    problem(api("admin").get("nowhere"), 404, "not-found")
    answer = api("admin").delete("groups")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_a_page_is_neither_empty_nor_endless(api: Api, limit: str) -> None:
    told = problem(api("admin").get(f"tokens?limit={limit}"), 422, "invalid-input")
    assert told["errors"][0]["field"] == "limit"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("x"), 422),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Unauthenticated("x"), 401),
        (Denied("x"), 403),
        (StoreUnavailable("x"), 503),
        (SetupError("x"), 500),
        (SchemaMissing("x"), 500),
        (SettlementRejected("x"), 409),
    ],
)
def test_the_status_follows_from_the_kind_of_error(error: StepwellError, status: int) -> None:
    assert status_of(error) == status


def test_health_needs_no_token_and_tells_the_version(api: Api) -> None:
    answer = api(None).get("health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_health_is_a_problem_while_the_database_is_away(
    server: Server, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise StoreUnavailable("The database cannot be reached.")

    monkeypatch.setattr(server.db, "read", away)
    answer = api(None).get("health")
    problem(answer, 503, "store-unavailable")
    assert answer.headers["retry-after"]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a `dev` server, which answers to loopback names only."""
    with Server(Settings.for_dev(tmp_path, run_engine=False)) as server:
        token = server.admin_token_file.read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        yield TestClient(server.app, base_url="http://localhost:8420", headers=headers)


@pytest.mark.parametrize("host", ["localhost:8420", "127.0.0.1", "[::1]:8420", "LOCALHOST"])
def test_dev_answers_to_names_of_this_machine(guarded: TestClient, host: str) -> None:
    assert guarded.get("/api/v1/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[::1", "10.0.0.1"])
def test_dev_refuses_any_other_host(guarded: TestClient, host: str) -> None:
    """R42: a page of another site cannot reach it by a name that points to loopback."""
    problem(guarded.get("/api/v1/health", headers={"Host": host}), 403, "host-unknown")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8420", 200),
        ("http://127.0.0.1:5173", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
def test_dev_refuses_a_foreign_origin(guarded: TestClient, origin: str, status: int) -> None:
    answer = guarded.get("/api/v1/me", headers={"Origin": origin})
    assert answer.status_code == status


def test_the_committed_api_is_the_one_that_the_routes_make() -> None:
    """Run `python -m stepwell.server.openapi openapi.json` after a change of routes."""
    assert (ROOT / "openapi.json").read_text() == openapi.document()


def test_the_api_describes_errors_as_what_they_are(server: Server, api: Api) -> None:
    described = server.app.openapi()
    schemas = described["components"]["schemas"]
    told = api(None).get("me").json()
    assert set(told) <= set(schemas["Problem"]["properties"])
    assert set(schemas["Problem"]["required"]) <= set(told)
    assert "HTTPValidationError" not in schemas
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation["responses"]["default"]["content"]
            assert list(content) == ["application/problem+json"], (method, path)


def test_a_race_that_a_constraint_decides_is_a_conflict(server: Server) -> None:
    row = {"caller": "a", "key": "k", "request_hash": "0", "created_at": clock.now()}
    with pytest.raises(WriteConflict), server.db.write() as conn:
        conn.execute(answers.insert(), [row, row])


@on_both
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "groups", {"image": "a\0b"}),
        ("POST", "groups", {"image": "a", "reason": "\0"}),
    ],
)
def test_a_nul_character_is_the_callers_mistake_where_the_database_does_not_take_it(
    server: Server, api: Api, method: str, path: str, body: Any
) -> None:
    """In a body; in an address it is refused for all. Nothing fails, nothing is half-applied."""
    answer = api("admin").request(method, path, json=body)
    if server.db.engine.dialect.name == "postgresql":
        problem(answer, 422, "value-unstorable")
        assert api("viewer").get("groups").json()["items"] == []
    else:
        assert answer.status_code < 500, answer.text


@on_both
def test_a_number_that_is_too_large_is_the_callers_mistake(server: Server, api: Api) -> None:
    with pytest.raises(ValueUnstorable), server.db.read() as conn:
        conn.execute(select(releases).where(releases.c.number == 10**30)).all()


def asked_by_instants() -> Iterator[tuple[str, list[str]]]:
    """Each list or figure that one can ask by instants, and their names."""
    described = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
    for path, methods in described["paths"].items():
        given = methods.get("get", {}).get("parameters", [])
        names = [one["name"] for one in given if "date-time" in str(one["schema"])]
        if names and "{" not in path:
            yield path.removeprefix("/api/v1/"), names


@on_both
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z"),
        ("9999-12-31T00:00:00Z", "9999-12-31T23:00:00-12:00"),
    ],
)
def test_an_instant_that_no_year_in_utc_has_is_no_error_of_the_server(
    server: Server, api: Api, begin: str, end: str
) -> None:
    release(server, entry("nightly"))
    scheduled(server, Every(hours=1))
    client, asked = api("admin"), dict(asked_by_instants())
    assert asked["schedules/audit"] == ["from", "to"]
    for path, names in asked.items():
        late = {name: end for name in names if name.endswith(("to", "until"))}
        answer = client.get(path, params={**dict.fromkeys(names, begin), **late})
        assert answer.status_code in (200, 409, 422), (path, answer.text)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (
            r"^[a-z][a-z0-9-]*$",
            'it has only small letters, digits and "-", and begins with small letters',
        ),
        (
            r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$",
            'it has only letters, digits, ".", "_", "@" and "-", and begins with letters or digits',
        ),
        (
            r"^env:[A-Za-z_][A-Za-z0-9_]*$",
            (
                'it is env:NAME, where NAME has only letters, digits and "_",'
                ' and begins with letters or "_"'
            ),
        ),
        (r"^\S(.*\S)?$", None),
    ],
)
def test_the_pattern_of_a_name_is_told_in_words(pattern: str, said: str | None) -> None:
    assert form_of(pattern) == said


def test_a_name_of_the_wrong_form_is_refused_in_words(api: Api) -> None:
    body = {"kind": "pool", "name": "my db", "slots": 1}
    answer = api("operator").post("run-limits", json=body)
    assert answer.json()["what"].startswith("name cannot be used: it has only letters, digits")
