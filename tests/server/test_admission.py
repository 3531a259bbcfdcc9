"""What is refused before it is read: bodies that are too large, addresses with a NUL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message
from tests.server.support import Api, on_both, problem

from stepwell.server import openapi
from stepwell.server.admission import MIB, limit_of
from stepwell.server.app import Server


def too_much(size: int) -> Iterator[bytes]:
    for _ in range(size // MIB + 1):
        yield b"x" * MIB


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("groups", 2 * MIB),
        ("runs/0198f2aa-1111-7000-8000-000000000000/store/settle", 32 * MIB),
        ("discoveries/0198f2aa-1111-7000-8000-000000000000/manifest", 8 * MIB),
    ],
)
def test_a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not(
    api: Api, path: str, size: int
) -> None:
    assert limit_of(f"/api/v1/{path}") == size
    announced = {"Content-Length": str(size + 1)}
    problem(api().post(path, content=b"{}", headers=announced), 413, "body-too-large")
    problem(api().post(path, content=too_much(size)), 413, "body-too-large")


def test_no_more_is_read_than_the_limit(server: Server) -> None:
    """A body without a length is given up as soon as it is over, whoever sends it."""
    read, sent = 0, []

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * MIB, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    path = "/api/v1/groups"
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "scheme": "http",
        "server": ("testserver", 80),
        "client": ("test", 1),
        "http_version": "1.1",
        "root_path": "",
    }
    asyncio.run(server.app(scope, receive, send))
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["code"] == "body-too-large"
    assert read <= 4


@on_both
@pytest.mark.parametrize("path", ["runs?q=a%00b", "runs?group=%00", "groups/a%00b", "state/x%00?y"])
def test_a_nul_in_an_address_is_refused_on_every_database(api: Api, path: str) -> None:
    problem(api().get(path), 422, "character-forbidden")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nowhere", 404, "not-found"),
        ("GET", "groups/a/b/c/d", 404, "not-found"),
        ("PUT", "runs", 405, "method-not-allowed"),
        ("GET", "runs/no-id", 422, "invalid-input"),
        ("GET", "runs?limit=0", 422, "invalid-input"),
    ],
)
def test_every_refusal_is_a_problem(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    found = problem(api().request(method, path), status, code)
    assert found["what"]


def test_a_body_that_is_no_json_is_a_problem(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    problem(api().post("groups", content=b"{", headers=headers), 422, "invalid-input")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return dict(json.loads(openapi.document()))


def operations(described: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_openapi_3_1_and_names_each_operation_once(
    described: dict[str, Any],
) -> None:
    assert described["openapi"].startswith("3.1")
    names = [one["operationId"] for _, one in operations(described)]
    assert sorted(names) == sorted(set(names))
    assert [one for one in names if not one.islower() or "_" not in one] == []


def test_each_operation_has_a_known_tag_and_says_what_it_does(described: dict[str, Any]) -> None:
    known = {one["name"] for one in described["tags"]}
    missing = [
        where
        for where, one in operations(described)
        if not set(one.get("tags", [])) & known or not one.get("description")
    ]
    assert missing == []


def test_each_operation_answers_errors_with_a_problem(described: dict[str, Any]) -> None:
    for where, one in operations(described):
        assert "application/problem+json" in one["responses"]["default"]["content"], where


def test_each_change_takes_an_idempotency_key_but_those_that_must_not(
    described: dict[str, Any],
) -> None:
    """What writes nothing needs none, what a container uploads is the same for being there,
    and the answers of a login are secret."""
    without = {
        where
        for where, one in operations(described)
        if where.split()[0] != "get"
        and "idempotency-key" not in {p["name"].lower() for p in one.get("parameters", [])}
    }
    nothing = ("previews", "tests")
    login = ("/login", "/logout", "/password")
    writing = {
        where
        for where in without
        if not where.endswith(nothing) and not any(one in where for one in login)
    }
    assert writing == {
        "post /api/v1/runs/{run_id}/blobs",
        "post /api/v1/runs/{run_id}/logs/segments",
    }
