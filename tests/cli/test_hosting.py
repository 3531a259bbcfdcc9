"""The server of a process: what of it is left where it cannot start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stepwell.cli.serving.hosting import serving
from stepwell.cli.serving.listener import bound
from stepwell.errors import SetupError
from stepwell.server.app import Server
from stepwell.server.settings import Settings


def _failing() -> None:
    raise SetupError("It cannot start.")


@pytest.mark.parametrize("part", ["engine", "seeder"])
def test_a_server_that_cannot_start_leaves_no_listener_and_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    server = Server(Settings.for_dev(tmp_path))
    monkeypatch.setattr(getattr(server, part), "start", _failing)
    before, on = set(threading.enumerate()), bound("127.0.0.1", 0)
    port = on.getsockname()[1]
    with pytest.raises(SetupError), serving(server, on):
        pytest.fail("it has started")
    assert [one.name for one in set(threading.enumerate()) - before if one.is_alive()] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_server_whose_tables_are_missing_gives_its_port_back(tmp_path: Path) -> None:
    """Nobody has listened on it yet."""
    on = bound("127.0.0.1", 0)
    with pytest.raises(SetupError), serving(Server(Settings(data_dir=tmp_path)), on):
        pytest.fail("it has started")
    assert on.fileno() == -1


def test_a_server_that_was_told_to_migrates_before_it_serves(tmp_path: Path) -> None:
    """Without being told it refuses: nobody alters tables unasked (R44)."""
    serve = [sys.executable, "-m", "stepwell.cli", "serve", "--port", "0"]
    serve += ["--data-dir", str(tmp_path)]
    refused = subprocess.run(serve, capture_output=True, text=True, check=False)
    assert (refused.returncode, "stepwell migrate" in refused.stderr) == (7, True)
    with subprocess.Popen([*serve, "--migrate"], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert any("stepwell serves http://" in line for line in server.stderr)
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
    assert server.returncode == 0
