"""Reading a log: pages, searches, levels, its end, its cuts."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.logs.support import AT, line, read, send, texts
from tests.server.support import Api, on_both, problem

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.logs import reading
from stepwell.workflows.lines import Line


@pytest.fixture
def log(server: Server, run_id: UUID) -> UUID:
    """Two operations in a first attempt, and one of them again in a second."""
    send(server, run_id, 0, [line("one"), line("two", 20, logger="x")], operation="fetch")
    load = [line("three", 40, AT + 1000, rows=7), line("Four", at=AT + 2000)]
    send(server, run_id, 1, load, first_line=2, operation="load", execution=1)
    send(server, run_id, 0, [line("five", 30, AT + 3000)], attempt=2, operation="load", execution=2)
    return run_id


@on_both
def test_all_lines_are_read_in_order_with_where_they_come_from(
    log: UUID, viewer: TestClient
) -> None:
    page = read(viewer, log)
    assert texts(page) == ["one", "two", "three", "Four", "five"]
    assert (page["matches"], page["complete"]) == (5, True)
    third = page["items"][2]
    assert (third["attempt"], third["line"], third["operation"]) == (1, 2, "load")
    assert (third["level"], third["fields"], third["execution"]) == ("error", {"rows": 7}, 1)
    assert third["at"] == "2026-01-31T08:00:01Z"
    assert page["items"][0]["level"] is None


def test_pages_go_forward_and_backward_by_key(log: UUID, viewer: TestClient) -> None:
    first = read(viewer, log, limit=2)
    second = read(viewer, log, limit=2, cursor=first["next"])
    third = read(viewer, log, limit=2, cursor=second["next"])
    assert [texts(one) for one in (first, second, third)] == [
        ["one", "two"],
        ["three", "Four"],
        ["five"],
    ]
    assert texts(read(viewer, log, limit=3, before=third["previous"])) == ["two", "three", "Four"]
    assert texts(read(viewer, log, cursor=third["next"])) == []


def test_the_last_lines_are_read_from_the_end(log: UUID, viewer: TestClient) -> None:
    page = read(viewer, log, tail=2)
    assert texts(page) == ["Four", "five"]
    assert texts(read(viewer, log, before=page["previous"], limit=2)) == ["two", "three"]


def test_a_cursor_goes_on_with_what_was_written_since(
    log: UUID, server: Server, viewer: TestClient
) -> None:
    end = read(viewer, log, tail=1)["next"]
    send(server, log, 1, [line("six")], attempt=2, first_line=1, operation="load")
    assert texts(read(viewer, log, cursor=end)) == ["six"]


@on_both
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"operation": "load"}, ["three", "Four", "five"]),
        ({"operation": "load", "attempt": 1}, ["three", "Four"]),
        ({"execution": 2}, ["five"]),
        ({"level": "warning"}, ["three", "five"]),
        ({"level": "critical"}, []),
        ({"q": "FO"}, ["Four"]),
        ({"q": "7"}, ["three"]),
        ({"q": "stdout"}, []),
        ({"q": ""}, ["one", "two", "three", "Four", "five"]),
        ({"from": "2026-01-31T08:00:02Z"}, ["Four", "five"]),
        ({"q": "e", "level": "error", "operation": "load"}, ["three"]),
    ],
)
def test_lines_are_narrowed_by_what_they_hold_and_where_they_come_from(
    log: UUID, viewer: TestClient, wanted: dict[str, str], found: list[str]
) -> None:
    page = read(viewer, log, **wanted)
    assert texts(page) == found
    assert page["matches"] == len(found)


@pytest.mark.parametrize("text", ['say "x"', "back\\slash", "\u00e5ngstr\u00f6m \U0001f600", "[b]"])
def test_any_text_is_found_as_it_was_written(
    server: Server, run_id: UUID, viewer: TestClient, text: str
) -> None:
    send(server, run_id, 0, [line("else"), line(f"a {text} z"), line("more")])
    assert texts(read(viewer, run_id, q=text.upper())) == [f"a {text} z"]


def test_matches_are_shown_with_the_lines_around_them(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    send(server, run_id, 0, [line(f"line {n}") for n in range(10)])
    page = read(viewer, run_id, q="line 5", context=1)
    assert [(one["text"], one["match"]) for one in page["items"]] == [
        ("line 4", False),
        ("line 5", True),
        ("line 6", False),
    ]
    assert page["matches"] == 1


def test_matches_are_counted_on_all_pages_as_far_as_time_allows(
    server: Server, run_id: UUID, viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        send(server, run_id, number, [line("same"), line("other")], first_line=number * 2)
    monkeypatch.setattr(reading, "BUDGET", 90.0)
    page = read(viewer, run_id, q="same", limit=1)
    assert (len(page["items"]), page["matches"], page["complete"]) == (1, 4, True)
    monkeypatch.setattr(reading, "BUDGET", -1.0)
    page = read(viewer, run_id, q="same", limit=1)
    assert (page["matches"], page["complete"]) == (1, False)


def test_a_cut_is_marked_where_it_is(server: Server, run_id: UUID, viewer: TestClient) -> None:
    send(server, run_id, 0, [line("head")])
    send(server, run_id, 7, [line("tail")], first_line=1000)
    items = read(viewer, run_id)["items"]
    assert [(one["text"], one["cut"]) for one in (items[0], items[2])] == [("head", 0), ("tail", 0)]
    assert (items[1]["cut"], items[1]["line"]) == (999, 1)
    assert "999 lines are missing" in items[1]["text"]
    assert texts(read(viewer, run_id, q="i")) == ["tail"]


def test_a_blob_that_is_gone_is_a_cut_and_no_error(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    send(server, run_id, 0, [line("a"), line("b")])
    send(server, run_id, 1, [line("c")], first_line=2)
    with server.db.read() as conn:
        first = conn.exec_driver_sql("SELECT blob_id FROM log_segments WHERE number = 0").scalar()
    server.services.blobs.delete([UUID(str(first))])
    items = read(viewer, run_id)["items"]
    assert (items[0]["cut"], items[1]["text"]) == (2, "c")


def test_the_whole_log_is_one_file(log: UUID, viewer: TestClient) -> None:
    answer = viewer.get(f"/runs/{log}/logs/text")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "2026-01-31T08:00:00.000Z fetch one",
        "2026-01-31T08:00:00.000Z fetch INFO two",
        "2026-01-31T08:00:01.000Z load ERROR three",
        "2026-01-31T08:00:02.000Z load Four",
        "2026-01-31T08:00:03.000Z load WARNING five",
    ]
    assert viewer.get(f"/runs/{log}/logs/text", params={"operation": "fetch"}).text.count("\n") == 2


@pytest.mark.parametrize("path", ["", "/text", "/stream"])
def test_a_log_needs_a_run_and_a_token(viewer: TestClient, api: Api, path: str) -> None:
    problem(viewer.get(f"/runs/{new_id()}/logs{path}"), 404, "run-not-found")
    problem(api(None).get(f"/runs/{new_id()}/logs{path}"), 401, "unauthenticated")


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"before": "W1sibm8iLDFdXQ"}, {"level": "loud"}, {"tail": 0}]
)
def test_what_is_asked_wrongly_is_refused(
    run_id: UUID, viewer: TestClient, query: dict[str, str]
) -> None:
    assert viewer.get(f"/runs/{run_id}/logs", params=query).status_code == 422


def test_the_end_of_a_million_lines_opens_at_once(
    server: Server, run_id: UUID, viewer: TestClient
) -> None:
    """Within 500 ms: the index tells which segment is the last, and one alone is read."""
    text = "line %d of a segment, about as long as most"
    lines = [Line(AT, "stdout", 0, text % number) for number in range(2500)]
    send(server, run_id, 399, lines, first_line=399 * 2500)
    with server.db.write() as conn:
        conn.exec_driver_sql(
            "WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n LIMIT 399) "
            "INSERT INTO log_segments SELECT run_id, attempt, value, operation, execution, "
            "value * 2500, lines, size, levels, from_at, until_at, written, closed, content, "
            "blob_id FROM log_segments, n"
        )
    took = []
    for _ in range(3):
        begun = time.process_time()
        page = read(viewer, run_id, tail=500)
        took.append(time.process_time() - begun)
    assert (len(page["items"]), page["matches"]) == (500, 1_000_000)
    assert page["items"][-1]["line"] == 999_999
    assert min(took) < 0.5, took
