"""Calls over HTTP: JSON in and out, pages, errors, and repetition where it is safe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self
from uuid import uuid4

from stepwell.client.errors import Unreachable, content, refusal
from stepwell.errors import InvalidInput
from stepwell.lean import httpx

PREFIX: Final = "/api/v1"

ALL: Final = sys.maxsize
"""The limit of a list that is to be read to its end."""

PAGE: Final = 100
_PAUSES: Final = (0.2, 1.0, 3.0)
_BUSY: Final = frozenset({502, 503, 504})


class Transport:
    """One server, spoken to with one token.

    Parameters
    ----------
    url : where the server is, without `/api/v1`.
    token : an API token; empty is none.
    transport : for tests; by default the network.
    timeout : seconds to wait for an answer.
    tries : how often a call is made at most where no answer came, or a busy one. A change
        has an `Idempotency-Key`, so that it happens once however often it is sent.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 30.0,
        tries: int = 3,
    ) -> None:
        self.url, self.tries = url, tries
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = _http_client(url, headers, transport, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
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
            page = self.get(path, cursor=cursor, limit=min(left, PAGE), **query)
            items = page["items"][:left]
            yield from items
            left -= len(items)
            cursor = page.get("next")
            if not cursor:
                return

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Any:
        """The JSON answer of a call.

        Parameters
        ----------
        key : the `Idempotency-Key` of a change; None is a new one.

        Raises
        ------
        StepwellError : what the server said, of the kind that its status means.
        Unreachable : no server answered.
        """
        answer = self.raw(method, path, body=body, query=query, key=key)
        if answer.status_code == 204 or not answer.content:
            return None
        return content(answer)

    def raw(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """The whole answer of a call that the server accepted: for files."""
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(method, PREFIX + path, json=body, params=wanted)
        if method != "GET":
            request.headers["Idempotency-Key"] = key or uuid4().hex
        answer = self._answer(request)
        if answer.is_error:
            raise refusal(answer)
        return answer

    def stream(
        self, path: str, *, last_id: str | None = None, **query: Any
    ) -> Iterator[dict[str, str]]:
        """The server-sent events of a stream until it ends: event, data, and id where it has one.

        Raises
        ------
        StepwellError : what the server said.
        Unreachable : no server answered, or it went away.
        """
        wanted = {name: value for name, value in query.items() if value is not None}
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        wait = httpx.Timeout(30.0)  # the server says every 15 s that it lives
        options: dict[str, Any] = {"params": wanted, "headers": headers, "timeout": wait}
        try:
            with self._http.stream("GET", PREFIX + path, **options) as answer:
                if answer.is_error:
                    answer.read()
                    raise refusal(answer)
                yield from _events(answer.iter_lines())
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error

    def _answer(self, request: httpx.Request) -> httpx.Response:
        for pause in (*_PAUSES[: self.tries - 1], None):
            try:
                answer = self._http.send(request)
            except httpx.HTTPError as error:
                if pause is None:
                    raise self.unreachable(error) from error
            else:
                if pause is None or answer.status_code not in _BUSY:
                    return answer
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def unreachable(self, error: httpx.HTTPError) -> Unreachable:
        """The error for a call that nobody answered."""
        return Unreachable(
            f"No answer from {self.url}.",
            why=str(error) or type(error).__name__,
            fix="Start it with `stepwell dev PATH` or `stepwell serve`, or correct the address.",
        )


def _events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = f"{fields['data']}\n{value}" if name in fields else value
        elif not line and "data" in fields:
            yield {"event": "message", **fields}
            fields = {}


def _http_client(
    address: str,
    headers: Mapping[str, str],
    transport: httpx.BaseTransport | None,
    timeout: float,
) -> httpx.Client:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _no_address(address, str(error)) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise _no_address(address, "It does not begin with http:// or https:// and a host.")
    return httpx.Client(base_url=url, headers=headers, transport=transport, timeout=timeout)


def _no_address(address: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{address!r} is no address of a server.", why=why, fix="Write it as http://127.0.0.1:8420."
    )
