"""Who follows a log as it is written, and for how long."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.server.access.support import account, logged_in
from tests.server.support import Api

from stepwell.server.app import Server
from stepwell.server.logs import api as logs


def test_a_stream_ends_with_the_session_that_asked_for_it(
    server: Server, api: Api, run_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disabled user is out at once; the run goes on."""
    user_id, looks, after = account(server), list[int](), logs._Tail.after
    client = logged_in(server)

    def disabling(tail: Any, page: Any) -> Any:
        looks.append(1)
        assert len(looks) < 5, "it still follows"
        if len(looks) == 2:
            changed = api("admin").patch(f"users/{user_id}", json={"disabled": True})
            assert changed.status_code == 200
        return after(tail, page)

    monkeypatch.setattr(logs._Tail, "after", disabling)
    monkeypatch.setattr(logs, "ASKED_EVERY", 0.0)
    monkeypatch.setattr(logs, "EVERY", 0.01)
    text = client.get(f"runs/{run_id}/logs/stream").text
    assert "event: end" not in text
    assert len(looks) == 2
