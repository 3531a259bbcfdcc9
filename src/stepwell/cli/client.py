"""The API over HTTP, for the command line: calls, pages, and errors as exceptions."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

import httpx

from stepwell.cli.exits import Unexpected, Unreachable
from stepwell.cli.profile import Profile
from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StepwellError,
    Unauthenticated,
    Unavailable,
)

PREFIX: Final = "/api/v1"

ALL: Final = sys.maxsize
"""The limit of a list that is to be read to its end."""

_BY_STATUS: Final[dict[int, type[StepwellError]]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    422: InvalidInput,
    429: Unavailable,
    500: Unexpected,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


class Client:
    """One server, spoken to with one token.

    Parameters
    ----------
    profile : address and token.
    transport : for tests; by default the network.
    timeout : seconds to wait for an answer.
    """

    def __init__(
        self,
        profile: Profile,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 30.0,
    ) -> None:
        headers = {"Authorization": f"Bearer {profile.token}"} if profile.token else {}
        self.profile = profile
        self._http = _http_client(profile, headers, transport, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """GET a resource; query values of None are left out."""
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """POST JSON; the answer's JSON, or None."""
        return self.call("POST", path, body=body, query=query)

    def patch(self, path: str, body: Any) -> Any:
        """PATCH JSON; the answer's JSON."""
        return self.call("PATCH", path, body=body)

    def put(self, path: str, body: Any) -> Any:
        """PUT JSON; the answer's JSON."""
        return self.call("PUT", path, body=body)

    def delete(self, path: str, **query: Any) -> Any:
        """DELETE a resource."""
        return self.call("DELETE", path, query=query)

    def items(self, path: str, limit: int = 100, **query: Any) -> Iterator[Any]:
        """The items of a list, over as many pages as it takes, at most `limit`."""
        cursor: str | None = None
        left = limit
        while left > 0:
            page = self.get(path, cursor=cursor, limit=min(left, 100), **query)
            items = page["items"][:left]
            yield from items
            left -= len(items)
            cursor = page.get("next")
            if not cursor or not items:
                return

    def call(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """The JSON answer of a call.

        Raises
        ------
        StepwellError : what the server said, of the kind that its status means.
        Unreachable : no server answered.
        """
        answer = self.raw(method, path, body=body, query=query)
        if answer.status_code == 204 or not answer.content:
            return None
        return _json(answer)

    def raw(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """The whole answer of a call that the server accepted: for files."""
        wanted = {key: value for key, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, PREFIX + path, json=body, params=wanted)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if answer.is_error:
            raise refusal(answer)
        return answer

    def events(self, path: str, **query: Any) -> Iterator[tuple[str, str]]:
        """The server-sent events of a stream, as name and data, until it ends.

        Raises
        ------
        StepwellError : what the server said.
        Unreachable : no server answered, or it went away.
        """
        wanted = {key: value for key, value in query.items() if value is not None}
        wait = httpx.Timeout(30.0)  # the server says every 15 s that it lives
        try:
            with self._http.stream("GET", PREFIX + path, params=wanted, timeout=wait) as answer:
                if answer.is_error:
                    answer.read()
                    raise refusal(answer)
                yield from _events(answer.iter_lines())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.HTTPError) -> Unreachable:
        source = f" (from {self.profile.source})" if self.profile.source else ""
        return Unreachable(
            f"No answer from {self.profile.url}{source}.",
            why=str(error) or type(error).__name__,
            fix="Start it with `stepwell dev PATH` or `stepwell serve`, or give another --url.",
        )


def refusal(answer: httpx.Response) -> StepwellError:
    """The error in a problem+json answer, as an exception of the kind its status means."""
    problem = _json(answer)
    kind = _BY_STATUS.get(answer.status_code, Unexpected)
    if not isinstance(problem, dict):
        problem = {}
    error = kind(
        problem.get("what") or problem.get("title") or f"HTTP {answer.status_code}.",
        why=problem["why"] if "why" in problem else _detail(problem.get("detail")),
        fix=problem.get("fix") or "",
    )
    error.code = problem.get("code") or kind.code
    return error


def _events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    name, data = "message", list[str]()
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line and data:
            yield name, "\n".join(data)
            name, data = "message", []


def _http_client(
    profile: Profile,
    headers: Mapping[str, str],
    transport: httpx.BaseTransport | None,
    timeout: float,
) -> httpx.Client:
    try:
        url = httpx.URL(profile.url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _no_address(profile.url, str(error)) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise _no_address(profile.url, "It does not begin with http:// or https:// and a host.")
    return httpx.Client(base_url=url, headers=headers, transport=transport, timeout=timeout)


def _no_address(url: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{url!r} is no address of a server.", why=why, fix="Write it as http://127.0.0.1:8420."
    )


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Unexpected(
            f"{answer.request.url} gave HTTP {answer.status_code} and no JSON.",
            why="It begins with: " + " ".join(answer.text[:120].split()),
            fix="Check that --url is the address of a Stepwell server.",
        ) from error


def _detail(detail: Any) -> str:
    if isinstance(detail, list):
        return "; ".join(str(one.get("msg", one)) for one in detail if isinstance(one, dict))
    return str(detail or "")
