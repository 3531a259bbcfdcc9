"""Values against schemas that an image may have posted to do harm."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from stepwell.server import fitting
from stepwell.server.fitting import SchemaUnusable, fits, misfits
from stepwell.server.runs.parameters import check


@pytest.fixture
def neighbour() -> Iterator[tuple[str, list[str]]]:
    """What the server's machine reaches: its address, and what was asked of it."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "integer"}')

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    listening = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", asked
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_reference_to_elsewhere_is_never_fetched(neighbour: tuple[str, list[str]]) -> None:
    url, asked = neighbour
    with pytest.raises(SchemaUnusable):
        check("w", {"properties": {"it": {"$ref": f"{url}/latest/meta-data"}}}, {"it": "x"})
    assert asked == []


def test_a_reference_to_a_file_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text('{"type": "integer"}')
    with pytest.raises(SchemaUnusable):
        misfits({"$ref": f"file://{tmp_path}/kept.json"}, 1)


def test_a_pattern_takes_time_by_the_length_of_its_text() -> None:
    """By an engine that tracks back, this takes longer than the universe is old."""
    assert not fits({"pattern": "^(a+)+$"}, "a" * 10_000 + "!")
    names = {"patternProperties": {"^(a+)+$": True}, "additionalProperties": False}
    assert not fits(names, {"a" * 10_000 + "!": 1})


def test_a_pattern_that_cannot_be_judged_is_left_to_the_image() -> None:
    assert fits({"pattern": "^(?!no)"}, "no")
    assert fits({"patternProperties": {"^(?!no)": False}, "additionalProperties": False}, {"no": 1})


def test_a_long_list_of_unlike_things_is_looked_through_once() -> None:
    """Two by two, these would be two thousand million looks."""
    unlike = [value for number in range(30_000) for value in (number, str(number))]
    assert fits({"uniqueItems": True}, unlike)
    assert not fits({"uniqueItems": True}, [*unlike, "7"])


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
        {"type": "made up"},
        {"minimum": "x"},
        {"properties": 5},
        {"allOf": 5},
    ],
)
def test_a_schema_that_is_none_is_said_to_be_unusable(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaUnusable):
        misfits(schema, 1 if "minimum" in schema else {"a": 1})
    assert not fits(schema, 1 if "minimum" in schema else {"a": 1})


def test_references_that_double_are_followed_so_often_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forty definitions, each of which asks twice for the next: a million million looks."""
    monkeypatch.setattr(fitting, "MOST", 1000)
    twice = {str(n): {"allOf": 2 * [{"$ref": f"#/$defs/{n + 1}"}]} for n in range(40)}
    with pytest.raises(SchemaUnusable, match="no end"):
        misfits({"$ref": "#/$defs/0", "$defs": {**twice, "40": True}}, 1)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"pattern": "b"}, "abc", "xyz"),
        ({"patternProperties": {"^x-": {"type": "integer"}}}, {"x-a": 1, "b": "c"}, {"x-a": "1"}),
        (
            {
                "properties": {"a": True},
                "patternProperties": {"^x-": True},
                "additionalProperties": False,
            },
            {"a": 1, "x-b": 2},
            {"b": 1},
        ),
        (
            {"properties": {"a": True}, "additionalProperties": {"type": "null"}},
            {"b": None},
            {"b": 1},
        ),
        ({"uniqueItems": True}, [1, True, "1"], [[1], [1]]),
    ],
)
def test_keywords_mean_what_they_mean_elsewhere(
    schema: dict[str, Any], good: Any, bad: Any
) -> None:
    assert fits(schema, good)
    assert not fits(schema, bad)
