"""What a cluster asks a server, without a token."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from stepwell.errors import StoreUnavailable
from stepwell.server.app import Server


def test_a_server_lives_and_serves(server: Server) -> None:
    client = TestClient(server.app)
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").text == "ok\n"


def test_a_server_whose_database_is_away_lives_and_does_not_serve(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting it anew would not bring the database back; asking another server may help."""

    def away(_: object) -> None:
        raise StoreUnavailable("It is away.")

    monkeypatch.setattr(type(server.db), "read", away)
    client = TestClient(server.app)
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
