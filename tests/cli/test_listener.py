"""The server's socket: what a connection may send before it is refused."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from stepwell.cli.serving.listener import HEAD_BYTES, Listener, bound

_GET = b"GET / HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where an app listens that answers with the size of the body."""
    app = FastAPI()

    @app.api_route("/", methods=["GET", "POST"], response_class=PlainTextResponse)
    async def size(request: Request) -> str:
        return str(len(await request.body()))

    @app.get("/peer", response_class=PlainTextResponse)
    async def peer(request: Request) -> str:
        assert request.client is not None
        return request.client.host

    on = bound("127.0.0.1", 0)
    listener = Listener(app, on).start()
    yield on.getsockname()[1]
    listener.stop()


def test_a_caller_on_this_machine_cannot_say_that_it_is_another(port: int) -> None:
    """Whose `X-Forwarded-For` is believed is for STEPWELL_TRUSTED_PROXIES to say."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/peer", headers={"X-Forwarded-For": "203.0.113.9"})
    assert connection.getresponse().read() == b"127.0.0.1"
    connection.close()


def test_a_head_that_does_not_end_is_refused_and_the_connection_closed(port: int) -> None:
    assert b"400" in _answer(port, _GET + b"X-Long: " + b"x" * (2 * HEAD_BYTES))


def test_headers_that_do_not_end_are_refused(port: int) -> None:
    assert b"400" in _answer(port, _GET + b"X-One: more\r\n" * (HEAD_BYTES // 4))


def test_what_follows_a_body_without_an_end_is_refused(port: int) -> None:
    body = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    more_than_one_read = b"x" * (32 * HEAD_BYTES)  # the end of a body begins the count anew
    assert b"400" in _answer(port, body + b"X-Trailer: " + more_than_one_read)


def test_a_body_may_be_longer_than_a_head(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/", b"x" * (20 * HEAD_BYTES))
    assert connection.getresponse().read() == str(20 * HEAD_BYTES).encode()
    connection.close()


def test_a_connection_that_is_kept_is_bounded_by_request_and_not_as_a_whole(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(6):
        connection.request("GET", "/", headers={"X-Half": "x" * (HEAD_BYTES // 2)})
        assert connection.getresponse().read() == b"0"
    connection.close()


def test_a_request_for_a_web_socket_is_answered_as_any_other(port: int) -> None:
    wanted = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    answer = _answer(port, _GET + wanted + b"Sec-WebSocket-Key: eHh4\r\n\r\n", closing=False)
    assert answer.startswith(b"HTTP/1.1 200")


def _answer(port: int, sent: bytes, *, closing: bool = True) -> bytes:
    """What comes back, up to the end of the connection where it is to be closed."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=90) as connection:
        # It may be closed before all of ours is sent, or with something of ours unread.
        with suppress(ConnectionError):
            connection.sendall(sent)
        with suppress(ConnectionError):
            while more := connection.recv(4096):
                got += more
                if not closing:
                    break
    return got
