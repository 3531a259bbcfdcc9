"""A Python image in a process that has imported all of this: one that was forked from
`stepwell.launchers.template`, or `stepwell.workflows.cold`.

The group's own process is forked before the token is read, so that neither its environment
nor its memory ever holds it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from stepwell.forked import Forked, fork
from stepwell.workflows import child
from stepwell.workflows.host import Started
from stepwell.workflows.runner import main


def go_on(secrets: int) -> int:
    """Run the image that this process's environment names; its exit code.

    Parameters
    ----------
    secrets : a pipe with variables as JSON, which only this process may read.
    """
    group, single = os.environ.get("STEPWELL_GROUP"), os.environ.get("STEPWELL_MODE") == "step"
    started = None if group is None or single else _forked(group, secrets)
    os.environ.update(read(secrets))
    return main(os.environ, started)


def _forked(group: str, secrets: int) -> Started:
    """The process of the group's code; as `ChildHost` starts one, and without an import."""
    ours, theirs = socket.socketpair()
    pipes = (os.pipe(), os.pipe())

    def become() -> int:
        os.setpgid(0, 0)
        ours.close()
        os.close(secrets)
        for number, (reading, writing) in enumerate(pipes, start=1):
            os.close(reading)
            os.dup2(writing, number)
            os.close(writing)
        sys.argv = [str(child.__file__), str(Path(group)), str(theirs.fileno())]
        child.main(sys.argv[1:])
        return 0

    pid = fork(become)
    _lead(pid)
    theirs.close()
    for _, writing in pipes:
        os.close(writing)
    stdout, stderr = (os.fdopen(reading, "rb") for reading, _ in pipes)
    return Forked(pid, stdout, stderr), ours


def _lead(pid: int) -> None:
    """Done on both sides: whoever comes first, the group is there when it is needed."""
    try:
        os.setpgid(pid, pid)
    except OSError:  # it has done so, or has ended
        pass


def read(pipe: int) -> dict[str, Any]:
    """The variables in a pipe, as JSON."""
    with os.fdopen(pipe, "rb") as stream:
        values: dict[str, Any] = json.load(stream)
    return values
