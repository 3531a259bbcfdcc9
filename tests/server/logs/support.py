"""A run with a log, written as a container would write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from stepwell.server.app import Server
from stepwell.server.logs import service
from stepwell.server.logs.records import Piece
from stepwell.workflows.lines import Line, joined, packed

AT = 1_769_846_400_000
"""2026-01-31 08:00 UTC, in milliseconds."""


def line(text: str, level: int = 0, at: int = AT, **fields: Any) -> Line:
    """A line of plain output, or one with a level."""
    return Line(at, "log" if level else "stdout", level, text, fields)


def send(
    server: Server,
    run_id: UUID,
    segment: int,
    lines: Iterable[Line],
    attempt: int = 1,
    **about: Any,
) -> None:
    """Have a segment taken."""
    some = list(lines)
    piece = Piece(segment=segment, **{"first_line": 0, "closed": True, **about})
    service.take(server.services, run_id, attempt, piece, packed(joined(some)))


def read(client: TestClient, run_id: UUID, **query: Any) -> dict[str, Any]:
    """A page of the log."""
    answer = client.get(f"/runs/{run_id}/logs", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def texts(page: dict[str, Any]) -> list[str]:
    """The texts of a page's lines."""
    return [one["text"] for one in page["items"]]
