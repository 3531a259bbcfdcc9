"""The supervisor of several workers, with children that do as little as can be."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from stepwell.cli.exits import Exit
from stepwell.cli.serving.supervisor import Supervisor

CHILD = """
import os, signal, socket, sys, time
from pathlib import Path

def told(*_):
    Path(sys.argv[1]).write_text("told")
    over()

def over(*_):
    os.kill(os.getppid(), signal.SIGTERM)

signal.signal(signal.SIGUSR1, told)
signal.signal(signal.SIGALRM, over)
signal.alarm(90)
socket.socket(fileno=0).sendall(b"r")
while True:
    time.sleep(60)
"""


def test_a_signal_reaches_a_worker_that_was_not_ready_when_it_came(tmp_path: Path) -> None:
    """SIGUSR1, which has all of them log every event; before, it would have ended it."""
    said = tmp_path / "said"
    command = [sys.executable, "-c", CHILD, str(said)]
    supervisor = Supervisor(command, os.environ, 1, lambda _: None)
    supervisor._news.put(signal.SIGUSR1)  # it comes before its first worker is ready
    assert supervisor.run() is Exit.OK
    assert said.read_text() == "told"
