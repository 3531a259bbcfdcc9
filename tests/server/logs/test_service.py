"""Taking in a log: segments that grow, that are closed, and what is left of too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.logs.support import line, read, send, texts
from tests.server.support import drain, on_both

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.blobs.steps import Sweep
from stepwell.server.blobs.store import BlobStore, BlobStoreUnavailable
from stepwell.server.logs import kept, service
from stepwell.server.logs.records import Piece
from stepwell.workflows.lines import Line, SegmentInvalid, joined, packed, rendered


def places(server: Server) -> list[tuple[bool, bool]]:
    """Of each segment: whether it lies in its row, and whether in the blob store."""
    with server.db.read() as conn:
        query = "SELECT content IS NOT NULL, blob_id IS NOT NULL FROM log_segments ORDER BY number"
        return [(bool(row), bool(blob)) for row, blob in conn.exec_driver_sql(query)]


@on_both
def test_a_segment_grows_in_its_row_and_goes_to_the_blob_store_when_it_is_closed(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    send(server, run_id, 0, [line("a")], closed=False)
    assert texts(read(viewer, run_id)) == ["a"]
    send(server, run_id, 0, [line("a"), line("b")], closed=False)
    assert (texts(read(viewer, run_id)), places(server)) == (["a", "b"], [(True, False)])
    send(server, run_id, 0, [line("a"), line("b"), line("c")])
    assert (texts(read(viewer, run_id)), places(server)) == (["a", "b", "c"], [(False, True)])


@on_both
def test_an_older_piece_that_comes_late_takes_nothing_away(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    send(server, run_id, 0, [line("a"), line("b")], closed=False)
    send(server, run_id, 0, [line("a")], closed=False)
    assert texts(read(viewer, run_id)) == ["a", "b"]
    send(server, run_id, 0, [line("a"), line("b")])
    send(server, run_id, 0, [line("a"), line("b"), line("late")], closed=False)
    assert texts(read(viewer, run_id)) == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zlib",
        packed("[1,2]\n"),
        packed('[1,"stdout",0,7]\n'),
        packed('[1,"nowhere",0,"x"]\n'),
        packed('[-1,"stdout",0,"x"]\n'),
        packed('[1,"stdout",999,"x"]\n'),
        packed('[1,"log",20,"x",{},{}]\n'),
        packed("x" * 3_000_000),
        packed("[1]\n")[:-4],
    ],
)
def test_what_is_no_segment_is_refused(server: Server, run_id: UUID, content: bytes) -> None:
    """Nor does a small one that would unpack to gigabytes fill the memory."""
    with pytest.raises(SegmentInvalid):
        service.take(server.services, run_id, 1, Piece(segment=0, first_line=0), content)
    assert places(server) == []


def test_a_blob_store_that_is_away_keeps_nothing_and_is_asked_again(
    server: Server, run_id: UUID, viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BlobStoreUnavailable("It is away.")

    monkeypatch.setattr(BlobStore, "put", away)
    with pytest.raises(BlobStoreUnavailable):
        send(server, run_id, 0, [line("a")])
    assert places(server) == []
    monkeypatch.undo()
    send(server, run_id, 0, [line("a")])
    assert texts(read(viewer, run_id)) == ["a"]


@on_both
def test_of_too_long_a_log_the_head_and_the_tail_are_kept(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    """100 MB by default: here 1,000 bytes, ten segments of 200 (R39)."""
    object.__setattr__(server.settings, "log_bytes_per_run", 1000)
    for number in range(10):
        send(server, run_id, number, [line(f"{number}" * 199)], first_line=number)
    items = read(viewer, run_id)["items"]
    assert [one["text"][0] for one in items] == ["0", "1", ".", "7", "8", "9"]
    assert items[2]["cut"] == 5
    with server.db.read() as conn:
        dropped = "SELECT count(*) FROM blobs WHERE dropped_at IS NOT NULL"
        assert conn.exec_driver_sql(dropped).scalar_one() == 5


@pytest.mark.parametrize(
    ("sent", "written", "output", "rest"),
    [
        ([], 0, "all of it\n", "all of it\n"),
        (["a", "b"], 4, "a\nb\n", ""),
        (["a", "b"], 4, "a\nb\nc\nd", "c\nd"),
        (["tick", "tick"], 10, "tick\n" * 5, "tick\n" * 3),
        (["a", "b"], 2, "x\na\nb\nc\n", "c\n"),
        (["a", "b"], 900, "head\n\n... 12,345 bytes were cut here ...\ntail\n", "tail\n"),
        (["a", "b"], 4, "something else\n", ""),
    ],
)
def test_what_the_launcher_has_beyond_what_was_sent(
    sent: list[str], written: int, output: str, rest: str
) -> None:
    lines = [line(one) for one in sent]
    found = service.beyond(output, written, lines)
    assert found.removeprefix("... 12,345 bytes were cut here ...\n") == rest


def test_a_structured_line_is_found_in_output_as_people_see_it() -> None:
    said = Line(0, "log", 30, "careful", {"logger": "shop"})
    output = f"{rendered(said)}\nand then\n"
    assert output.startswith("WARNING shop: careful\n")
    assert service.beyond(output, 22, [said]) == "and then\n"


@on_both
def test_a_container_that_has_ended_is_completed_once(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    about: dict[str, Any] = {"closed": False, "written": 4, "operation": "load", "execution": 1}
    send(server, run_id, 0, [line("a"), line("b")], **about)
    for _ in range(2):
        service.complete(server.services, run_id, 1, "a\nb\nc\nKilled\n")
    items = read(viewer, run_id)["items"]
    assert [(one["line"], one["text"], one["operation"]) for one in items] == [
        (0, "a", "load"),
        (1, "b", "load"),
        (2, "c", "load"),
        (3, "Killed", "load"),
    ]


@on_both
def test_a_piece_that_was_on_its_way_when_the_container_ended_says_nothing_twice(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    """The server takes it in only after the launcher's output was."""
    send(server, run_id, 0, [line("a")], closed=False, written=2)
    service.complete(server.services, run_id, 1, "a\nb\nc\n")
    send(server, run_id, 0, [line("a"), line("b")], closed=False, written=4)
    assert texts(read(viewer, run_id)) == ["a", "b", "c"]


@on_both
def test_a_piece_that_is_taken_in_while_the_rest_is_looked_for_hides_nothing_of_it(
    server: Server, run_id: UUID, viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container was killed while the server had begun to read it."""
    send(server, run_id, 0, [line("a")], closed=False, written=2)
    look, pieces = service.beyond, [[line("a"), line("b")]]

    def meanwhile(output: str, written: int, sent: Sequence[Line]) -> str:
        if pieces:
            send(server, run_id, 0, pieces.pop(), written=4)
        return look(output, written, sent)

    monkeypatch.setattr(service, "beyond", meanwhile)
    service.complete(server.services, run_id, 1, "a\nb\nc\n")
    assert texts(read(viewer, run_id)) == ["a", "b", "c"]


def test_a_container_that_never_sent_a_line_is_shown_as_the_launcher_has_it(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    service.complete(server.services, run_id, 1, "")
    assert texts(read(viewer, run_id)) == []
    service.complete(server.services, run_id, 1, "python: no such file\n")
    assert texts(read(viewer, run_id)) == ["python: no such file"]


def test_long_output_of_a_launcher_becomes_several_segments(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    service.complete(server.services, run_id, 1, "x" * 99 + "\n" + ("y" * 99 + "\n") * 6000)
    assert len(places(server)) == 3
    assert read(viewer, run_id)["matches"] == 6001


@on_both
def test_what_stayed_in_rows_is_moved_to_the_blob_store(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    at = int((clock.now() - timedelta(minutes=20)).timestamp() * 1000)
    send(server, run_id, 0, [line("a", at=at)], closed=False)
    send(server, run_id, 1, [line("b", at=at)], closed=False, first_line=1)
    assert service.move(server.services, clock.now() - timedelta(days=1), 10) == 0
    drain(server)
    assert places(server) == [(False, True), (False, True)]
    assert texts(read(viewer, run_id)) == ["a", "b"]


@on_both
def test_logs_are_kept_for_so_long_and_their_blobs_go_with_them(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    send(server, run_id, 0, [line("old", at=1)])
    now = int(clock.now().timestamp() * 1000)
    send(server, run_id, 1, [line("new", at=now)], first_line=1)
    (kind,) = kept.KINDS
    before = clock.now() - timedelta(days=1)
    assert kind.count(server.services, before, 10) == 1
    assert kind.sweep(server.services, before, 10) == 1
    assert texts(read(viewer, run_id, tail=1))[-1:] == ["new"]
    assert read(viewer, run_id)["matches"] == 1
    Sweep(server.services).run(None)
    with server.db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one() == 1


def test_a_run_that_goes_takes_its_log_with_it(server: Server, run_id: UUID) -> None:
    send(server, run_id, 0, [line("a")])
    send(server, new_id(), 0, [line("other")])
    with server.db.write() as conn:
        service.drop_of_runs(conn, [run_id])
    assert len(places(server)) == 1


def test_surrogates_and_null_characters_are_kept_as_text(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    lines = [line("a\x00b"), line("c\x1b[31md")]
    content = packed(joined(lines) + '[1,"stdout",0,"e\\ud800"]\n')
    service.take(server.services, run_id, 1, Piece(segment=0, first_line=0, closed=True), content)
    assert texts(read(viewer, run_id)) == ["a\x00b", "c\x1b[31md", "e?"]
