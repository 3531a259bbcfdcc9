"""While the database is away: what requests are told, and what the log has of them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.server.support import Api, problem

from stepwell.errors import StoreUnavailable
from stepwell.server import problems
from stepwell.server.app import Server


def test_an_outage_is_one_line_in_the_log_per_interval_which_every_answer_names(
    server: Server, api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refused request was a line: they filled the log."""

    def away() -> Any:
        raise StoreUnavailable("The database does not answer.", why="a detail")

    def refused() -> dict[str, Any]:
        return problem(client.get("health"), 503, "store-unavailable")

    client = api("operator")
    monkeypatch.setattr(server.db, "read", away)
    monkeypatch.setattr(problems, "REFUSED_EVERY", 600.0)
    with caplog.at_level(logging.WARNING, "stepwell.server"):
        first, *others = [refused() for _ in range(4)]
        assert caplog.text.count("a detail") == 1
        assert first["correlation_id"] in caplog.text
        assert all(first["correlation_id"] in one["detail"] for one in others)
        monkeypatch.setattr(problems, "REFUSED_EVERY", 0.0)
        later = refused()
    assert later["correlation_id"] in caplog.messages[-1]
    assert caplog.messages[-1].endswith("Since the line before 3 more were refused alike.")
