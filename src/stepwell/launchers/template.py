"""The process that launches of Python images are forked from, so that none of them imports
Stepwell anew. Started as `python -m stepwell.launchers.template MODULE ASKED TOLD`.

It imports MODULE and then does nothing but fork: it reads no environment and no token, runs no
code of a group, and has one thread. A launch is asked for with the path of its folder and two
pipes, which only the forked processes read: the environment, and what the group's code must not
see. It ends when the server's end of ASKED is closed; what it has started lives on.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from stepwell.forked import Forked, fork
from stepwell.launchers import shim

LONGEST: Final = 4096
"""Bytes of a folder's path."""

Begin = Callable[[int, int], int]
"""What MODULE's `begin` is: the pipes of the environment and of the secrets -> exit code."""


def main(arguments: list[str]) -> int:
    """Serve until the other end closes."""
    begin: Begin = import_module(arguments[0]).begin
    asked, told = socket.socket(fileno=int(arguments[1])), int(arguments[2])
    for descriptor in (asked.fileno(), told):
        os.set_inheritable(descriptor, False)
    os.set_blocking(told, False)
    gc.collect()
    gc.freeze()  # pages that nobody writes to stay shared
    while True:
        folder, pipes, _, _ = socket.recv_fds(asked, LONGEST, 2)
        if not folder:
            return 0
        _launch(asked, told, Path(os.fsdecode(folder)), pipes, begin)


def _launch(asked: socket.socket, told: int, folder: Path, pipes: list[int], begin: Begin) -> None:
    """Fork a watcher that is nobody's child; answer when it holds the launch or has lost it."""
    ready, tell = os.pipe()

    def detach() -> int:
        asked.close()
        os.close(ready)
        os.setsid()
        return 0 if os.fork() else _watch(folder, pipes, begin, tell, told)

    os.waitpid(fork(detach), 0)
    for one in (tell, *pipes):
        os.close(one)
    os.read(ready, 1)
    os.close(ready)
    with contextlib.suppress(OSError):
        asked.sendall(b".")


def _watch(folder: Path, pipes: list[int], begin: Begin, tell: int, told: int) -> int:
    watch = ForkedWatch(folder, pipes, begin)
    won = shim.claim(folder)
    os.close(tell)
    if won:
        watch.run()
        with contextlib.suppress(OSError):  # the server is gone, or knows of so many
            os.write(told, b".")
    return 0


class ForkedWatch(shim.Watch):
    """A watch whose command is a fork of this process."""

    def __init__(self, folder: Path, pipes: list[int], begin: Begin) -> None:
        super().__init__(folder)
        self._pipes, self._begin = pipes, begin

    def spawn(self) -> Forked:
        """As of `shim.Watch`: a session of its own, its output in a pipe, dead with this one."""
        output, into = os.pipe()
        ready, tell = os.pipe()
        pid = fork(lambda: self._become(into))
        for one in (into, tell, *self._pipes):
            os.close(one)
        os.read(ready, 1)  # it has closed the other end: from here on a signal ends it
        os.close(ready)
        return Forked(pid, stdout=os.fdopen(output, "rb", buffering=0))

    def _become(self, into: int) -> int:
        shim.prctl(shim.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(into, 1)
        os.dup2(into, 2)
        keep = sorted(self._pipes)
        for low, high in zip([2, *keep], [*keep, shim.MOST_FILES], strict=True):
            os.closerange(low + 1, high)
        os.chdir(self.folder / "work")
        sys.path[0] = str(Path.cwd())
        return self._begin(*self._pipes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
