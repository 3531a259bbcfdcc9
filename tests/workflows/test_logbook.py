"""The log of a container: nobody waits for the server, and what it takes is in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from stepwell.errors import NotFound, StoreUnavailable
from stepwell.testing.launcher_contract import until
from stepwell.workflows import logbook, streams
from stepwell.workflows.lines import Line, lines_of, unpacked
from stepwell.workflows.logbook import LogBook
from stepwell.workflows.streams import heard


class Server:
    """Takes segments, as far as it lets itself be asked."""

    def __init__(self) -> None:
        self.segments: dict[str, list[str]] = {}
        self.about: dict[str, dict[str, str]] = {}
        self.calls = 0
        self.fault: Exception | None = None
        self.hold: Callable[[], Any] = lambda: None

    def __call__(self, about: dict[str, str], content: bytes) -> None:
        self.calls += 1
        self.hold()
        if self.fault is not None:
            raise self.fault
        number = about["segment"]
        self.about[number] = about  # first: whoever sees the segment looks here next
        self.segments[number] = [one.text for one in lines_of(unpacked(content))]


def line(text: str) -> Line:
    return Line(1, "stdout", 0, text)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def book(server: Server, monkeypatch: pytest.MonkeyPatch) -> LogBook:
    monkeypatch.setattr(logbook, "_BACKOFF", (0.01,))
    made = LogBook(server)
    made.start()
    return made


def test_a_line_is_sent_while_its_segment_grows(book: LogBook, server: Server) -> None:
    book.begin("load", 1)
    book.add(line("a"), 2)
    until(lambda: server.segments == {"0": ["a"]}, 90)
    assert server.about["0"]["closed"] == "false"
    book.add(line("b"), 2)
    until(lambda: server.segments == {"0": ["a", "b"]}, 90)
    book.begin("store", 1)
    book.add(line("c"), 2)
    book.close(timeout=90.0)
    assert server.segments == {"0": ["a", "b"], "1": ["c"]}
    assert server.about["0"] == {
        "segment": "0",
        "first_line": "0",
        "operation": "load",
        "execution": "1",
        "written": "4",
        "closed": "true",
    }
    assert (server.about["1"]["first_line"], server.about["1"]["written"]) == ("2", "6")


def test_a_full_segment_is_followed_by_another(book: LogBook, server: Server) -> None:
    for _ in range(30):
        book.add(line("x" * 20_000), 20_001)
    book.close(timeout=90.0)
    assert [len(server.segments[number]) for number in ("0", "1", "2")] == [14, 14, 2]


def test_a_server_that_is_away_is_tried_again_and_nobody_waits(
    book: LogBook, server: Server
) -> None:
    server.fault = StoreUnavailable("It is away.")
    for number in range(100):
        book.add(line(f"{number}"), 3)
    until(lambda: server.calls > 2, 90)
    server.fault = None
    until(lambda: server.segments, 90)  # a try that has met the fault may be the last at an end
    book.close(timeout=90.0)
    assert len(server.segments["0"]) == 100


def test_an_end_does_not_wait_for_a_server_that_is_away(book: LogBook, server: Server) -> None:
    server.fault = StoreUnavailable("It is away.")
    book.add(line("lost"), 5)
    book.close(timeout=90.0)
    assert not book._thread.is_alive()


def test_of_what_waits_too_long_the_oldest_goes(
    book: LogBook, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logbook, "WAITING", 600_000)
    held = threading.Event()
    server.hold = held.wait
    book.add(line("first"), 6)
    until(lambda: server.calls == 1, 90)  # from here on nothing is taken from what waits
    for number in range(6):
        for _ in range(14):
            book.add(line(f"{number}" + "x" * 20_000), 20_002)
    held.set()
    book.close(timeout=90.0)
    assert "5" in server.segments
    assert "2" not in server.segments


def test_an_older_server_is_not_asked_again(
    book: LogBook, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.fault = NotFound("No such route.")
    book.add(line("a"), 2)
    until(lambda: server.calls == 1 and not book._thread.is_alive(), 90)
    book.add(line("b"), 2)
    book.close(timeout=90.0)
    assert server.calls == 1
    assert "the log is not sent any more" in capsys.readouterr().err


def said(record: logging.LogRecord) -> bytes:
    return streams._structured(record).encode()


def record(text: str, **fields: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "shop", "levelno": 30, "msg": text, **fields})
    made.created = 2.5
    return made


def test_a_structured_line_keeps_level_logger_and_fields() -> None:
    (one,) = heard("stderr", said(record("careful", rows=3)))
    assert one.text == "WARNING shop: careful\n"
    assert one.line == Line(2500, "log", 30, "careful", {"logger": "shop", "rows": 3})


def test_text_without_an_end_before_a_structured_line_is_a_line_of_its_own() -> None:
    first, second = heard("stderr", b"progress 3" + said(record("careful")))
    assert (first.text, second.line and second.line.text) == ("progress 3", "careful")


@pytest.mark.parametrize("raw", [b"\x1enonsense\n", b"\x1e{}\n", b"\x1e[1]\n", b"\x1e7\n"])
def test_what_only_looks_structured_is_the_users_own(raw: bytes) -> None:
    (one,) = heard("stdout", raw)
    assert one.line is not None
    assert one.line.stream == "stdout"


def test_a_structured_line_that_is_too_long_is_cut_to_one_piece() -> None:
    raw = said(record("y" * 300_000, much="x" * 300_000))
    assert len(raw) < streams.PIECE
    (one,) = heard("stderr", raw)
    assert one.line is not None
    assert one.line.level == 30
