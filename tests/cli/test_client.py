"""What the client makes of answers, good and bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from stepwell.cli.client import Client
from stepwell.cli.exits import Exit, described, exit_code
from stepwell.cli.profile import Profile
from stepwell.client import UnexpectedAnswer, Unreachable
from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StepwellError,
    Unauthenticated,
    Unavailable,
)

SERVER = Profile("http://test", "secret")


def _client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client(SERVER, httpx.MockTransport(answer))


def _problem(status: int, **fields: str) -> Client:
    return _client(lambda _: httpx.Response(status, json={"code": "some-code", **fields}))


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, Unauthenticated, Exit.DENIED),
        (403, Denied, Exit.DENIED),
        (404, NotFound, Exit.NOT_FOUND),
        (409, Conflict, Exit.CONFLICT),
        (422, InvalidInput, Exit.MISTAKE),
        (503, Unavailable, Exit.UNREACHABLE),
        (500, UnexpectedAnswer, Exit.FAILED),
    ],
)
def test_a_status_is_a_kind_of_error_and_an_exit_code(
    status: int, kind: type[StepwellError], code: Exit
) -> None:
    with pytest.raises(kind) as caught:
        _problem(status, what="No.", why="Because.", fix="Do.").get("/x")
    assert exit_code(caught.value) is code


def test_the_servers_own_words_and_code_are_shown() -> None:
    with pytest.raises(NotFound) as caught:
        _problem(404, what="No group.", why="", fix="See the list.").get("/groups/x")
    said = described(caught.value, as_json=False)
    assert said == "error: No group.\n  fix: See the list.\n code: some-code"
    assert '"code": "some-code"' in described(caught.value, as_json=True)


def test_what_has_no_reason_is_not_said_twice() -> None:
    with pytest.raises(NotFound) as caught:
        _problem(404, what="No group.", why="", fix="", detail="No group.").get("/groups/x")
    assert caught.value.why == ""


def test_further_lines_of_a_reason_stand_under_the_first() -> None:
    error = NotFound("No.", why="\n  a.py:1\n b.py:2", fix="Do.")
    said = described(error, as_json=False)
    assert said == "error: No.\n  why: a.py:1\n       b.py:2\n  fix: Do.\n code: not-found"


def test_the_token_is_shown_to_the_server() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json={})

    _client(answer).get("/me")
    assert seen == ["Bearer secret"]


def test_a_list_is_read_over_all_its_pages_and_no_further_than_asked() -> None:
    pages: dict[str | None, dict[str, Any]] = {
        None: {"items": [1, 2], "next": "b"},
        "b": {"items": [3, 4], "next": None},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.params.get("cursor")])

    assert list(_client(answer).items("/things")) == [1, 2, 3, 4]
    assert list(_client(answer).items("/things", 3)) == [1, 2, 3]


def test_an_address_where_nobody_listens_says_how_to_start_a_server() -> None:
    with pytest.raises(Unreachable) as caught:
        Client(Profile("http://127.0.0.1:1")).get("/me")
    assert "stepwell dev" in caught.value.fix
    assert exit_code(caught.value) is Exit.UNREACHABLE


def test_a_page_that_is_no_json_is_not_taken_for_stepwell() -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        _client(lambda _: httpx.Response(200, text="<html>Welcome</html>")).get("/me")
    assert "Welcome" in caught.value.why


def test_an_address_that_is_none_is_the_users_mistake() -> None:
    with pytest.raises(InvalidInput):
        Client(Profile("not an address")).get("/me")
